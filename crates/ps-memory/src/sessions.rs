//! Sessions, one row each.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Change, SessionId, StoreError, StoreResult, Timestamp};
use ps_session::{Advance, End, FamilyDigest, Opened, SessionRecord, SessionStore, Which};

use crate::{MemoryStore, changes::Feed};

#[derive(Default)]
pub(crate) struct SessionTable {
    rows: HashMap<SessionId, SessionRecord>,
    families: HashMap<FamilyDigest, SessionId>,
    /// In the order of opening.
    of_account: HashMap<AccountId, Vec<SessionId>>,
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened> {
        let state = &mut *self.state();
        if !state.is_enabled_at(&session.account, session.version) {
            return Ok(Opened::AccountChanged);
        }
        let (sessions, feed) = (&mut state.sessions, &mut state.feed);
        if let Some(exists) = sessions.find(Which::Family(&session.family)) {
            return Ok(Opened::Exists(Box::new(exists.clone())));
        }
        if sessions.rows.contains_key(&session.id) {
            return Err(StoreError::new("a session of this id exists"));
        }
        let replaced = replaces.and_then(|old| sessions.find_alive(Which::Family(old), now));
        let mut ended: Vec<SessionId> = replaced.map(|old| old.id).into_iter().collect();
        sessions.end(&ended, feed, now);
        let idlest = sessions.idlest_beyond(at_most, &session.account, now);
        sessions.end(&idlest, feed, now);
        ended.extend(idlest);
        sessions.insert(session.clone());
        Ok(Opened::Done { ended })
    }

    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>> {
        Ok(self.state().sessions.find(by).cloned())
    }

    async fn rotate(
        &self,
        advance: &Advance,
        now: Timestamp,
    ) -> StoreResult<Option<SessionRecord>> {
        let state = &mut *self.state();
        let family = Which::Family(&advance.family);
        let Some(head) = state.sessions.find_alive(family, now) else {
            return Ok(None);
        };
        if head.generation != advance.generation
            || !state.is_enabled_at(&head.account, head.version)
        {
            return Ok(None);
        }
        let id = head.id;
        Ok(state.sessions.rows.get_mut(&id).map(|row| {
            row.generation += 1;
            row.rotation_key_before = row.rotation_key.take();
            row.rotation_key = advance.key;
            row.refreshed_at = now;
            row.idle_ends_at = advance.idle_ends_at;
            row.clone()
        }))
    }

    async fn end(&self, which: End<'_>, now: Timestamp) -> StoreResult<Option<Vec<SessionId>>> {
        let state = &mut *self.state();
        let named = match which {
            End::All(account) => return Ok(Some(state.overturn(account, None, now).1)),
            End::Family(family) => state.sessions.find_alive(Which::Family(family), now),
            End::One(account, id) => state.sessions.find_alive_of(account, id, now),
            End::Others(account, asking) => {
                let asks = state.sessions.find_alive_of(account, asking, now);
                if !asks.is_some_and(|row| state.is_enabled_at(account, row.version)) {
                    return Ok(None);
                }
                return Ok(Some(state.overturn(account, Some(asking), now).1));
            }
        };
        let Some(id) = named.map(|row| row.id) else {
            return Ok(None);
        };
        state.sessions.end(&[id], &mut state.feed, now);
        Ok(Some(vec![id]))
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        Ok(self.state().sessions.drop_before(before, at_most))
    }

    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
        let state = self.state();
        let mut alive: Vec<_> = state.sessions.alive(account, now).cloned().collect();
        alive.sort_by_key(|row| Reverse(row.refreshed_at));
        Ok(alive)
    }
}

/// What other ports ask of the sessions.
impl SessionTable {
    /// Ends the account's live sessions, all but `kept`, which is carried to `version`.
    pub(crate) fn end_others(
        &mut self,
        account: &AccountId,
        kept: Option<&SessionId>,
        version: AccountVersion,
        feed: &mut Feed,
        now: Timestamp,
    ) -> Vec<SessionId> {
        if let Some(row) = kept.and_then(|id| self.rows.get_mut(id)) {
            row.version = version;
        }
        let alive = self.alive(account, now).map(|row| row.id);
        let others: Vec<_> = alive.filter(|id| Some(id) != kept).collect();
        self.end(&others, feed, now);
        others
    }

    pub(crate) fn find_alive_of(
        &self,
        account: &AccountId,
        id: &SessionId,
        now: Timestamp,
    ) -> Option<&SessionRecord> {
        self.find_alive(Which::Id(id), now)
            .filter(|row| row.account == *account)
    }

