//! The mails that wait to be sent, and the sending.

mod delivery;
mod judge;
mod queue;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{FutureExt, Stream, StreamExt, lock, stream, task::AtomicWaker};

use crate::{Ambient, AuthEvent, EmailAddress, Mail, Mailer, Outcome, Requester, Sleep, Timestamp};
use delivery::Delivery;
use judge::{Tried, Verdict, judge};
use queue::{Entry, Queue};

/// How many mails are sent at once.
const AT_ONCE: usize = 8;
/// How often whoever waits for the end looks whether it has come.
const LOOK: Duration = Duration::from_millis(20);

/// A mail that is written when it is sent, so that no secret waits in a queue.
#[async_trait]
pub trait Draft: fmt::Debug + Send + Sync + 'static {
    /// To whom, whatever [`write`](Self::write) says.
    fn to(&self) -> &EmailAddress;

    /// Whose request it answers.
    fn requester(&self) -> &Requester;

    /// Until when it is of use to try again. The first try is made whenever its turn comes.
    fn until(&self) -> Timestamp;

    /// Writes it out, for each try anew.
    ///
    /// # Errors
    /// [`Unwritten`], where there is nothing to send now, or ever.
    async fn write(&self) -> Result<Mail, Unwritten>;
}

/// Why a mail was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwritten {
    /// What it is written from could not be read. It may be later.
    #[error("the mail cannot be written now")]
    NotNow,
    /// It is of no use any more.
    #[error("the mail is of no use any more")]
    Useless,
}

/// A bounded queue of mails, and who sends them, off every request's path.
///
/// Eight are sent at once, each try for 30 seconds at most. What was certainly not sent is tried
/// again while its [`Draft`] is of use, after 2, 4, 8, 16, 32 and then every 64 seconds; meanwhile it
/// takes up none of the eight and no room of the mails that are put in. What the mail server
/// refuses for good is not tried again, and neither is what it may have taken: no mail is sent twice.
///
/// Each mail's fate is told to the event sink, exactly once: [`MailSent`](Outcome::MailSent),
/// [`MailFailed`](Outcome::MailFailed), [`MailUnknown`](Outcome::MailUnknown) or
/// [`MailDropped`](Outcome::MailDropped), and before it a [`MailDelayed`](Outcome::MailDelayed) for
/// each try that another follows. (Whoever puts a mail in tells of the one that found no room.)
/// The queue is in memory: a process that is killed loses it.
pub struct Outbox {
    mailer: Arc<dyn Mailer>,
    ambient: Ambient,
    room: usize,
    queue: Mutex<Queue>,
    filled: AtomicWaker,
    /// Held by the one that sends: the waker has room for one.
    sending: lock::Mutex<()>,
}

impl Outbox {
    /// A queue of at most `room` mails that `mailer` sends, and as many that wait for another try.
    #[must_use]
    pub fn new(mailer: Arc<dyn Mailer>, room: usize, ambient: Ambient) -> Self {
        Self {
            mailer,
            ambient,
            room,
            queue: Mutex::new(Queue::new(room)),
            filled: AtomicWaker::new(),
            sending: lock::Mutex::default(),
        }
    }

    /// Queues a mail; `false` if there is no room for it, and it is dropped.
    pub fn put(&self, draft: impl Draft) -> bool {
        let fits = self.queue().put(Arc::new(draft));
        self.filled.wake();
        fits
    }

    /// How many mails are not settled yet: queued, being sent, or waiting for another try. Worth a
    /// gauge.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.queue().unsettled()
    }

    /// Sends what is queued. It never returns; spawn it once, on any runtime.
    ///
    /// Dropped and run again it goes on with the queue; of what was being sent at that moment
    /// nobody knows. A second one at a time waits for the first to be dropped.
    pub async fn run(&self) {
        let _alone = self.sending.lock().await;
        self.entries()
            .for_each_concurrent(AT_ONCE, |entry| self.deliver(entry))
            .await;
    }

    /// Waits until every mail is settled, while [`run`](Self::run) goes on: for the end of the
    /// process, with a deadline of the host's own.
    ///
    /// From the call on no mail waits for another try. Those that do are tried once more at
    /// once, and a failure is the last.
    pub async fn settle(&self) {
        self.queue().close();
        self.filled.wake();
        while self.unsettled() > 0 {
            self.ambient.clock.sleep(LOOK).await;
        }
    }

    /// Drops what is still queued or waits for another try, and tells of each. For the end of the
    /// process, when [`run`](Self::run) has been dropped.
    pub fn give_up(&self) {
        let left: Vec<Entry> = self.queue().clear().collect();
        for entry in left {
            self.tell(Outcome::MailDropped, &entry);
        }
    }

    fn entries(&self) -> impl Stream<Item = Entry> {
        let clock = &self.ambient.clock;
        let mut alarm: Option<(Timestamp, Sleep)> = None;
        stream::poll_fn(move |context| {
            self.filled.register(context.waker());
            loop {
                let now = clock.now();
                let mut queue = self.queue();
                if let Some(entry) = queue.take(now) {
                    return Poll::Ready(Some(entry));
                }
                let due = queue.due();
                drop(queue);
                let Some(due) = due else {
                    return Poll::Pending;
                };
                let set = alarm.take().filter(|(at, _)| *at == due);
                let (_, sleep) =
                    alarm.insert(set.unwrap_or_else(|| (due, clock.sleep(due.since(now)))));
                if sleep.poll_unpin(context).is_pending() {
                    return Poll::Pending;
                }
                alarm = None;
            }
        })
    }

    /// No `async fn`, for its future may be dropped before it is polled: the mail counts as under way
    /// already, and must not be lost.
    fn deliver(&self, entry: Entry) -> impl Future<Output = ()> {
        let attempt = Delivery::new(self, entry).attempt();
        attempt.map(|(entry, tried)| self.end(entry, tried))
    }

    fn end(&self, mut entry: Entry, tried: Tried) {
        entry.tries = entry.tries.saturating_add(1);
        let now = self.ambient.clock.now();
        let (last, has_room) = {
            let queue = self.queue();
            (queue.is_closing(), queue.has_room_for_another_try())
        };
        let outcome = match judge(tried, entry.tries, entry.draft.until(), last, now) {
            Verdict::Again(due) if has_room => {
                self.tell(Outcome::MailDelayed, &entry);
                self.queue().put_off(entry, due);
                return self.filled.wake();
            }
            Verdict::Again(_) => Outcome::MailDropped,
            Verdict::Fail => Outcome::MailFailed,
            Verdict::Sent => Outcome::MailSent,
            Verdict::Unknown => Outcome::MailUnknown,
        };
        self.tell(outcome, &entry);
        self.queue().settle();
    }

    fn tell(&self, outcome: Outcome, entry: &Entry) {
        let event = AuthEvent::new(outcome, self.ambient.clock.now())
            .to(entry.draft.to())
            .by(entry.draft.requester());
        self.ambient.events.record(&event);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("unsettled", &self.unsettled())
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
