//! What can go wrong between us and a provider.

use std::sync::Arc;

use crate::HttpError;

/// Why a provider's word could not be had, or was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// The code is not, or no longer, worth anything: forged, expired, or exchanged before.
    #[error("the provider does not take the code")]
    InvalidGrant,
    /// The ID token, or what belongs to it, is not good.
    #[error("the provider's word is not good: {0}")]
    InvalidIdToken(#[from] InvalidIdToken),
    /// The provider answered, and said no: an error code of RFC 6749 §5.2, or what else it did.
    #[error("the provider refuses: {0}")]
    Refused(&'static str),
    /// The provider did not answer, or nothing that could be understood.
    #[error("the provider is out of service")]
    Unavailable(#[source] Arc<Outage>),
}

impl From<Outage> for ProviderError {
    fn from(outage: Outage) -> Self {
        Self::Unavailable(Arc::new(outage))
    }
}

impl From<Arc<Outage>> for ProviderError {
    fn from(outage: Arc<Outage>) -> Self {
        Self::Unavailable(outage)
    }
}

/// Why an ID token, or the user information that completes it, is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidIdToken {
    #[error("at_hash is not of the access token")]
    AccessTokenHash,
    #[error("signed by an algorithm that the provider does not use")]
    Algorithm,
    #[error("for somebody else")]
    Audience,
    #[error("asked for by somebody else")]
    AuthorizedParty,
    #[error("expired")]
    Expired,
    #[error("not of the required domain")]
    HostedDomain,
    #[error("issued in the future or long ago")]
    IssuedAt,
    #[error("not by the provider")]
    Issuer,
    #[error("not a JWT, or a claim is missing or of another type")]
    Malformed,
    #[error("the provider sent none")]
    Missing,
    #[error("of another attempt")]
    Nonce,
    #[error("not valid yet")]
    NotYetValid,
    #[error("not signed by its key")]
    Signature,
    #[error("signed by a key that the provider does not publish")]
    UnknownKey,
    #[error("the user information is of somebody else")]
    Userinfo,
}

/// What a provider did instead of answering. It holds nothing of the answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Outage {
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("the answer is not what it should be: {0}")]
    Rubbish(&'static str),
    #[error("the provider answered with status {0}")]
    Status(u16),
}
