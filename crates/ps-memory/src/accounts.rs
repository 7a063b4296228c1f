//! The accounts' own rows, and what a change of one means for the rows of every flow.

use async_trait::async_trait;
use ps_core::{
    AccountId, AccountVersion, Accounts, Raised, Standing, StoreResult, Timestamp, VerifiedEmail,
};

use crate::MemoryStore;

#[async_trait]
impl Accounts for MemoryStore {
    async fn standing(&self, id: &AccountId) -> StoreResult<Standing> {
        Ok(self.state().standing(id))
    }

    async fn claim(
        &self,
        id: &AccountId,
        _proof: &VerifiedEmail,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let mut state = self.state();
        if !state.is_enabled_at(id, under) {
            return Ok(Raised::Changed);
        }
        let (version, _) = state.overturn(id, None, now);
        let standing = state.accounts.entry(id.clone()).or_default();
        standing.proven_at.get_or_insert(now);
        state.revoke_keys(id, now);
        state.forget_credentials(id);
        Ok(Raised::To(version))
    }

    async fn disable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let mut state = self.state();
        let standing = state.accounts.entry(id.clone()).or_default();
        if standing.disabled_at.is_some() {
            return Ok(false);
        }
        standing.disabled_at = Some(now);
        state.overturn(id, None, now);
        state.announce_keys(id, now);
        Ok(true)
    }

    async fn enable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let mut state = self.state();
        let standing = state.accounts.entry(id.clone()).or_default();
        if standing.disabled_at.take().is_none() {
            return Ok(false);
        }
        state.announce_keys(id, now);
        Ok(true)
    }
}
