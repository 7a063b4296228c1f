//! The mails that wait to be sent, and the sending.

use std::{
    collections::VecDeque,
    fmt,
    panic::AssertUnwindSafe,
    pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{
    FutureExt, Stream, StreamExt,
    future::{self, Either},
    lock, stream,
    task::AtomicWaker,
};

use crate::{Ambient, AuthEvent, EmailAddress, Mail, Mailer, Outcome, Requester};

/// How many mails are sent at once.
const AT_ONCE: usize = 8;
/// After how long a mail is given up, the writing of it included.
const DEADLINE: Duration = Duration::from_secs(30);

/// A mail that is written when it is sent, so that no secret waits in a queue.
#[async_trait]
pub trait Draft: fmt::Debug + Send + Sync + 'static {
    /// To whom, whatever [`write`](Self::write) says.
    fn to(&self) -> &EmailAddress;

    /// Whose request it answers.
    fn requester(&self) -> &Requester;

    /// Writes it out; `None` where it is of no use any more.
    async fn write(&self) -> Option<Mail>;
}

/// A bounded queue of mails, and who sends them, off every request's path.
///
/// Each mail's fate is told to the event sink: sent, failed, or dropped because the queue was full.
pub struct Outbox {
    mailer: Arc<dyn Mailer>,
    ambient: Ambient,
    room: usize,
    queue: Mutex<VecDeque<Box<dyn Draft>>>,
    filled: AtomicWaker,
    /// Held by the one that sends: the waker has room for one.
    sending: lock::Mutex<()>,
    /// Mails that have left the queue and are not settled yet.
    under_way: AtomicUsize,
}

impl Outbox {
    /// A queue of at most `room` mails that `mailer` sends.
    #[must_use]
    pub fn new(mailer: Arc<dyn Mailer>, room: usize, ambient: Ambient) -> Self {
        Self {
            mailer,
            ambient,
            room,
            queue: Mutex::default(),
            filled: AtomicWaker::new(),
            sending: lock::Mutex::default(),
            under_way: AtomicUsize::new(0),
        }
    }

    /// Queues a mail; `false` if there is no room for it, and it is dropped.
    pub fn put(&self, draft: impl Draft) -> bool {
        let mut queue = self.queue();
        let fits = queue.len() < self.room;
        if fits {
            queue.push_back(Box::new(draft));
        }
        drop(queue);
        self.filled.wake();
        fits
    }

    /// How many mails are not settled yet: queued, or being sent. Worth a gauge, and worth waiting
    /// for before the process ends.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        let queue = self.queue();
        queue.len() + self.under_way.load(Ordering::Acquire)
    }

    /// Sends what is queued. It never returns; spawn it once, on any runtime.
    ///
    /// Dropped and run again it goes on with the queue; what was being sent at that moment is lost.
    /// A second one at a time waits for the first to be dropped.
    pub async fn run(&self) {
        let _alone = self.sending.lock().await;
        self.drafts()
            .for_each_concurrent(AT_ONCE, |draft| self.deliver(draft))
            .await;
    }

    fn drafts(&self) -> impl Stream<Item = Box<dyn Draft>> {
        stream::poll_fn(|context| {
            self.filled.register(context.waker());
            // Counted before the queue is let go, so that no mail is ever in neither.
            let mut queue = self.queue();
            match queue.pop_front() {
                Some(draft) => {
                    self.under_way.fetch_add(1, Ordering::AcqRel);
                    Poll::Ready(Some(draft))
                }
                None => Poll::Pending,
            }
        })
    }

    async fn deliver(&self, draft: Box<dyn Draft>) {
        let _settled = Settled(&self.under_way);
        let clock = &self.ambient.clock;
        // What writes and what sends are the host's: one that panics costs its own mail, not the rest.
        let sending = pin::pin!(AssertUnwindSafe(self.send(&*draft)).catch_unwind());
        let outcome = match future::select(sending, clock.sleep(DEADLINE)).await {
            Either::Left((Ok(Some(())), _)) => Outcome::MailSent,
            Either::Left((Ok(None) | Err(_), _)) | Either::Right(_) => Outcome::MailFailed,
        };
        let event = AuthEvent::new(outcome, clock.now())
            .to(draft.to())
            .by(draft.requester());
        self.ambient.events.record(&event);
    }

    /// `None` where no mail went out: it was of no use any more, or the mailer failed.
    async fn send(&self, draft: &dyn Draft) -> Option<()> {
        let mail = draft.write().await?;
        let mail = Mail {
            to: draft.to().clone(),
            ..mail
        };
        self.mailer.send(&mail).await.ok()
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Box<dyn Draft>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("waiting", &self.queue().len())
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

/// Counts a mail as settled, sent or given up, when it is dropped.
struct Settled<'a>(&'a AtomicUsize);

impl Drop for Settled<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
