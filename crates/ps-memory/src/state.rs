//! Everything that is stored, and what several ports do to it.

use std::collections::HashMap;

use ps_core::{AccountId, AccountVersion, LimitKey, SessionId, Standing, Timestamp};

use crate::{changes::Feed, logs::Logs, users::UserTable};

/// What the lock guards.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) accounts: HashMap<AccountId, Standing>,
    #[cfg(feature = "magiccode")]
    pub(crate) challenges: crate::challenges::ChallengeTable,
    pub(crate) feed: Feed,
    #[cfg(feature = "oauth")]
    pub(crate) identities: crate::identities::IdentityTable,
    #[cfg(feature = "apikey")]
    pub(crate) keys: crate::keys::KeyTable,
    pub(crate) limits: Logs<LimitKey>,
    #[cfg(feature = "password")]
    pub(crate) passwords: HashMap<AccountId, ps_password::PasswordHash>,
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

    /// From here on nothing that was proven before may be acted on: raises the version and ends the
    /// account's live sessions, all but `kept`, which is carried to it. Answers the version and who
    /// ended.
    #[cfg_attr(not(feature = "session"), allow(unused_variables))]
    pub(crate) fn overturn(
        &mut self,
        account: &AccountId,
        kept: Option<&SessionId>,
        now: Timestamp,
    ) -> (AccountVersion, Vec<SessionId>) {
        let standing = self.accounts.entry(account.clone()).or_default();
        let version = standing.version.next();
        standing.version = version;
        #[cfg(feature = "session")]
        let ended = (self.sessions).end_others(account, kept, version, &mut self.feed, now);
        #[cfg(not(feature = "session"))]
        let ended = Vec::new();
        (version, ended)
    }

    /// The version that the account's live session is at.
    #[cfg(feature = "password")]
    #[cfg_attr(not(feature = "session"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn version_of_session(
        &self,
        account: &AccountId,
        id: &SessionId,
        now: Timestamp,
    ) -> Option<AccountVersion> {
        #[cfg(feature = "session")]
        {
            let session = self.sessions.find_alive_of(account, id, now);
            session.map(|row| row.version)
        }
        #[cfg(not(feature = "session"))]
        {
            None
        }
    }

    /// Forgets the other ways into the account: its password and its identities.
    #[cfg_attr(
        not(any(feature = "oauth", feature = "password")),
        allow(unused_variables, clippy::unused_self)
    )]
    pub(crate) fn forget_credentials(&mut self, account: &AccountId) {
        #[cfg(feature = "oauth")]
        self.identities.forget_all(account);
        #[cfg(feature = "password")]
        self.passwords.remove(account);
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
