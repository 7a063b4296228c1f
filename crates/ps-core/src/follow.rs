//! Following the feed, so that what one node changes every node soon knows.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::lock::Mutex;

use crate::{Change, Changes, Clock, Cursor, StoreResult, Timestamp};

/// How often the feed is asked.
const INTERVAL: Duration = Duration::from_millis(400);
/// How old the last good poll may be before memory is no longer trusted.
const TRUST: Duration = Duration::from_secs(5);
/// How long a gap may be before a follower starts afresh instead of reading what it missed.
const GAP: Duration = Duration::from_secs(600);
/// The longest life of an access token, and two minutes for clocks that differ.
const ENDED_WINDOW: Duration = Duration::from_secs(17 * 60);
const BATCH: u32 = 1_000;
/// How long the feed is kept, well over the longest gap that anybody reads up on.
const KEPT: Duration = Duration::from_secs(3_600);
/// How often the feed is purged.
const SWEEP: Duration = Duration::from_secs(600);

/// Something that remembers, and must forget when told.
pub trait FollowChanges: fmt::Debug + Send + Sync + 'static {
    /// One row changed at or before `now`. Must be quick and may be told twice.
    fn apply(&self, change: Change, now: Timestamp);

    /// What happened in between is not known any more: forget everything that a change could have made wrong.
    fn forget(&self);
}

/// Whether this node follows the feed closely enough to trust what it remembers.
///
/// Shared by the services that remember and the one [`Follower`] that feeds them. Before the
/// follower runs, and 5 s after it last succeeded, nothing is trusted and every check asks the store.
#[derive(Clone, Debug)]
pub struct Following(Arc<State>);

#[derive(Debug)]
struct State {
    good: AtomicI64,
    doubted: AtomicI64,
}

impl Default for Following {
    fn default() -> Self {
        let never = || AtomicI64::new(i64::MIN);
        Self(Arc::new(State {
            good: never(),
            doubted: never(),
        }))
    }
}

impl Following {
    /// Whether memory may be trusted at `now`.
    ///
    /// A clock that was set back makes it `false` until the next good poll.
    #[must_use]
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        let good = self.0.good.load(Ordering::Acquire);
        let since = now.as_millis().saturating_sub(good);
        good > self.0.doubted.load(Ordering::Acquire)
            && (0..=TRUST.as_millis() as i64).contains(&since)
    }

    /// A poll that began at `started` has applied all that was in the feed.
    fn succeeded(&self, started: Timestamp) {
        self.0.good.store(started.as_millis(), Ordering::Release);
    }

    /// Something committed that this node could not read back: trust nothing until a poll that
    /// begins after `now` has succeeded.
    fn doubt(&self, now: Timestamp) {
        self.0.doubted.fetch_max(now.as_millis(), Ordering::AcqRel);
    }
}

/// Polls the feed and tells those who remember. One serves a whole process; it is shared in an `Arc`.
#[derive(Debug)]
pub struct Follower {
    changes: Arc<dyn Changes>,
    clock: Arc<dyn Clock>,
    following: Following,
    told: RwLock<Vec<Arc<dyn FollowChanges>>>,
    /// The last place read, and when that poll began. `None` until the first.
    place: Mutex<Option<(Cursor, Timestamp)>>,
}

impl Follower {
    /// Follows `changes`, on behalf of nobody yet.
    #[must_use]
    pub fn new(changes: Arc<dyn Changes>, clock: Arc<dyn Clock>) -> Self {
        Self {
            changes,
            clock,
            following: Following::default(),
            told: RwLock::default(),
            place: Mutex::new(None),
        }
    }

    /// Whether what is remembered may be trusted: for the constructors of the services that remember.
    #[must_use]
    pub fn following(&self) -> Following {
        self.following.clone()
    }

    /// Tells `who` from now on. It must be told before [`run`](Self::run) begins.
    pub fn tell(&self, who: Arc<dyn FollowChanges>) {
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        told.push(who);
    }

    /// The store's own clock, for the readiness check.
    ///
    /// # Errors
    /// What the store said.
    pub async fn store_time(&self) -> StoreResult<Timestamp> {
        self.changes.time().await
    }

    /// Follows for ever, one indexed query every 400 ms, and purges the feed now and then. Dropping
    /// the future stops it, and 5 s later nothing remembered is trusted any more.
    pub async fn run(&self) {
        let mut swept = self.clock.now();
        loop {
            // A failed poll needs no handling of its own: the last good one grows old.
            let _ = self.poll().await;
            let now = self.clock.now();
            if now.since(swept) >= SWEEP {
                // Nor does a failed sweep: the next one comes.
                while let Ok(BATCH) = self.changes.purge(now.minus(KEPT), BATCH).await {}
                swept = now;
            }
            self.clock.sleep(INTERVAL).await;
        }
    }

    /// Reads everything that was in the feed when it was called.
    ///
    /// # Errors
    /// What the store said; what had been read by then is applied and will not be read again.
    pub async fn poll(&self) -> StoreResult<()> {
        let mut place = self.place.lock().await;
        let started = self.clock.now();
        let mut after = match *place {
            Some((cursor, last)) if started.since(last) <= GAP => cursor,
            _ => self.begin(started).await?,
        };
        loop {
            let batch = self.changes.since(after, BATCH).await?;
            for (cursor, change) in &batch {
                self.apply(*change, started);
                after = *cursor;
            }
            if batch.len() < BATCH as usize {
                break;
            }
        }
        *place = Some((after, started));
        self.following.succeeded(started);
        Ok(())
    }

    /// After a change that this node made itself and whose rows it does not know one by one: reads
    /// the feed at once, so that the change holds here before it is acknowledged. Where that fails,
    /// nothing remembered is trusted until a later poll succeeds.
    pub async fn catch_up(&self) {
        let now = self.clock.now();
        if self.following.is_trusted(now) && self.poll().await.is_err() {
            self.following.doubt(now);
        }
    }

    async fn begin(&self, started: Timestamp) -> StoreResult<Cursor> {
        self.each(|who| who.forget());
        let (cursor, ended) = self
            .changes
            .ended_since(started.minus(ENDED_WINDOW))
            .await?;
        for id in ended {
            self.apply(Change::Session(id), started);
        }
        Ok(cursor)
    }

    fn apply(&self, change: Change, now: Timestamp) {
        self.each(|who| who.apply(change, now));
    }

    fn each(&self, tell: impl Fn(&dyn FollowChanges)) {
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        told.iter().for_each(|who| tell(&**who));
    }
}
