//! API keys, one row each.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use async_trait::async_trait;
use ps_apikey::{
    ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted, KeyPage, KeyPatch, KeyRotated, KeyUpdated,
    Listing, Replacement,
};
use ps_core::{
    AccountId, AccountVersion, Change, KeyDigest, KeyId, StoreError, StoreResult, Timestamp,
};

use crate::{MemoryStore, changes::Feed};

#[derive(Default)]
pub(crate) struct KeyTable {
    rows: HashMap<KeyId, ApiKeyRecord>,
    digests: HashMap<KeyDigest, KeyId>,
    /// In the order of lists, oldest first.
    of_account: HashMap<AccountId, BTreeSet<(Timestamp, KeyId)>>,
}

#[async_trait]
impl ApiKeyStore for MemoryStore {
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted> {
        let state = &mut *self.state();
        if !state.is_enabled_at(&key.account, under) {
            return Ok(KeyInserted::AccountChanged);
        }
        if !state.keys.has_room(&key.account, at_most, now) {
            return Ok(KeyInserted::Full);
        }
        if state.keys.is_taken(&key.id, &key.digest) {
            return Err(StoreError::new("a key of this id or digest exists"));
        }
        state.keys.insert(key.clone());
        Ok(KeyInserted::Done)
    }

    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        let state = self.state();
        let known = digests.iter().filter_map(|digest| {
            let row = &state.keys.rows[state.keys.digests.get(digest)?];
            let is_enabled = state.standing(&row.account).disabled_at.is_none();
            is_enabled.then(|| row.clone())
        });
        Ok(known.collect())
    }

    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage> {
        let state = self.state();
        Ok(match *which {
            Listing::One(id) => KeyPage {
                keys: Vec::from_iter(state.keys.find_of(account, &id).cloned()),
                next: None,
            },
            Listing::Page { after, limit } => state.keys.page(account, after, limit),
        })
    }

    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        let state = &mut *self.state();
        let Some(digest) = state.keys.find_of(account, id).map(|row| row.digest) else {
            return Ok(None);
        };
        state.keys.revoke(id, &mut state.feed, now, now);
        Ok(Some(digest))
    }

    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        let state = &mut *self.state();
        let Some(row) = state.keys.find_of(account, id) else {
            return Ok(KeyUpdated::NotFound);
        };
        if row.revoked_at.is_some() {
            return Ok(KeyUpdated::Revoked);
        }
        let row = patched(row, patch);
        state.feed.enter(Change::Key(row.digest), now);
        state.keys.rows.insert(row.id, row.clone());
        Ok(KeyUpdated::Done(Box::new(row)))
    }

    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated> {
        let state = &mut *self.state();
        if !state.is_enabled_at(account, under) {
            return Ok(KeyRotated::AccountChanged);
        }
        let Some(row) = state.keys.find_of(account, old) else {
            return Ok(KeyRotated::NotFound);
        };
        if !row.is_active(now) {
            return Ok(KeyRotated::Revoked);
        }
        if state.keys.is_taken(&new.id, &new.digest) {
            return Err(StoreError::new("a key of this id or digest exists"));
        }
        let record = ApiKeyRecord {
            id: new.id,
            digest: new.digest,
            hint: new.hint.clone(),
            created_at: now,
            last_used_at: None,
            ..row.clone()
        };
        let (digest, ends) = (row.digest, row.expires_at.unwrap_or(new.old_ends));
        state
            .keys
            .revoke(old, &mut state.feed, ends.min(new.old_ends), now);
        state.keys.insert(record.clone());
        Ok(KeyRotated::Done {
            new: Box::new(record),
            old: digest,
        })
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        let rows = &mut self.state().keys.rows;
        for (id, at) in used {
            if let Some(row) = rows.get_mut(id).filter(|row| !is_revoked(row, *at)) {
                row.last_used_at = row.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}

/// What an account's own changes do to its keys.
impl KeyTable {
    pub(crate) fn revoke_all(&mut self, account: &AccountId, feed: &mut Feed, now: Timestamp) {
        for id in self.ids_where(account, |row| !is_revoked(row, now)) {
            self.revoke(&id, feed, now, now);
        }
    }

    pub(crate) fn announce_live(&self, account: &AccountId, feed: &mut Feed, now: Timestamp) {
        let is_live = |row: &ApiKeyRecord| {
            !is_revoked(row, now) && row.expires_at.is_none_or(|end| now < end)
        };
        for id in self.ids_where(account, is_live) {
            feed.enter(Change::Key(self.rows[&id].digest), now);
        }
    }
}

impl KeyTable {
    fn has_room(&self, account: &AccountId, at_most: u32, now: Timestamp) -> bool {
        let all = self.of_account.get(account).map_or(0, BTreeSet::len);
        // Fewer keys than that need no counting of the active ones.
        all < at_most as usize
            || self.ids_where(account, |row| row.is_active(now)).len() < at_most as usize
    }

    fn insert(&mut self, key: ApiKeyRecord) {
        let of_account = self.of_account.entry(key.account.clone()).or_default();
        of_account.insert((key.created_at, key.id));
        self.digests.insert(key.digest, key.id);
        self.rows.insert(key.id, key);
    }

    fn find_of(&self, account: &AccountId, id: &KeyId) -> Option<&ApiKeyRecord> {
        self.rows.get(id).filter(|row| row.account == *account)
    }

    fn ids_where(&self, account: &AccountId, is: impl Fn(&ApiKeyRecord) -> bool) -> Vec<KeyId> {
        let all = self.of_account.get(account).into_iter().flatten();
        let ids = all.map(|(_, id)| *id);
        ids.filter(|id| is(&self.rows[id])).collect()
    }

    fn page(&self, account: &AccountId, after: Option<KeyCursor>, limit: u32) -> KeyPage {
        let before = match after {
            Some(last) => Bound::Excluded((last.created_at, last.id)),
            None => Bound::Unbounded,
        };
        let all = self.of_account.get(account).into_iter();
        let mut older = all.flat_map(|all| all.range((Bound::Unbounded, before)).rev());
        let shown = older.by_ref().take(limit as usize);
        let keys: Vec<_> = shown.map(|(_, id)| self.rows[id].clone()).collect();
        let last = keys.last().filter(|_| older.next().is_some());
        let next = last.map(|key| KeyCursor {
            created_at: key.created_at,
            id: key.id,
        });
        KeyPage { keys, next }
    }

    fn is_taken(&self, id: &KeyId, digest: &KeyDigest) -> bool {
        self.rows.contains_key(id) || self.digests.contains_key(digest)
    }

    fn revoke(&mut self, id: &KeyId, feed: &mut Feed, from: Timestamp, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(id) {
            row.revoked_at = Some(row.revoked_at.map_or(from, |earlier| earlier.min(from)));
            feed.enter(Change::Key(row.digest), now);
        }
    }
}

fn patched(row: &ApiKeyRecord, patch: &KeyPatch) -> ApiKeyRecord {
    let mut row = row.clone();
    if let Some(name) = &patch.name {
        row.name = name.clone();
    }
    if let Some(scopes) = &patch.scopes {
        row.scopes = scopes.clone();
    }
    if let Some(allowed) = &patch.allowed_addresses {
        row.allowed_addresses = allowed.clone();
    }
    if let Some(expires_at) = patch.expires_at {
        row.expires_at = expires_at;
    }
    row
}

fn is_revoked(row: &ApiKeyRecord, now: Timestamp) -> bool {
    row.revoked_at.is_some_and(|at| at <= now)
}
