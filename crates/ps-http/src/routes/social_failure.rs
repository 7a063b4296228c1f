//! Why a callback signed nobody in, as the page that it ends on is told.

use ps_core::StoreError;
use ps_oauth::SocialError;
use ps_session::SessionError;

use crate::{answer, sign_in::Stranded};

/// The codes of `?error=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    AccessDenied,
    AccountDisabled,
    AttemptInvalid,
    AttemptUsed,
    CodeNeeded,
    EmailUnverified,
    IdTokenInvalid,
    IdentityInUse,
    IdentityRemoved,
    ProviderError,
    ProviderUnavailable,
    SessionInvalid,
}

impl Failure {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AccountDisabled => "account_disabled",
            Self::AttemptInvalid => "attempt_invalid",
            Self::AttemptUsed => "attempt_used",
            Self::CodeNeeded => "code_needed",
            Self::EmailUnverified => "email_unverified",
            Self::IdTokenInvalid => "id_token_invalid",
            Self::IdentityInUse => "identity_in_use",
            Self::IdentityRemoved => "identity_removed",
            Self::ProviderError => "provider_error",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::SessionInvalid => "session_invalid",
        }
    }

    pub(crate) fn of(error: &SocialError) -> Self {
        use SocialError as E;
        match error {
            E::AccessDenied => Self::AccessDenied,
            E::AccountChanged | E::AttemptInvalid | E::UnknownProvider => Self::AttemptInvalid,
            E::IdTokenInvalid(_) => Self::logged(Self::IdTokenInvalid, error),
            E::IdentityInUse => Self::IdentityInUse,
            E::IdentityRemoved => Self::IdentityRemoved,
            E::InvalidGrant => Self::ProviderError,
            E::ProviderError(_) => Self::logged(Self::ProviderError, error),
            _ => Self::logged(Self::ProviderUnavailable, error),
        }
    }

    pub(crate) fn of_session(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            _ => Self::SessionInvalid,
        }
    }

    /// What an operator has to look into.
    fn logged(self, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = %answer::chain(error), "a callback came to nothing");
        self
    }
}

impl From<SocialError> for Failure {
    fn from(error: SocialError) -> Self {
        Self::of(&error)
    }
}

/// A store that does not answer is nothing that the person could mend: the page says to try again.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::ProviderUnavailable.logged(&error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::AccountChanged => Self::AttemptInvalid,
            SessionError::Store(error) => error.into(),
            _ => Self::AccountDisabled,
        }
    }
}

impl From<Stranded> for Failure {
    fn from(stranded: Stranded) -> Self {
        match stranded {
            Stranded::AccountChanged => Self::AttemptInvalid,
            Stranded::AccountDisabled => Self::AccountDisabled,
            Stranded::CodeNeeded => Self::CodeNeeded,
            Stranded::EmailUnverified => Self::EmailUnverified,
            Stranded::IdentityRemoved => Self::IdentityRemoved,
            Stranded::Session(error) => error.into(),
            Stranded::Social(error) => error.into(),
        }
    }
}
