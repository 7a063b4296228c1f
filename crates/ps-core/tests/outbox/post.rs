//! Mails of one word, and a post office that does with each try what it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use ps_core::{
    Draft, EmailAddress, Mail, MailError, Mailer, Outbox, Outcome, Requester, Timestamp, Unwritten,
};
use ps_testkit::TestAmbient;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Take,
    Refuse,
    Later,
    /// Takes it, and does not say so.
    Cut,
    Hang,
    /// Never ends, and asks to be polled again at once.
    Busy,
    Panic,
}

/// What was tried, in order: when, counted from the start in seconds, and which mail.
type Tries = Vec<(u64, String)>;

#[derive(Debug)]
pub(crate) struct Office {
    test: TestAmbient,
    start: Timestamp,
    acts: Mutex<BTreeMap<String, VecDeque<Act>>>,
    tries: Mutex<Tries>,
}

#[async_trait]
impl Mailer for Office {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let age = self.test.ambient().clock.now().since(self.start).as_secs();
        self.tries.lock().unwrap().push((age, mail.subject.clone()));
        let act = {
            let mut acts = self.acts.lock().unwrap();
            let acts = acts.get_mut(&mail.subject);
            acts.and_then(VecDeque::pop_front).unwrap_or(Act::Take)
        };
        match act {
            Act::Take => Ok(()),
            Act::Refuse => Err(MailError::Refused("no".into())),
            Act::Later => Err(MailError::Unavailable("later".into())),
            Act::Cut => Err(MailError::Unknown("cut".into())),
            Act::Hang => future::pending().await,
            Act::Busy => {
                future::poll_fn(|context| {
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await
            }
            Act::Panic => panic!("a mailer that panics"),
        }
    }
}

/// A mail of one word.
#[derive(Debug)]
pub(crate) struct Note {
    name: String,
    to: EmailAddress,
    requester: Requester,
    until: Timestamp,
    /// What its writing ends with; `None` for not at all.
    writes: Option<Result<(), Unwritten>>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Draft for Note {
    fn to(&self) -> &EmailAddress {
        &self.to
    }

    fn requester(&self) -> &Requester {
        &self.requester
    }

    fn until(&self) -> Timestamp {
        self.until
    }

    async fn write(&self) -> Result<Mail, Unwritten> {
        if self.broken.load(SeqCst) {
            match self.writes {
                None => future::pending().await,
                Some(written) => written?,
            }
        }
        Ok(Mail {
            to: self.to.clone(),
            subject: self.name.clone(),
            text: String::new(),
            html: None,
        })
    }
}

/// An outbox, and whoever sends for it.
pub(crate) struct Post {
    pub(crate) test: TestAmbient,
    pub(crate) office: Arc<Office>,
    pub(crate) outbox: Arc<Outbox>,
    /// Whether what [`Post::broken`] put in cannot be written.
    pub(crate) broken: Arc<AtomicBool>,
    sending: Option<JoinHandle<()>>,
}

impl Post {
    pub(crate) fn with_room(room: usize) -> Self {
        let test = TestAmbient::default();
        let office = Arc::new(Office {
            start: test.ambient().clock.now(),
            test: test.clone(),
            acts: Mutex::default(),
            tries: Mutex::default(),
        });
        let outbox = Outbox::new(Arc::clone(&office) as _, room, test.ambient());
        Self {
            test,
            office,
            outbox: Arc::new(outbox),
            broken: Arc::new(AtomicBool::new(true)),
            sending: None,
        }
    }

    /// Spawned, and with all that can be done done.
    pub(crate) async fn run(&mut self) {
        let outbox = Arc::clone(&self.outbox);
        self.sending = Some(tokio::spawn(async move { outbox.run().await }));
        idle().await;
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(sending) = self.sending.take() {
            sending.abort();
        }
        idle().await;
    }

    /// Puts in a mail that is of use for this many seconds, and with whose tries this is done.
    pub(crate) fn put(&self, name: &str, useful: u64, acts: &[Act]) -> bool {
        let acts = acts.iter().copied().collect();
        let mut all = self.office.acts.lock().unwrap();
        all.insert(name.to_owned(), acts);
        self.outbox.put(self.note(name, useful, Some(Ok(()))))
    }

    /// Puts in a mail whose writing ends like this.
    pub(crate) fn broken(&self, name: &str, writes: Option<Result<(), Unwritten>>) {
        assert!(self.outbox.put(self.note(name, 600, writes)));
    }

    fn note(&self, name: &str, useful: u64, writes: Option<Result<(), Unwritten>>) -> Note {
        let now = self.test.ambient().clock.now();
        Note {
            name: name.to_owned(),
            to: EmailAddress::parse("alice@example.com").unwrap(),
            requester: Requester::new([203, 0, 113, 7].into()),
            until: now.plus(Duration::from_secs(useful)),
            writes,
            broken: Arc::clone(&self.broken),
        }
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        for _ in 0..seconds {
            self.test.clock.advance(Duration::from_secs(1));
            idle().await;
        }
    }

    /// Since the last time.
    pub(crate) fn told(&self) -> Vec<Outcome> {
        self.test.events.take()
    }

    /// Since the last time.
    pub(crate) fn tries(&self) -> Tries {
        std::mem::take(&mut self.office.tries.lock().unwrap())
    }

    /// Which mails were tried since the last time.
    pub(crate) fn names(&self) -> Vec<String> {
        self.tries().into_iter().map(|(_, name)| name).collect()
    }
}

/// Long enough for every task that can go on to have gone on.
pub(crate) async fn idle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
