//! The one place that turns a proof into an account, a session and an event.

use std::sync::Arc;

use ps_core::{
    AccountId, AccountVersion, Accounts, Ambient, AuthEvent, Follower, Outcome, Raised, Registered,
    Requester, Standing, StoreResult, User, Users, VerifiedEmail,
};
use ps_session::{Method, OpenSession, RefreshToken, SessionError, Sessions};

/// How often a sign-in judges again because another proof of the same mailbox came first.
const TRIES: usize = 3;

/// What a sign-in needs, whatever the proof.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) users: Arc<dyn Users>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) follower: Arc<Follower>,
    pub(crate) ambient: Ambient,
}

/// Who has the address, and where the account stood before the proof was checked.
#[derive(Debug)]
pub(crate) struct Candidate {
    user: User,
    standing: Standing,
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) open: OpenSession,
    pub(crate) user: User,
    /// Whether the account was made by it.
    pub(crate) new: bool,
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
        let version = self.proven(&user.id, proof, standing, requester).await?;
        let opening = self
            .sessions
            .open(&user.id, version, method, replaces, requester);
        Ok(SignedIn {
            open: opening.await?,
            user,
            new,
        })
    }

    async fn register(
        &self,
        proof: &VerifiedEmail,
        requester: &Requester,
    ) -> StoreResult<(Candidate, bool)> {
        let now = self.ambient.clock.now();
        match self.users.register(proof, now).await? {
            Registered::New(user) => {
                let event = AuthEvent::new(Outcome::AccountRegistered, now)
                    .of(&user.id)
                    .to(proof.address())
                    .by(requester);
                self.ambient.events.record(&event);
                let standing = Standing::default();
                Ok((Candidate { user, standing }, true))
            }
            Registered::Existing(user) => {
                let standing = self.accounts.standing(&user.id).await?;
                Ok((Candidate { user, standing }, false))
            }
        }
    }

    /// The version to open a session under. The first proof of a mailbox claims the account.
    async fn proven(
        &self,
        account: &AccountId,
        proof: &VerifiedEmail,
        mut standing: Standing,
        requester: &Requester,
    ) -> Result<AccountVersion, SessionError> {
        for _ in 0..TRIES {
            if standing.disabled_at.is_some() {
                return Err(SessionError::Denied);
            }
            if standing.proven_at.is_some() {
                return Ok(standing.version);
            }
            let now = self.ambient.clock.now();
            match self
                .accounts
                .claim(account, proof, standing.version, now)
                .await?
            {
                Raised::To(version) => {
                    self.follower.catch_up().await;
                    let event = AuthEvent::new(Outcome::AccountClaimed, now)
                        .of(account)
                        .to(proof.address())
                        .by(requester);
                    self.ambient.events.record(&event);
                    return Ok(version);
                }
                Raised::Changed => standing = self.accounts.standing(account).await?,
            }
        }
        Err(SessionError::AccountChanged)
    }
}
