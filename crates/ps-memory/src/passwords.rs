//! Hashes of passwords, one for each account.

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Raised, SessionId, StoreResult, Timestamp};
use ps_password::{PasswordHash, PasswordStore};

use crate::MemoryStore;

#[async_trait]
impl PasswordStore for MemoryStore {
    async fn find(&self, account: &AccountId) -> StoreResult<Option<PasswordHash>> {
        Ok(self.state().passwords.get(account).cloned())
    }

    async fn replace(
        &self,
        account: &AccountId,
        new: &PasswordHash,
        keep: Option<&SessionId>,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let mut state = self.state();
        if !state.is_enabled_at(account, under) {
            return Ok(Raised::Changed);
        }
        if keep.is_some_and(|id| state.version_of_session(account, id, now) != Some(under)) {
            return Ok(Raised::Changed);
        }
        state.passwords.insert(account.clone(), new.clone());
        let (version, _) = state.overturn(account, keep, now);
        Ok(Raised::To(version))
    }

    async fn rehash(
        &self,
        account: &AccountId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> StoreResult<()> {
        if let Some(hash) = self.state().passwords.get_mut(account)
            && hash == from
        {
            *hash = to.clone();
        }
        Ok(())
    }
}
