//! The feed of changes.

use std::{collections::VecDeque, time::Duration};

use async_trait::async_trait;
use ps_core::{Change, Changes, Cursor, SessionId, StoreResult, Timestamp};

use crate::MemoryStore;

/// A follower that missed ten minutes starts afresh, so nobody asks for anything as old as this.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// Changes in the order of their commits, which under one lock is the order of their entries.
#[derive(Default)]
pub(crate) struct Feed {
    end: Cursor,
    entries: VecDeque<(Cursor, Timestamp, Change)>,
}

#[cfg_attr(not(any(feature = "apikey", feature = "session")), allow(dead_code))]
impl Feed {
    pub(crate) fn enter(&mut self, change: Change, now: Timestamp) {
        while self
            .entries
            .front()
            .is_some_and(|(_, at, _)| at.plus(KEPT) <= now)
        {
            self.entries.pop_front();
        }
        self.end = Cursor::new(self.end.number() + 1);
        self.entries.push_back((self.end, now, change));
    }
}

#[async_trait]
impl Changes for MemoryStore {
    async fn since(&self, after: Cursor, at_most: u32) -> StoreResult<Vec<(Cursor, Change)>> {
        let entries = &self.state().feed.entries;
        let first = entries.partition_point(|(cursor, ..)| *cursor <= after);
        let batch = entries.range(first..).take(at_most as usize);
        Ok(batch
            .map(|(cursor, _, change)| (*cursor, *change))
            .collect())
    }

    #[cfg_attr(not(feature = "session"), allow(unused_variables))]
    async fn ended_since(&self, start: Timestamp) -> StoreResult<(Cursor, Vec<SessionId>)> {
        let state = self.state();
        #[cfg(feature = "session")]
        let ended = state.sessions.ended_since(start);
        #[cfg(not(feature = "session"))]
        let ended = Vec::new();
        Ok((state.feed.end, ended))
    }

    async fn time(&self) -> StoreResult<Timestamp> {
        Ok(self.clock.now())
    }
}
