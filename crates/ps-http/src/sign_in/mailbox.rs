//! Signing in by showing to read the mailbox.

use ps_core::{Requester, User, VerifiedEmail};
use ps_session::{Method, OpenSession, RefreshToken, SessionError};

use super::{Candidate, SignIn};

/// A sign-in that succeeded.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) open: OpenSession,
    pub(crate) user: User,
    /// Whether the account was made by it.
    pub(crate) new: bool,
    /// Whether it was the first proof of the account's mailbox.
    pub(crate) first: bool,
}

impl SignIn {
    /// Signs in to the account that has the proven address, or makes it if `register`.
    ///
    /// # Errors
    /// [`SessionError::Denied`] where there is no account to sign in to or it is disabled,
    /// [`SessionError::AccountChanged`] where it changed meanwhile.
    pub(crate) async fn by_mailbox(
        &self,
        proof: &VerifiedEmail,
        candidate: Option<Candidate>,
        register: bool,
        method: Method,
        replaces: Option<&RefreshToken>,
        requester: &Requester,
    ) -> Result<SignedIn, SessionError> {
        let (candidate, new) = match candidate {
            Some(candidate) => (candidate, false),
            None if register => self.register(proof, requester).await?,
            None => return Err(SessionError::Denied),
        };
        let Candidate { user, standing } = candidate;
        let first = standing.proven_at.is_none();
        let version = self.proven(&user.id, proof, standing, requester).await?;
        let opening = self
            .sessions
            .open(&user.id, version, method, replaces, requester);
        Ok(SignedIn {
            open: opening.await?,
            user,
            new,
            first,
        })
    }
}
