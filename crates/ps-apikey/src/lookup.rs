//! From a digest to what is known of the key: memory first, the store on a miss.

use std::{
    future::poll_fn,
    hash::{BuildHasher, Hasher},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use ps_core::{Change, FollowChanges, Following, KeyDigest, StoreResult, Timestamp};
use quick_cache::{
    OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle, PlaceholderGuard},
};

use crate::{ApiKeyRecord, ApiKeyStore, KeyTerms, batch::Batches};

/// A key as it was read from the store.
#[derive(Debug)]
pub(crate) struct KnownKey {
    pub(crate) terms: KeyTerms,
    /// When the read began: what committed later may be missing.
    read_at: Timestamp,
    /// The use that was noted last, in milliseconds; see `uses`.
    pub(crate) noted: AtomicI64,
}

impl KnownKey {
    pub(crate) fn new(record: ApiKeyRecord, read_at: Timestamp) -> Arc<Self> {
        let noted = record.last_used_at.map_or(i64::MIN, Timestamp::as_millis);
        Arc::new(Self {
            terms: record.into(),
            read_at,
            noted: AtomicI64::new(noted),
        })
    }
}

/// A bounded memory in front of the store.
///
/// **The fence.** A lookup that began before a change may neither fill the memory after it nor be
/// shared with a request that arrived after it. While a digest is looked up its place in the cache
/// is held by a placeholder, which those wait on who ask for the same digest. Whoever changes the
/// key removes that place after the commit and before the change is acknowledged: the lookup's own
/// insertion then finds its placeholder gone and fails, and whoever asks later starts a new one, which
/// joins no query that was sent before.
#[derive(Debug)]
pub(crate) struct Lookup {
    store: Batches,
    following: Following,
    known: Cache<KeyDigest, Arc<KnownKey>, UnitWeighter, DigestBits>,
    /// Digests that the store did not know, and when that was asked. Apart from the good ones, so
    /// that random keys cannot drive these out.
    unknown: Cache<KeyDigest, Timestamp, UnitWeighter, DigestBits>,
    /// How many changes there were: the fence of `unknown`, which has no placeholders.
    changes: AtomicU64,
    remembered_for: Duration,
}

/// The place of a key that is being looked up.
type Place<'a> = PlaceholderGuard<
    'a,
    KeyDigest,
    Arc<KnownKey>,
    UnitWeighter,
    DigestBits,
    DefaultLifecycle<KeyDigest, Arc<KnownKey>>,
>;

/// How many unknown digests are remembered, and for how long.
const UNKNOWN: usize = 10_000;
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

impl Lookup {
    pub(crate) fn new(
        store: Arc<dyn ApiKeyStore>,
        following: Following,
        capacity: usize,
        remembered_for: Duration,
    ) -> Self {
        Self {
            store: Batches::new(store),
            following,
            known: memory(capacity),
            unknown: memory(UNKNOWN),
            changes: AtomicU64::new(0),
            remembered_for,
        }
    }

    /// What is remembered of the key, where that may be trusted.
    pub(crate) fn remembered(&self, digest: &KeyDigest, now: Timestamp) -> Option<Arc<KnownKey>> {
        if !self.following.is_trusted(now) {
            return None;
        }
        self.known.get(digest).filter(|key| self.is_fresh(key, now))
    }

    /// What the store knows of a key that is not [remembered](Self::remembered): one lookup, shared by
    /// all who ask for the same digest meanwhile, in a query with other digests.
    pub(crate) async fn find(
        &self,
        digest: &KeyDigest,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<KnownKey>>> {
        if !self.following.is_trusted(now) {
            return self.store.find(digest, now).await;
        }
        loop {
            let (known, has_waited) = watched(self.known.get_value_or_guard_async(digest)).await;
            match known {
                Ok(key) if self.is_fresh(&key, now) => return Ok(Some(key)),
                // No change: what is looked up meanwhile is as good as before.
                Ok(old) => drop(self.known.remove_if(digest, |it| Arc::ptr_eq(it, &old))),
                Err(_) if self.is_unknown(digest, now) => return Ok(None),
                Err(place) => {
                    // Whoever had the place before has failed or hung up. All who waited for it ask
                    // together and share the answer: in turn, each would wait for the store by itself.
                    let place = (!has_waited).then_some(place);
                    return self.ask(digest, now, place).await;
                }
            }
        }
    }

    /// Asks the store, and remembers what it answers: a key where its place was kept.
    async fn ask(
        &self,
        digest: &KeyDigest,
        now: Timestamp,
        place: Option<Place<'_>>,
    ) -> StoreResult<Option<Arc<KnownKey>>> {
        let changes = self.changes.load(Ordering::SeqCst);
        let found = self.store.find(digest, now).await?;
        match (&found, place) {
            // Refused where the key was changed meanwhile: then nothing is remembered.
            (Some(key), Some(place)) => drop(place.insert(Arc::clone(key))),
            (Some(_), None) => {}
            // Before the place is given up, so that those who wait for it find it noted.
            (None, _place) => self.note_unknown(digest, now, changes),
        }
        Ok(found)
    }

    /// Drops what is remembered of the key, and any lookup of it that is under way.
    pub(crate) fn forget(&self, digest: &KeyDigest) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.remove(digest);
        self.unknown.remove(digest);
    }

    /// Unless something has changed since: it may have been this key.
    fn note_unknown(&self, digest: &KeyDigest, now: Timestamp, changes: u64) {
        self.unknown.insert(*digest, now);
        // In this order: whoever changes the key counts first and then removes what is noted.
        if self.changes.load(Ordering::SeqCst) != changes {
            self.unknown.remove(digest);
        }
    }

    fn is_fresh(&self, key: &KnownKey, now: Timestamp) -> bool {
        now.since(key.read_at) < self.remembered_for
    }

    fn is_unknown(&self, digest: &KeyDigest, now: Timestamp) -> bool {
        let asked = self.unknown.get(digest);
        asked.is_some_and(|asked| now.since(asked) < UNKNOWN_FOR)
    }
}

impl FollowChanges for Lookup {
    fn apply(&self, change: Change, _: Timestamp) {
        if let Change::Key(digest) = change {
            self.forget(&digest);
        }
    }

    fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.known.clear();
        self.unknown.clear();
    }
}

/// What a future comes to, and whether it had to be waited for.
async fn watched<F: Future>(future: F) -> (F::Output, bool) {
    let (mut future, mut has_waited) = (pin!(future), false);
    let output = poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        has_waited |= polled.is_pending();
        polled
    });
    (output.await, has_waited)
}

fn memory<V: Clone>(capacity: usize) -> Cache<KeyDigest, V, UnitWeighter, DigestBits> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(capacity)
        .weight_capacity(capacity as u64)
        .build()
        .expect("both capacities are given");
    Cache::with_options(options, UnitWeighter, DigestBits, Default::default())
}

/// A digest is uniformly random already, so eight of its bytes are its hash. The cache compares
/// all 32.
#[derive(Clone, Debug, Default)]
struct DigestBits;

impl BuildHasher for DigestBits {
    type Hasher = FirstEight;

    fn build_hasher(&self) -> FirstEight {
        FirstEight(0)
    }
}

struct FirstEight(u64);

impl Hasher for FirstEight {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    /// The length, which is always 32.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
