//! The feed of changes that other nodes follow.

use std::fmt;

use async_trait::async_trait;

use crate::{KeyDigest, SessionId, StoreResult, Timestamp};

/// A place in the feed. Places are handed out in the order of commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(u64);

impl Cursor {
    /// The place with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, as a store keeps it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What a follower drops from its memory: one row, never a whole account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key with this digest was revoked, disabled, edited, or belongs to an account that was.
    Key(KeyDigest),
    /// This session ended.
    Session(SessionId),
}

/// One feed of every flow's changes. Each change is entered in the transaction that makes it.
#[async_trait]
pub trait Changes: fmt::Debug + Send + Sync + 'static {
    /// The changes after `after`, oldest first, `at_most` of them.
    ///
    /// *Atomicity*: the order of numbers is the order of commits, so nothing that commits late can
    /// appear behind a place that was already read.
    async fn since(&self, after: Cursor, at_most: u32) -> StoreResult<Vec<(Cursor, Change)>>;

    /// For a node that starts: the end of the feed, and every session that ended at or after `start`.
    ///
    /// *Atomicity*: what ends later than this answer shows comes after its cursor.
    async fn ended_since(&self, start: Timestamp) -> StoreResult<(Cursor, Vec<SessionId>)>;

    /// Forgets at most `at_most` changes that were entered before `before`; how many it forgot.
    ///
    /// *Security*: a follower that missed ten minutes starts afresh, so nothing older is asked for.
    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32>;

    /// The store's own clock, for the readiness check and nothing else.
    async fn time(&self) -> StoreResult<Timestamp>;
}