    /// Looks at every row, which a node does once, when it starts.
    pub(crate) fn ended_since(&self, start: Timestamp) -> Vec<SessionId> {
        let ended = |row: &&SessionRecord| row.ended_at.is_some_and(|at| start <= at);
        self.rows.values().filter(ended).map(|row| row.id).collect()
    }
}

impl SessionTable {
    fn find(&self, by: Which<'_>) -> Option<&SessionRecord> {
        match by {
            Which::Family(family) => self.rows.get(self.families.get(family)?),
            Which::Id(id) => self.rows.get(id),
        }
    }

    fn find_alive(&self, by: Which<'_>, now: Timestamp) -> Option<&SessionRecord> {
        self.find(by).filter(|row| row.is_alive(now))
    }

    /// The account's live sessions, in the order of opening.
    fn alive(&self, account: &AccountId, now: Timestamp) -> impl Iterator<Item = &SessionRecord> {
        let all = self.of_account.get(account).into_iter().flatten();
        all.map(|id| &self.rows[id])
            .filter(move |row| row.is_alive(now))
    }

    /// Those that must end so that with one more at most `at_most` are alive.
    fn idlest_beyond(&self, at_most: u32, account: &AccountId, now: Timestamp) -> Vec<SessionId> {
        let mut alive: Vec<_> = self.alive(account, now).collect();
        alive.sort_by_key(|row| row.refreshed_at);
        let too_many = (alive.len() + 1).saturating_sub(at_most as usize);
        alive.iter().take(too_many).map(|row| row.id).collect()
    }

    fn insert(&mut self, session: SessionRecord) {
        let of_account = self.of_account.entry(session.account.clone()).or_default();
        of_account.push(session.id);
        self.families.insert(session.family, session.id);
        self.rows.insert(session.id, session);
    }

    /// Ends each, which the caller has found alive.
    fn end(&mut self, ids: &[SessionId], feed: &mut Feed, now: Timestamp) {
        for id in ids {
            if let Some(row) = self.rows.get_mut(id) {
                row.ended_at = Some(now);
                feed.enter(Change::Session(*id), now);
            }
        }
    }

    /// Drops at most `at_most` sessions that ended or expired before `before`. Looks at every row.
    fn drop_before(&mut self, before: Timestamp, at_most: u32) -> u32 {
        let old = self.rows.values().filter(|row| over_since(row) < before);
        let old: Vec<_> = old.take(at_most as usize).map(|row| row.id).collect();
        for id in &old {
            self.drop(id);
        }
        u32::try_from(old.len()).unwrap_or(u32::MAX)
    }

    fn drop(&mut self, id: &SessionId) {
        let Some(row) = self.rows.remove(id) else {
            return;
        };
        self.families.remove(&row.family);
        if let Some(of_account) = self.of_account.get_mut(&row.account) {
            of_account.retain(|other| other != id);
            if of_account.is_empty() {
                self.of_account.remove(&row.account);
            }
        }
    }
}

/// When it ended, or will expire.
fn over_since(row: &SessionRecord) -> Timestamp {
    row.ended_at.unwrap_or_else(|| row.expires_at())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ps_core::SystemRandom;
    use ps_session::Method;

    use super::*;

    /// A session that nobody refreshes for an hour.
    fn session(number: u8, now: Timestamp) -> SessionRecord {
        SessionRecord {
            id: SessionId::random(&SystemRandom),
            account: AccountId::new("a").unwrap(),
            version: AccountVersion::default(),
            family: FamilyDigest::from_bytes([number; 32]),
            generation: 0,
            rotation_key: None,
            rotation_key_before: None,
            method: Method::MagicCode,
            authenticated_at: now,
            refreshed_at: now,
            idle_ends_at: now.plus(Duration::from_secs(60 * 60)),
            ends_at: now.plus(Duration::from_secs(24 * 60 * 60)),
            ended_at: None,
            network: "192.0.2.0/24".to_owned(),
            user_agent: None,
        }
    }

    #[tokio::test]
    async fn what_is_purged_leaves_nothing_behind() {
        let store = MemoryStore::new();
        let now = Timestamp::from_seconds(0);
        for number in 0..15 {
            let opened = store.open(&session(number, now), None, 20, now).await;
            assert_eq!(opened.unwrap(), Opened::Done { ended: Vec::new() });
        }
        let over = now.plus(Duration::from_secs(60 * 60));
        assert_eq!(store.purge(over, 100).await.unwrap(), 0);
        for purged in [10, 5, 0] {
            let later = over.plus(Duration::from_millis(1));
            assert_eq!(store.purge(later, 10).await.unwrap(), purged);
        }
        let sessions = &store.state().sessions;
        assert!(sessions.rows.is_empty() && sessions.families.is_empty());
        assert!(sessions.of_account.is_empty());
    }
}
