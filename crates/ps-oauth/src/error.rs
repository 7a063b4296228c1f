//! Why nobody was signed in, and nothing linked or unlinked.

use std::error::Error;

use ps_core::{Outcome, Refusal, StoreError};

use crate::{Attempt, failure::ProviderError};

/// Why a sign-in or a link by a provider came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocialError {
    /// The person called it off at the provider.
    #[error("access was denied at the provider")]
    AccessDenied,
    /// The account was overturned, or disabled, while the attempt was under way.
    #[error("the account was changed meanwhile")]
    AccountChanged,
    /// The callback does not belong to an attempt of this browser that may still be completed:
    /// there is none, it is too old, forged, another's or another provider's. Which of them stands
    /// only in the event.
    #[error("there is no such attempt in this browser")]
    AttemptInvalid,
    /// The identity opens another account.
    #[error("the identity opens another account")]
    IdentityInUse,
    /// The owner removed the identity, and did not ask for it by name.
    #[error("the identity was removed by its owner")]
    IdentityRemoved,
    /// What the provider said of the person is not good: forged, or meant for somebody else. The
    /// reason is its source.
    #[error("the provider's word is not good")]
    IdTokenInvalid(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// The provider does not take the code, or no longer: as when the same callback comes twice. If
    /// a session was opened under the attempt's reference, that is the answer.
    #[error("the provider does not take the code")]
    InvalidGrant,
    /// The provider answered, and said no.
    #[error("the provider refused")]
    ProviderError(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// The provider did not answer, or nothing that could be understood: try again later.
    #[error("the provider is out of service")]
    ProviderUnavailable(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// The store could not answer: nothing was decided.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No provider of that name is configured.
    #[error("there is no such provider")]
    UnknownProvider,
}

impl SocialError {
    /// What the event tells; `None` where nothing was judged.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let why = match self {
            Self::AccessDenied => Refusal::Cancelled,
            Self::AccountChanged => Refusal::AccountChanged,
            Self::AttemptInvalid | Self::IdTokenInvalid(_) => Refusal::Wrong,
            Self::IdentityInUse => Refusal::OfAnother,
            Self::IdentityRemoved => Refusal::Removed,
            Self::InvalidGrant => Refusal::Spent,
            Self::ProviderError(_) | Self::ProviderUnavailable(_) => Refusal::ProviderFailed,
            Self::Store(_) => return None,
            Self::UnknownProvider => Refusal::Unknown,
        };
        Some(Outcome::SocialRefused(why))
    }
}

impl From<ProviderError> for SocialError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::InvalidGrant => Self::InvalidGrant,
            ProviderError::InvalidIdToken(why) => Self::IdTokenInvalid(why.into()),
            refused @ ProviderError::Refused(_) => Self::ProviderError(refused.into()),
            ProviderError::Unavailable(why) => Self::ProviderUnavailable(why.into()),
        }
    }
}

/// Why a callback is not worth an exchange. Its attempt's cookie has served.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
#[non_exhaustive]
pub struct CallbackError {
    /// Why: [`AccessDenied`](SocialError::AccessDenied),
    /// [`AttemptInvalid`](SocialError::AttemptInvalid),
    /// [`ProviderError`](SocialError::ProviderError) or
    /// [`UnknownProvider`](SocialError::UnknownProvider).
    pub why: SocialError,
    /// The attempt, where the callback brought back its state: it says whose page the answer goes
    /// to.
    pub attempt: Option<Box<Attempt>>,
    pub(crate) refusal: Refusal,
}

/// Why nothing was unlinked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlinkError {
    /// The account was overturned, or disabled, meanwhile.
    #[error("the account was changed meanwhile")]
    AccountChanged,
    /// It is the last way into the account.
    #[error("it is the last way into the account")]
    Last,
    /// The account has no identity of that provider.
    #[error("the account has no identity of that provider")]
    NotLinked,
    /// The store could not answer: nothing was decided.
    #[error(transparent)]
    Store(#[from] StoreError),
}
