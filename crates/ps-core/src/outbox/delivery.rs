//! One try to send a mail.

use std::{
    panic::AssertUnwindSafe,
    pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{self, Either},
};

use super::{Outbox, Unwritten, judge::Tried, queue::Entry};
use crate::{Mail, Outcome};

/// After how long a try is given up, the writing of the mail included.
const DEADLINE: Duration = Duration::from_secs(30);

/// A mail that is under way.
pub(super) struct Delivery<'a> {
    outbox: &'a Outbox,
    entry: Entry,
    /// Whether the mailer was given the mail.
    handed_over: AtomicBool,
    has_ended: bool,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(outbox: &'a Outbox, entry: Entry) -> Self {
        Self {
            outbox,
            entry,
            handed_over: AtomicBool::new(false),
            has_ended: false,
        }
    }

    /// What the try came to. Dropped before, it leaves the mail to the next who sends, unless the
    /// mailer has it already.
    pub(super) async fn attempt(mut self) -> (Entry, Tried) {
        let tried = self.within_time().await;
        self.has_ended = true;
        (self.entry.clone(), tried)
    }

    async fn within_time(&self) -> Tried {
        // What writes and what sends are the host's: one that panics costs its own mail, not the rest.
        let trying = pin::pin!(AssertUnwindSafe(self.write_and_send()).catch_unwind());
        let deadline = self.outbox.ambient.clock.sleep(DEADLINE);
        match future::select(trying, deadline).await {
            Either::Left((Ok(tried), _)) => tried,
            Either::Left((Err(_), _)) | Either::Right(_) if self.is_handed_over() => Tried::Unknown,
            Either::Left((Err(_), _)) => Tried::Hopeless,
            Either::Right(_) => Tried::NotSent,
        }
    }

    async fn write_and_send(&self) -> Tried {
        let Self { outbox, entry, .. } = self;
        let draft = &entry.draft;
        if entry.tries > 0 && draft.until() <= outbox.ambient.clock.now() {
            return Tried::Hopeless;
        }
        let mail = match draft.write().await {
            Ok(mail) => Mail {
                to: draft.to().clone(),
                ..mail
            },
            Err(Unwritten::NotNow) => return Tried::NotSent,
            Err(Unwritten::Useless) => return Tried::Hopeless,
        };
        self.handed_over.store(true, Ordering::Relaxed);
        outbox.mailer.send(&mail).await.into()
    }

    fn is_handed_over(&self) -> bool {
        self.handed_over.load(Ordering::Relaxed)
    }
}

impl Drop for Delivery<'_> {
    /// Where whoever sends is dropped in the middle of it.
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        if self.is_handed_over() {
            self.outbox.tell(Outcome::MailUnknown, &self.entry);
            self.outbox.queue().settle();
        } else {
            self.outbox.queue().put_back(self.entry.clone());
        }
    }
}
