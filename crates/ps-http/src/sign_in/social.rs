//! Signing in by a provider's word.

use std::time::Duration;

use ps_core::{AccountVersion, Requester, Standing, User, VerifiedEmail};
use ps_oauth::{Attempt, Holder, Intent, Profile, Removed, SocialError, SocialLogins, Weighed};
use ps_session::{FamilyDigest, Method, Once, SessionError};

use super::{Candidate, SignIn};

/// How often a sign-in judges again because the account changed under it.
const TRIES: usize = 5;
/// How long to wait for another registration of the same address to be done, and how young an
/// account is that may be in the middle of one.
const PAUSE: Duration = Duration::from_millis(50);
const YOUNG: Duration = Duration::from_secs(5);

/// What a sign-in by a provider came to.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) once: Once,
    pub(crate) user: User,
    /// Where the account stood before anything was done for it.
    pub(crate) standing: Standing,
    /// What its owner is told of, if anything is new.
    pub(crate) news: Option<News>,
}

/// What is new about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// An identity opens it from now on.
    Linked,
    /// It was made.
    Registered,
}

/// Why it came to nothing.
#[derive(Debug)]
pub(crate) enum Stranded {
    AccountDisabled,
    AccountChanged,
    CodeNeeded,
    EmailUnverified,
    IdentityRemoved,
    Session(SessionError),
    Social(SocialError),
}

impl From<SessionError> for Stranded {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::AccountChanged => Self::AccountChanged,
            SessionError::Denied => Self::AccountDisabled,
            other => Self::Session(other),
        }
    }
}

impl From<SocialError> for Stranded {
    fn from(error: SocialError) -> Self {
        match error {
            SocialError::AccountChanged | SocialError::IdentityInUse => Self::AccountChanged,
            SocialError::IdentityRemoved => Self::IdentityRemoved,
            other => Self::Social(other),
        }
    }
}

impl SignIn {
    /// Signs in whom a provider vouches for: to the account that the identity opens, or to the one
    /// that it may be linked to, or to a new one.
    ///
    /// Whatever changes in between (another sign-in registers the address, links the identity or
    /// claims the account) is seen by the next look, so two of a kind end in one account.
    pub(crate) async fn by_provider(
        &self,
        logins: &SocialLogins,
        profile: &Profile,
        attempt: &Attempt,
        requester: &Requester,
    ) -> Result<Landed, Stranded> {
        let mut stranded = Stranded::AccountChanged;
        for _ in 0..TRIES {
            match self.land(logins, profile, attempt, requester).await {
                Err(Stranded::AccountChanged) => stranded = Stranded::AccountChanged,
                Err(Stranded::CodeNeeded) => {
                    stranded = Stranded::CodeNeeded;
                    match self.rival(profile).await? {
                        Rival::Claims => self.ambient.clock.sleep(PAUSE).await,
                        Rival::HasClaimed => {}
                        Rival::None => return Err(stranded),
                    }
                }
                landed => return landed,
            }
        }
        Err(stranded)
    }

    async fn land(
        &self,
        logins: &SocialLogins,
        profile: &Profile,
        attempt: &Attempt,
        requester: &Requester,
    ) -> Result<Landed, Stranded> {
        let weighed = logins.weigh(profile, requester).await?;
        let (user, standing, under, news) = match weighed {
            Weighed::AccountDisabled => return Err(Stranded::AccountDisabled),
            Weighed::CodeNeeded => return Err(Stranded::CodeNeeded),
            Weighed::EmailUnverified => return Err(Stranded::EmailUnverified),
            Weighed::IdentityRemoved => return Err(Stranded::IdentityRemoved),
            Weighed::ClaimThenLink(holder, proof) => {
                let under = self
                    .proven(&holder.user.id, &proof, holder.standing, requester)
                    .await?;
                (holder.user, holder.standing, under, Some(News::Linked))
            }
            Weighed::Link(Holder { user, standing }) => {
                (user, standing, standing.version, Some(News::Linked))
            }
            Weighed::Register(proof) => {
                let (user, under) = self.made_for(&proof, requester).await?;
                (user, Standing::default(), under, Some(News::Registered))
            }
            Weighed::SignIn(Holder { user, standing }) => (user, standing, standing.version, None),
        };
        let is_new = news.is_some()
            && logins
                .link(&user.id, profile, Removed::Stays, under, requester)
                .await?;
        let once = self.opened(attempt, &user, under, requester).await?;
        Ok(Landed {
            once,
            user,
            standing,
            news: news.filter(|_| is_new),
        })
    }

    /// A new account for the proven address. Where there is one by now, it is weighed instead.
    async fn made_for(
        &self,
        proof: &VerifiedEmail,
        requester: &Requester,
    ) -> Result<(User, AccountVersion), Stranded> {
        let (candidate, new) = self
            .register(proof, requester)
            .await
            .map_err(SessionError::from)?;
        let Candidate { user, standing } = candidate;
        if !new {
            return Err(Stranded::AccountChanged);
        }
        let under = self.proven(&user.id, proof, standing, requester).await?;
        Ok((user, under))
    }

    async fn opened(
        &self,
        attempt: &Attempt,
        user: &User,
        under: AccountVersion,
        requester: &Requester,
    ) -> Result<Once, SessionError> {
        let replaces = match attempt.intent() {
            Intent::SignIn { replaces, .. } => replaces.map(FamilyDigest::from_bytes),
            Intent::Link { .. } => None,
        };
        let (reference, method) = (attempt.reference(), Method::Social);
        self.sessions
            .open_once(
                reference,
                &user.id,
                under,
                method,
                replaces.as_ref(),
                requester,
            )
            .await
    }

    /// What has become of the account that was in the way: it may be in the middle of somebody
    /// else's sign-in, which made it and has yet to claim it, or has claimed it by now.
    async fn rival(&self, profile: &Profile) -> Result<Rival, SessionError> {
        let Some(email) = profile.email() else {
            return Ok(Rival::None);
        };
        let now = self.ambient.clock.now();
        let candidate = self.candidate(email).await?;
        Ok(match candidate {
            Some(Candidate { user, standing }) if now.since(user.created_at) < YOUNG => {
                if standing.proven_at.is_some() {
                    Rival::HasClaimed
                } else {
                    Rival::Claims
                }
            }
            _ => Rival::None,
        })
    }
}

/// Another sign-in to the same address.
enum Rival {
    Claims,
    HasClaimed,
    None,
}
