//! Everything that is stored, and what several ports do to it.

use std::collections::HashMap;

use ps_core::{AccountId, AccountVersion, LimitKey, Standing, Timestamp};

use crate::{changes::Feed, logs::Logs, users::UserTable};

/// What the lock guards.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) accounts: HashMap<AccountId, Standing>,
    #[cfg(feature = "magiccode")]
    pub(crate) challenges: crate::challenges::ChallengeTable,
    pub(crate) feed: Feed,
    #[cfg(feature = "apikey")]
    pub(crate) keys: crate::keys::KeyTable,
    pub(crate) limits: Logs<LimitKey>,
    #[cfg(feature = "session")]
    pub(crate) sessions: crate::sessions::SessionTable,
    pub(crate) users: UserTable,
}

impl State {
    /// The default for an account that has no row.
    pub(crate) fn standing(&self, account: &AccountId) -> Standing {
        self.accounts.get(account).copied().unwrap_or_default()
    }

    /// Whether what was proven at version `under` may still be acted on.
    pub(crate) fn is_enabled_at(&self, account: &AccountId, under: AccountVersion) -> bool {
        let standing = self.standing(account);
        standing.disabled_at.is_none() && standing.version == under
    }

    /// From here on nothing that was proven before may be acted on.
    pub(crate) fn raise(&mut self, account: &AccountId) -> AccountVersion {
        let standing = self.accounts.entry(account.clone()).or_default();
        standing.version = standing.version.next();
        standing.version
    }

    #[cfg_attr(not(feature = "session"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn end_sessions(&mut self, account: &AccountId, now: Timestamp) {
        #[cfg(feature = "session")]
        self.sessions.end_all(account, &mut self.feed, now);
    }

    #[cfg_attr(not(feature = "apikey"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn revoke_keys(&mut self, account: &AccountId, now: Timestamp) {
        #[cfg(feature = "apikey")]
        self.keys.revoke_all(account, &mut self.feed, now);
    }

    /// Lets every node look at the account's live keys again.
    #[cfg_attr(not(feature = "apikey"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn announce_keys(&mut self, account: &AccountId, now: Timestamp) {
        #[cfg(feature = "apikey")]
        self.keys.announce_live(account, &mut self.feed, now);
    }
}
