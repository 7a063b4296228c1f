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
        self.drop_before(now.minus(KEPT).plus(Duration::from_millis(1)), u32::MAX);
        self.end = Cursor::new(self.end.number() + 1);
        self.entries.push_back((self.end, now, change));
    }

    fn drop_before(&mut self, before: Timestamp, at_most: u32) -> u32 {
        let old = self.entries.iter().take_while(|(_, at, _)| *at < before);
        let count = old.take(at_most as usize).count();
        self.entries.drain(..count);
        u32::try_from(count).unwrap_or(u32::MAX)
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

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        Ok(self.state().feed.drop_before(before, at_most))
    }

    async fn time(&self) -> StoreResult<Timestamp> {
        Ok(self.clock.now())
    }
}
