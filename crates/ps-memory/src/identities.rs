//! Identities at providers, one row each.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, StoreResult, Timestamp};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};

use crate::MemoryStore;

#[derive(Default)]
pub(crate) struct IdentityTable(BTreeMap<Identity, LinkedIdentity>);

#[async_trait]
impl IdentityStore for MemoryStore {
    async fn find(&self, identity: &Identity) -> StoreResult<Option<LinkedIdentity>> {
        Ok(self.state().identities.0.get(identity).cloned())
    }

    async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>> {
        let state = self.state();
        let mut linked: Vec<_> = state.identities.linked(account).cloned().collect();
        linked.sort_by_key(|row| row.linked_at);
        Ok(linked)
    }

    async fn link(
        &self,
        new: &LinkedIdentity,
        removed: Removed,
        under: AccountVersion,
    ) -> StoreResult<Linked> {
        let mut state = self.state();
        if !state.is_enabled_at(&new.account, under) {
            return Ok(Linked::AccountChanged);
        }
        let rows = &mut state.identities.0;
        match rows.get(&new.identity) {
            Some(row) if row.removed_at.is_none() => Ok(if row.account == new.account {
                Linked::Already
            } else {
                Linked::OfAnother
            }),
            Some(_) if removed == Removed::Stays => Ok(Linked::Removed),
            _ => {
                let row = LinkedIdentity {
                    removed_at: None,
                    ..new.clone()
                };
                rows.insert(new.identity.clone(), row);
                Ok(Linked::Done)
            }
        }
    }

    async fn unlink_unless_last(
        &self,
        account: &AccountId,
        provider: &str,
        configured: &[&str],
        has_password: bool,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Unlinked> {
        let mut state = self.state();
        if !state.is_enabled_at(account, under) {
            return Ok(Unlinked::AccountChanged);
        }
        let is_of = |row: &LinkedIdentity| row.identity.provider == provider;
        let (named, others): (Vec<_>, Vec<_>) =
            state.identities.linked(account).partition(|row| is_of(row));
        if named.is_empty() {
            return Ok(Unlinked::NotLinked);
        }
        let is_way_in = |row: &&LinkedIdentity| configured.contains(&&*row.identity.provider);
        if !has_password && !others.iter().any(is_way_in) {
            return Ok(Unlinked::Last);
        }
        for row in state
            .identities
            .linked_mut(account)
            .filter(|row| is_of(row))
        {
            row.removed_at = Some(now);
        }
        Ok(Unlinked::Done)
    }
}

/// What other ports ask of the identities.
impl IdentityTable {
    /// Removed ones too.
    pub(crate) fn forget_all(&mut self, account: &AccountId) {
        self.0.retain(|_, row| row.account != *account);
    }
}

impl IdentityTable {
    /// Those that open the account. Looks at every row.
    fn linked(&self, account: &AccountId) -> impl Iterator<Item = &LinkedIdentity> {
        let opens = |row: &&LinkedIdentity| row.account == *account && row.removed_at.is_none();
        self.0.values().filter(opens)
    }

    fn linked_mut(&mut self, account: &AccountId) -> impl Iterator<Item = &mut LinkedIdentity> {
        let opens = |row: &&mut LinkedIdentity| row.account == *account && row.removed_at.is_none();
        self.0.values_mut().filter(opens)
    }
}
