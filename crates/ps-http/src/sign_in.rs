//! The one place that turns a proof into an account, a session and an event.

#[cfg(any(feature = "magiccode", feature = "password"))]
mod asked;
mod browser;
#[cfg(any(feature = "magiccode", feature = "oauth"))]
mod first_proof;
#[cfg(feature = "magiccode")]
mod mailbox;
#[cfg(feature = "oauth")]
mod social;

use std::sync::Arc;

use ps_core::{Accounts, Ambient, Follower, Standing, StoreResult, User, Users};
use ps_session::Sessions;

use crate::KnownBrowsers;

#[cfg(feature = "magiccode")]
pub(crate) use mailbox::SignedIn;
#[cfg(feature = "oauth")]
pub(crate) use social::{Landed, News, Stranded};

/// What a sign-in needs, whatever the proof.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) users: Arc<dyn Users>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) follower: Arc<Follower>,
    pub(crate) browsers: Option<Arc<KnownBrowsers>>,
    pub(crate) ambient: Ambient,
}

/// Who has the address, and where the account stood before the proof was checked.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) user: User,
    pub(crate) standing: Standing,
}

impl SignIn {
    /// The account with this address and its standing. Read *before* the proof is checked, so
    /// that a change of the account in between leaves the sign-in behind.
    pub(crate) async fn candidate(
        &self,
        email: &ps_core::EmailAddress,
    ) -> StoreResult<Option<Candidate>> {
        let user = self.users.find_by_email(email).await?;
        // A users table that folds more than the canonical form would hand over another's account.
        let Some(user) = user.filter(|user| user.email == *email) else {
            return Ok(None);
        };
        let standing = self.accounts.standing(&user.id).await?;
        Ok(Some(Candidate { user, standing }))
    }
}
