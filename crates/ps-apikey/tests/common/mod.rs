//! A service over a store that counts, can be paused and can fail.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_apikey::{
    AllowedAddresses, ApiKey, ApiKeyError, ApiKeyRecord, ApiKeyStore, ApiKeys, Issued, KeyCaller,
    KeyInserted, KeyName, KeyPage, KeyPatch, KeyPolicy, KeyRotated, KeyUpdated, Listing, NewKey,
    Replacement, Scopes,
};
use ps_core::{
    AccountId, AccountVersion, Follower, KeyDigest, KeyId, Requester, StoreError, StoreResult,
    Timestamp,
};
use ps_memory::MemoryStore;
use ps_testkit::TestAmbient;
use tokio::sync::oneshot;

/// Passes everything on, and takes note.
#[derive(Debug, Default)]
pub struct Probe {
    pub inner: MemoryStore,
    pub reads: AtomicUsize,
    pub writes: AtomicUsize,
    pub failing: AtomicBool,
    pub panicking: AtomicBool,
    /// What each `find` asked for.
    pub asked: Mutex<Vec<Vec<KeyDigest>>>,
    /// How many `find`s are under way, and how many ever were at once.
    pub under_way: AtomicUsize,
    pub most_under_way: AtomicUsize,
    /// What the next `find`s wait at, with their answers already read.
    gates: Mutex<VecDeque<Gate>>,
}

#[derive(Debug)]
struct Gate {
    reached: oneshot::Sender<()>,
    open: oneshot::Receiver<()>,
}

impl Probe {
    /// Makes the next `find` wait, that is not made to wait yet. The first end tells when it does, the second lets it go on.
    pub fn pause(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (reached, is_reached) = oneshot::channel();
        let (let_go, open) = oneshot::channel();
        let gate = Gate { reached, open };
        self.gates.lock().unwrap().push_back(gate);
        (is_reached, let_go)
    }

    /// How many digests each `find` asked for.
    pub fn sizes(&self) -> Vec<usize> {
        self.asked.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// What is read is answered when the gate opens; a gate that is thrown away is broken.
    async fn wait(&self) -> StoreResult<()> {
        let gate = self.gates.lock().unwrap().pop_front();
        if let Some(gate) = gate {
            let _ = gate.reached.send(());
            let passed = gate.open.await;
            assert!(
                !self.panicking.load(Ordering::SeqCst),
                "a store that panics"
            );
            return passed.map_err(|_| StoreError::new("the database is gone"));
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    fn write(&self) -> StoreResult<()> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::new("the disk is full"));
        }
        Ok(())
    }
}

/// A `find` that has begun, until it ends or is given up.
struct UnderWay<'p>(&'p Probe);

impl<'p> UnderWay<'p> {
    fn begin(probe: &'p Probe) -> Self {
        let others = probe.under_way.fetch_add(1, Ordering::SeqCst);
        probe.most_under_way.fetch_max(others + 1, Ordering::SeqCst);
        Self(probe)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ApiKeyStore for Probe {
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted> {
        self.write()?;
        self.inner.insert(key, under, at_most, now).await
    }

    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().unwrap().push(digests.to_vec());
        let under_way = UnderWay::begin(self);
        let found = self.inner.find(digests).await;
        self.wait().await?;
        drop(under_way);
        found
    }

    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.list(account, which).await
    }

    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        self.write()?;
        self.inner.update(account, id, patch, now).await
    }

    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated> {
        self.write()?;
        self.inner.rotate(account, old, new, under, now).await
    }

    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        self.write()?;
        self.inner.revoke(account, id, now).await
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        self.write()?;
        self.inner.touch(used).await
    }
}

/// One node: a service, and the follower that feeds it.
pub struct Node {
    pub keys: Arc<ApiKeys>,
    pub follower: Arc<Follower>,
}

/// A node and what it stands on.
pub struct Bench {
    pub probe: Arc<Probe>,
    pub test: TestAmbient,
    pub node: Node,
}

impl Bench {
    /// A node that follows already.
    pub async fn new() -> Self {
        let probe = Arc::new(Probe::default());
        let test = TestAmbient::default();
        let node = node(&probe, &test);
        node.follower.poll().await.unwrap();
        Self { probe, test, node }
    }

    pub fn another_node(&self) -> Node {
        node(&self.probe, &self.test)
    }

    pub async fn issue(&self) -> Issued {
        self.issue_with(new_key()).await.unwrap()
    }

    pub async fn issue_for(&self, owner: &str) -> Issued {
        let (owner, version) = (AccountId::new(owner).unwrap(), AccountVersion::default());
        let keys = &self.node.keys;
        let issued = keys.issue(&owner, version, new_key(), &requester()).await;
        issued.unwrap()
    }

    pub async fn issue_with(&self, new: NewKey) -> Result<Issued, ApiKeyError> {
        let version = AccountVersion::default();
        self.node
            .keys
            .issue(&account(), version, new, &requester())
            .await
    }

    pub async fn revoke(&self, issued: &Issued) -> bool {
        let id = &issued.record.id;
        self.node
            .keys
            .revoke(&issued.record.account, id, &requester())
            .await
            .unwrap()
    }

    pub async fn shown(&self, issued: &Issued) -> ApiKeyRecord {
        let id = &issued.record.id;
        self.node.keys.read(&account(), id).await.unwrap().unwrap()
    }

    pub async fn refuses(&self, key: &ApiKey) -> bool {
        let requester = requester();
        let answer = self.node.keys.authenticate(key.expose(), &requester).await;
        matches!(answer, Err(ApiKeyError::Denied))
    }

    /// How many reads and writes reached the store while `act` went on.
    pub async fn calls<T>(&self, act: impl Future<Output = T>) -> (T, usize, usize) {
        let before = (self.reads(), self.writes());
        let answer = act.await;
        (answer, self.reads() - before.0, self.writes() - before.1)
    }

    fn reads(&self) -> usize {
        self.probe.reads.load(Ordering::SeqCst)
    }

    fn writes(&self) -> usize {
        self.probe.writes.load(Ordering::SeqCst)
    }
}

fn node(probe: &Arc<Probe>, test: &TestAmbient) -> Node {
    let ambient = test.ambient();
    let changes = Arc::new(probe.inner.clone());
    let follower = Arc::new(Follower::new(changes, Arc::clone(&ambient.clock)));
    let store: Arc<dyn ApiKeyStore> = Arc::clone(probe) as _;
    let keys = ApiKeys::new(store, follower.following(), KeyPolicy::default(), ambient);
    let keys = Arc::new(keys);
    follower.tell(Arc::clone(&keys) as _);
    Node { keys, follower }
}

impl Node {
    pub async fn authenticate(&self, issued: &Issued) -> Result<KeyCaller, ApiKeyError> {
        let requester = requester();
        let asking = self.keys.authenticate(issued.key.expose(), &requester);
        // Whoever waits for a lookup that is paused on purpose would wait for ever.
        let answer = tokio::time::timeout(Duration::from_secs(10), asking).await;
        answer.expect("nobody waits for a lookup that a change has cut off")
    }

    pub async fn accepts(&self, issued: &Issued) -> bool {
        self.authenticate(issued).await.is_ok()
    }
}

pub fn account() -> AccountId {
    AccountId::new("account").unwrap()
}

pub fn requester() -> Requester {
    Requester::new([203, 0, 113, 7].into())
}

pub fn new_key() -> NewKey {
    NewKey {
        name: KeyName::new("key").unwrap(),
        scopes: Scopes::default(),
        allowed_addresses: AllowedAddresses::default(),
        expires_at: None,
    }
}
