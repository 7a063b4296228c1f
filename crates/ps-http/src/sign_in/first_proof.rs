//! The first proof of a mailbox: the account is made, or claimed.

use ps_core::{
    AccountId, AccountVersion, AuthEvent, Outcome, Raised, Registered, Requester, Standing,
    StoreResult, VerifiedEmail,
};
use ps_session::SessionError;

use super::{Candidate, SignIn};

/// How often a sign-in judges again because another proof of the same mailbox came first.
const TRIES: usize = 3;

impl SignIn {
    /// The account with the proven address, made if there is none; whether it was.
    pub(super) async fn register(
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
    pub(super) async fn proven(
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
