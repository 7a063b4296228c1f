//! What goes wrong with keys.

use ps_core::StoreError;

/// Why a key was not made or not taken. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The account was changed while the request was under way (disabled, claimed, its sessions
    /// ended): read its standing and judge again.
    #[error("the account has changed meanwhile")]
    AccountChanged,
    /// The key is good, and may not be used from this address.
    #[error("the key may not be used from this address")]
    AddressNotAllowed,
    /// The key is malformed, unknown, revoked or expired, or its account is disabled: the client is
    /// not told which.
    #[error("the API key is not valid")]
    Denied,
    /// The expiry asked for is not in the future.
    #[error("the expiry must be in the future")]
    ExpiryPassed,
    /// The account has no such key.
    #[error("the account has no such key")]
    NotFound,
    /// The key is revoked, or about to be, and cannot be changed any more.
    #[error("the key is revoked")]
    Revoked,
    /// The key is good, and was not given this scope.
    #[error("the key lacks the scope {0:?}")]
    ScopeMissing(&'static str),
    /// The store could not answer: nothing was granted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account has as many active keys as it may.
    #[error("the account has as many active keys as it may")]
    TooMany,
}
