//! Which mail is sent next.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
};

use crate::{Draft, Timestamp};

/// A mail, and how often it was tried.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) draft: Arc<dyn Draft>,
    pub(super) tries: u32,
}

/// The mails that are not settled yet.
///
/// Those that wait for another try stand apart, with as much room of their own: a server that is
/// down must not take the room of the mails that are asked for meanwhile.
#[derive(Debug)]
pub(super) struct Queue {
    room: usize,
    first: VecDeque<Entry>,
    /// By when they are due, and then by when they were put off.
    again: BTreeMap<(Timestamp, u64), Entry>,
    put_off: u64,
    under_way: usize,
    closing: bool,
}

impl Queue {
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            first: VecDeque::new(),
            again: BTreeMap::new(),
            put_off: 0,
            under_way: 0,
            closing: false,
        }
    }

    /// `false` if there is no room.
    pub(super) fn put(&mut self, draft: Arc<dyn Draft>) -> bool {
        let fits = self.first.len() < self.room;
        if fits {
            self.first.push_back(Entry { draft, tries: 0 });
        }
        fits
    }

    /// What is to be tried now, which counts as under way from here on. Whoever has just asked goes
    /// first: somebody is looking at a mailbox.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Entry> {
        let entry = self.first.pop_front().or_else(|| {
            let next = self.again.first_entry()?;
            let is_due = self.closing || next.key().0 <= now;
            is_due.then(|| next.remove())
        })?;
        self.under_way += 1;
        Some(entry)
    }

    /// When there is something to be tried again.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let (&(due, _), _) = self.again.first_key_value()?;
        Some(due)
    }

    /// A mail that is under way is not any more.
    pub(super) fn settle(&mut self) {
        self.under_way -= 1;
    }

    pub(super) fn has_room_for_another_try(&self) -> bool {
        self.again.len() < self.room
    }

    /// A mail that was under way waits for another try.
    pub(super) fn put_off(&mut self, entry: Entry, due: Timestamp) {
        self.settle();
        self.put_off += 1;
        self.again.insert((due, self.put_off), entry);
    }

    /// A mail that was under way and never came to be tried is the next again.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.settle();
        self.first.push_front(entry);
    }

    /// From now on what waits for another try is due at once, and there is no further one.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    pub(super) fn unsettled(&self) -> usize {
        self.first.len() + self.again.len() + self.under_way
    }

    /// Everything that is not under way.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Entry> {
        let again = mem::take(&mut self.again).into_values();
        mem::take(&mut self.first).into_iter().chain(again)
    }
}
