//! A store in memory that counts its calls.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ps_apikey::{
    ApiKeyRecord, ApiKeyStore, KeyInserted, KeyPage, KeyPatch, KeyRotated, KeyUpdated, Listing,
    Replacement,
};
use ps_core::{AccountId, AccountVersion, KeyDigest, KeyId, SessionId, StoreResult, Timestamp};
use ps_memory::MemoryStore;
use ps_session::{Advance, End, FamilyDigest, Opened, SessionRecord, SessionStore, Which};

#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) inner: MemoryStore,
    calls: AtomicUsize,
}

impl Counted {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn count(&self) -> &MemoryStore {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }
}

#[async_trait]
impl ApiKeyStore for Counted {
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted> {
        self.count().insert(key, under, at_most, now).await
    }

    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        ApiKeyStore::find(self.count(), digests).await
    }

    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage> {
        ApiKeyStore::list(self.count(), account, which).await
    }

    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        self.count().update(account, id, patch, now).await
    }

    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated> {
        ApiKeyStore::rotate(self.count(), account, old, new, under, now).await
    }

    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        self.count().revoke(account, id, now).await
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        self.count().touch(used).await
    }
}

#[async_trait]
impl SessionStore for Counted {
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened> {
        self.count().open(session, replaces, at_most, now).await
    }

    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>> {
        SessionStore::find(self.count(), by).await
    }

    async fn rotate(
        &self,
        advance: &Advance,
        now: Timestamp,
    ) -> StoreResult<Option<SessionRecord>> {
        SessionStore::rotate(self.count(), advance, now).await
    }

    async fn end(&self, which: End<'_>, now: Timestamp) -> StoreResult<Option<Vec<SessionId>>> {
        self.count().end(which, now).await
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        SessionStore::purge(self.count(), before, at_most).await
    }

    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
        SessionStore::list(self.count(), account, now).await
    }
}
