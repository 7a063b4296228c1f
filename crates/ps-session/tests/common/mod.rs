//! A service on a store in memory, and a store that can be watched and disturbed.

#![allow(dead_code, unreachable_pub)] // each suite uses some of it

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Follower, Outcome, Raised, Requester,
    RootSecret, RootSecrets, StoreError, StoreResult, Timestamp, VerifiedEmail,
};
use ps_memory::MemoryStore;
use ps_session::{
    Advance, End, FamilyDigest, IdempotencyKey, Method, OpenSession, Opened, RefreshError,
    SessionError, SessionPolicy, SessionRecord, SessionStore, Sessions, Which,
};
use ps_testkit::TestAmbient;
use tokio::sync::Barrier;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const ISSUER: &str = "https://app.example";

/// One node, and the store that it may share with others.
pub struct Node {
    pub store: Arc<Watched>,
    pub sessions: Arc<Sessions>,
    pub follower: Follower,
    pub around: TestAmbient,
}

impl Node {
    pub fn new() -> Self {
        Self::with_policy(SessionPolicy::default())
    }

    pub fn with_policy(policy: SessionPolicy) -> Self {
        Self::on(Arc::default(), TestAmbient::default(), policy)
    }

    /// Another node on the same store, at the same time.
    pub fn beside(&self) -> Self {
        let (store, around) = (Watched::on(&self.store), self.around.clone());
        Self::on(Arc::new(store), around, SessionPolicy::default())
    }

    fn on(store: Arc<Watched>, around: TestAmbient, policy: SessionPolicy) -> Self {
        let changes = Arc::new(store.inner.clone());
        let follower = Follower::new(changes, Arc::new(around.clock.clone()));
        let sessions = Arc::new(Sessions::new(
            store.clone(),
            Arc::new(store.inner.clone()),
            &roots(),
            ISSUER,
            follower.following(),
            policy,
            around.ambient(),
        ));
        follower.tell(sessions.clone());
        Self {
            store,
            sessions,
            follower,
            around,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.around.ambient().clock.now()
    }

    pub fn advance(&self, span: Duration) {
        self.around.clock.advance(span);
    }

    /// A sign-in at the account's version of this moment.
    pub async fn sign_in(&self, account: &AccountId) -> OpenSession {
        let under = self.version(account).await;
        self.open(account, under).await.unwrap()
    }

    pub async fn open(
        &self,
        account: &AccountId,
        under: AccountVersion,
    ) -> Result<OpenSession, SessionError> {
        let method = Method::MagicCode;
        self.sessions
            .open(account, under, method, None, &browser())
            .await
    }

    pub async fn version(&self, account: &AccountId) -> AccountVersion {
        let standing = self.store.inner.standing(account).await;
        standing.unwrap().version
    }

    /// Presents a refresh token as its client keeps it.
    pub async fn refresh(
        &self,
        token: &str,
        key: Option<&str>,
    ) -> Result<OpenSession, RefreshError> {
        let token = self.sessions.read_refresh(token)?;
        let key = key.map(|key| IdempotencyKey::parse(key).unwrap());
        self.sessions
            .refresh(&token, key.as_ref(), &browser())
            .await
    }

    /// Whether an access token opens anything.
    pub async fn admits(&self, open: &OpenSession) -> bool {
        match self
            .sessions
            .authenticate(open.access.expose(), &browser())
            .await
        {
            Ok(caller) => {
                assert_eq!(caller.session, open.record.id);
                assert_eq!(caller.account, open.record.account);
                true
            }
            Err(SessionError::Denied) => false,
            Err(other) => panic!("{other}"),
        }
    }

    /// The session's row.
    pub async fn row(&self, open: &OpenSession) -> SessionRecord {
        let id = Which::Id(&open.record.id);
        self.store.inner.find(id).await.unwrap().unwrap()
    }

    /// How many sessions of the account are alive.
    pub async fn alive(&self, account: &AccountId) -> usize {
        self.sessions.list(account).await.unwrap().len()
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.around.events.take()
    }
}

pub fn roots() -> RootSecrets {
    RootSecrets::new([root(1)]).unwrap()
}

pub fn root(first: u8) -> RootSecret {
    RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap()
}

pub fn browser() -> Requester {
    Requester::new([203, 0, 113, 7].into()).with_user_agent("Browser/1.0")
}

/// An account whose mailbox is proven.
pub async fn account(node: &Node, name: &str) -> AccountId {
    let account = AccountId::new(name).unwrap();
    let under = node.version(&account).await;
    let claimed = node
        .store
        .inner
        .claim(&account, &proof(), under, node.now())
        .await;
    assert!(matches!(claimed.unwrap(), Raised::To(_)));
    account
}

#[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
fn proof() -> VerifiedEmail {
    let address = EmailAddress::parse("alice@example.com").unwrap();
    VerifiedEmail::danger_proven(address, Timestamp::from_millis(0))
}

/// Lets `tasks` tasks act at once, and answers what each got.
pub async fn race<T, F>(tasks: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(tasks));
    let begin = |number| {
        let (start, act) = (start.clone(), act(number));
        tokio::spawn(async move {
            start.wait().await;
            act.await
        })
    };
    let running: Vec<_> = (0..tasks).map(begin).collect();
    let mut answers = Vec::with_capacity(tasks);
    for task in running {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Counts what is asked of a store, and fails where it is told to.
#[derive(Debug, Default)]
pub struct Watched {
    pub inner: MemoryStore,
    pub calls: AtomicUsize,
    /// How many rotations to come find that the row has moved, as a database may say of a row that
    /// another transaction is just writing.
    pub missed_rotations: AtomicUsize,
    /// How many ends to come fail.
    pub failing_ends: AtomicUsize,
}

impl Watched {
    pub fn on(other: &Self) -> Self {
        Self {
            inner: other.inner.clone(),
            ..Self::default()
        }
    }

    /// How many calls there were since this was last asked.
    pub fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

fn take_one(counter: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

#[async_trait]
impl SessionStore for Watched {
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened> {
        self.count();
        self.inner.open(session, replaces, at_most, now).await
    }

    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>> {
        self.count();
        self.inner.find(by).await
    }

    async fn rotate(
        &self,
        advance: &Advance,
        now: Timestamp,
    ) -> StoreResult<Option<SessionRecord>> {
        self.count();
        if take_one(&self.missed_rotations) {
            return Ok(None);
        }
        self.inner.rotate(advance, now).await
    }

    async fn end(
        &self,
        which: End<'_>,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<ps_core::SessionId>>> {
        self.count();
        if take_one(&self.failing_ends) {
            return Err(StoreError::new("out of reach"));
        }
        self.inner.end(which, now).await
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        self.count();
        SessionStore::purge(&self.inner, before, at_most).await
    }

    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
        self.count();
        self.inner.list(account, now).await
    }
}
