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

use futures_util::{
    FutureExt, Stream, StreamExt,
    future::{self, Either},
    lock, stream,
    task::AtomicWaker,
};
use ps_core::{Ambient, AuthEvent, MacKeys, Mail, Mailer, Outcome, Requester, Timestamp, Users};

use crate::{Challenge, Code, Letter, Letters, Occasion};

/// How many mails are sent at once.
const AT_ONCE: usize = 8;
/// After how long a mail is given up, looking for its account included.
const DEADLINE: Duration = Duration::from_secs(30);

/// A mail to be written. No code stands in it: that is derived when the mail is.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) challenge: Challenge,
    pub(crate) requester: Requester,
    pub(crate) requested_at: Timestamp,
}

/// A bounded queue of mails, and who sends them.
pub(crate) struct Outbox {
    users: Arc<dyn Users>,
    mailer: Arc<dyn Mailer>,
    letters: Arc<dyn Letters>,
    keys: MacKeys,
    ambient: Ambient,
    room: usize,
    queue: Mutex<VecDeque<Job>>,
    filled: AtomicWaker,
    /// Held by the one that sends: the waker has room for one.
    sending: lock::Mutex<()>,
    /// Mails that have left the queue and are not settled yet.
    under_way: AtomicUsize,
}

impl Outbox {
    pub(crate) fn new(
        users: Arc<dyn Users>,
        mailer: Arc<dyn Mailer>,
        letters: Arc<dyn Letters>,
        keys: MacKeys,
        ambient: Ambient,
        room: usize,
    ) -> Self {
        Self {
            users,
            mailer,
            letters,
            keys,
            ambient,
            room,
            queue: Mutex::default(),
            filled: AtomicWaker::new(),
            sending: lock::Mutex::default(),
            under_way: AtomicUsize::new(0),
        }
    }

    /// Queues a mail; `false` if there is no room for it.
    pub(crate) fn put(&self, job: Job) -> bool {
        let mut queue = self.queue();
        let fits = queue.len() < self.room;
        if fits {
            queue.push_back(job);
        }
        drop(queue);
        self.filled.wake();
        fits
    }

    /// How many mails are not settled yet: queued, or being sent.
    pub(crate) fn unsettled(&self) -> usize {
        let queue = self.queue();
        queue.len() + self.under_way.load(Ordering::Acquire)
    }

    /// Sends what is queued, for ever.
    pub(crate) async fn run(&self) {
        let _alone = self.sending.lock().await;
        self.jobs()
            .for_each_concurrent(AT_ONCE, |job| self.deliver(job))
            .await;
    }

    fn jobs(&self) -> impl Stream<Item = Job> {
        stream::poll_fn(|context| {
            self.filled.register(context.waker());
            // Counted before the queue is let go, so that no mail is ever in neither.
            let mut queue = self.queue();
            match queue.pop_front() {
                Some(job) => {
                    self.under_way.fetch_add(1, Ordering::AcqRel);
                    Poll::Ready(Some(job))
                }
                None => Poll::Pending,
            }
        })
    }

    async fn deliver(&self, job: Job) {
        let _settled = Settled(&self.under_way);
        let clock = &self.ambient.clock;
        // Users, letters and mailer are the host's: one that panics costs its own mail, not the rest.
        let sending = pin::pin!(AssertUnwindSafe(self.send(&job)).catch_unwind());
        let outcome = match future::select(sending, clock.sleep(DEADLINE)).await {
            Either::Left((Ok(Some(())), _)) => Outcome::MailSent,
            Either::Left((Ok(None) | Err(_), _)) | Either::Right(_) => Outcome::MailFailed,
        };
        let event = AuthEvent::new(outcome, clock.now())
            .to(&job.challenge.email)
            .by(&job.requester);
        self.ambient.events.record(&event);
    }

    /// `None` where no mail went out: the account could not be looked up, the code is of no use any
    /// more, or the mailer failed.
    async fn send(&self, job: &Job) -> Option<()> {
        let address = &job.challenge.email;
        let user = self.users.find_by_email(address).await.ok()?;
        // A users table that folds more than case would answer somebody else's account.
        let has_account = user.is_some_and(|user| user.email == *address);
        let mail = self.compose(job, Occasion::of(job.challenge.purpose, has_account))?;
        self.mailer.send(&mail).await.ok()
    }

    fn compose(&self, job: &Job, occasion: Occasion) -> Option<Mail> {
        let challenge = &job.challenge;
        if challenge.expires_at <= self.ambient.clock.now() {
            return None;
        }
        let code = match occasion {
            Occasion::NoAccount => None,
            _ => Some(Code::derive(&self.keys, challenge)?),
        };
        let mail = self.letters.compose(&Letter {
            occasion,
            to: &challenge.email,
            code: code.as_ref(),
            expires_in: challenge.expires_at.since(job.requested_at),
            requested_at: job.requested_at,
            requester: &job.requester,
        });
        // Whatever the letters say, a code goes to the address that it proves.
        Some(Mail {
            to: challenge.email.clone(),
            ..mail
        })
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Job>> {
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
