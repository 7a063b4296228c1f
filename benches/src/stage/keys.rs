//! API keys: many of them, and a service that remembers them.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_apikey::{
    AllowedAddresses, ApiKeyRecord, ApiKeyStore, ApiKeys, KeyInserted, KeyName, KeyPage, KeyPatch,
    KeyPolicy, KeyPrefix, KeyRotated, KeyUpdated, Listing, Replacement, Scopes,
};
use ps_core::{
    AccountId, AccountVersion, Ambient, Clock, Follower, KeyDigest, KeyId, Requester, StoreError,
    StoreResult, SystemClock, SystemRandom, Timestamp,
};
use ps_memory::MemoryStore;

use super::at_once;

/// The scope that every key here has.
pub const SCOPE: &str = "programs:read";

/// So many new keys.
#[must_use]
pub fn texts(how_many: usize) -> Vec<String> {
    let prefix = KeyPrefix::default();
    let texts = (0..how_many).map(|_| prefix.issue(&SystemRandom).expose().to_owned());
    texts.collect()
}

/// Keys one after the other in memory, as they come in with requests, in an order that has nothing to
/// do with the one that their records were made in.
#[derive(Debug)]
pub struct Sought(String);

/// How long a key is.
const LENGTH: usize = 41;

impl Sought {
    /// These, in another order.
    #[must_use]
    pub fn new(texts: &[String]) -> Self {
        let mut sorted: Vec<&str> = texts.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        Self(sorted.concat())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len() / LENGTH
    }

    /// The one at this place, again from the first after the last.
    #[must_use]
    pub fn at(&self, place: usize) -> &str {
        let from = place % self.count() * LENGTH;
        &self.0[from..from + LENGTH]
    }

    /// Looks for one key after the other. Each look waits for what the one before has found, as
    /// requests are too far apart for a processor to work on two at a time.
    pub fn each<'a>(&'a self, mut look: impl FnMut(&str) -> u64 + 'a) -> impl FnMut() + 'a {
        let (mut place, nothing) = (0usize, black_box(0));
        move || {
            let found = look(black_box(self.at(place)));
            place = place
                .wrapping_add(1)
                .wrapping_add((found & nothing) as usize);
        }
    }
}

/// How much room something bounded needs for so many keys: it is in parts, and none is filled exactly.
#[must_use]
pub fn room(keys: usize) -> usize {
    keys * 21 / 20 + 512
}

/// What is stored of a key: a 36-character account, two scopes, a network that it may be used from,
/// and an expiry that is far off.
///
/// # Panics
/// Never: all of it is valid.
#[must_use]
pub fn record(digest: KeyDigest, account: &AccountId) -> ApiKeyRecord {
    let now = SystemClock.now();
    ApiKeyRecord {
        id: KeyId::random(&SystemRandom),
        account: account.clone(),
        digest,
        hint: "ps_…abcd".to_owned(),
        name: KeyName::new("deploy").expect("a name"),
        scopes: Scopes::new([SCOPE, "programs:write"]).expect("scopes"),
        allowed_addresses: AllowedAddresses::parse(["203.0.113.0/24"]).expect("a network"),
        created_at: now,
        expires_at: Some(now.plus(Duration::from_secs(30 * 24 * 3_600))),
        last_used_at: None,
        revoked_at: None,
    }
}

/// An account's id as most applications make them: a UUID.
///
/// # Panics
/// Never: the text is a valid id.
#[must_use]
pub fn account(number: usize) -> AccountId {
    AccountId::new(format!("0190c0de-7000-7000-8000-{number:012x}")).expect("an id")
}

/// From where the keys are used.
#[must_use]
pub fn requester() -> Requester {
    Requester::new([203, 0, 113, 7].into())
}

/// A service, and the follower without which it trusts nothing that it remembers.
#[derive(Debug)]
pub struct Service {
    /// The service.
    pub keys: ApiKeys,
    follower: Follower,
    requester: Requester,
}

impl Service {
    /// On any store; it has room for so many keys.
    #[must_use]
    pub fn new(store: Arc<dyn ApiKeyStore>, room: usize) -> Self {
        let (feed, ambient) = (Arc::new(MemoryStore::new()), Ambient::default());
        let follower = Follower::new(feed, Arc::clone(&ambient.clock));
        let policy = KeyPolicy::default().with_remembered_keys(room);
        Self {
            keys: ApiKeys::new(store, follower.following(), policy, ambient),
            follower,
            requester: requester(),
        }
    }

    /// One that remembers all of these keys.
    ///
    /// # Panics
    /// Where one is refused.
    #[must_use]
    pub fn remembering(texts: &[String]) -> Self {
        let service = Self::new(Arc::new(Everything::default()), room(texts.len()));
        service.keep_trusting();
        for (place, text) in texts.iter().enumerate() {
            service.check(text);
            // The uses that wait are written before there is no more room for them.
            if place % 50_000 == 0 {
                service.keep_trusting();
            }
        }
        service.keep_trusting();
        service
    }

    /// Follows the feed, which is empty, and writes last uses: what a server does all the time beside
    /// its requests. Trust lasts for five seconds.
    ///
    /// # Panics
    /// Where the store does not answer at once, or fails.
    pub fn keep_trusting(&self) {
        at_once(self.keep_trusting_in_time());
    }

    /// The same on a store that takes its time.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn keep_trusting_in_time(&self) {
        self.keys.flush().await.expect("the store answers");
        self.follower.poll().await.expect("memory answers");
    }

    /// The whole call, and a scope; when the key expires.
    ///
    /// # Panics
    /// Where the key is refused, or the store asked.
    pub fn check(&self, text: &str) -> u64 {
        let caller = at_once(self.keys.authenticate(text, &self.requester)).expect("a live key");
        caller.require(SCOPE).expect("its scope");
        caller
            .key()
            .expires_at
            .map_or(0, |end| end.as_millis() as u64)
    }
}

/// A store that knows every key there could be, keeps none, and counts what it is asked.
#[derive(Debug, Default)]
pub struct Everything {
    finds: AtomicUsize,
    touched: AtomicUsize,
}

impl Everything {
    /// How many queries for keys there were.
    pub fn finds(&self) -> usize {
        self.finds.load(Ordering::SeqCst)
    }

    /// How many last uses were written.
    pub fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl ApiKeyStore for Everything {
    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        self.finds.fetch_add(1, Ordering::SeqCst);
        // As from a database: each has its account's name to itself.
        Ok(digests
            .iter()
            .map(|each| record(*each, &account(0)))
            .collect())
    }

    async fn insert(
        &self,
        _: &ApiKeyRecord,
        _: AccountVersion,
        _: u32,
        _: Timestamp,
    ) -> StoreResult<KeyInserted> {
        Err(nothing())
    }

    async fn list(&self, _: &AccountId, _: &Listing) -> StoreResult<KeyPage> {
        Err(nothing())
    }

    async fn update(
        &self,
        _: &AccountId,
        _: &KeyId,
        _: &KeyPatch,
        _: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        Err(nothing())
    }

    async fn rotate(
        &self,
        _: &AccountId,
        _: &KeyId,
        _: &Replacement,
        _: AccountVersion,
        _: Timestamp,
    ) -> StoreResult<KeyRotated> {
        Err(nothing())
    }

    async fn revoke(
        &self,
        _: &AccountId,
        _: &KeyId,
        _: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        Err(nothing())
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        self.touched.fetch_add(used.len(), Ordering::SeqCst);
        Ok(())
    }
}

fn nothing() -> StoreError {
    StoreError::new("this store keeps nothing")
}
