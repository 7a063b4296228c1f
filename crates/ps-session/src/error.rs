//! Why a session was not given, not carried on, or not believed.

use ps_core::StoreError;

/// Why a session operation came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The account was overturned while the sign-in was under way: its proof is void, and the
    /// person signs in again.
    #[error("the account was changed meanwhile")]
    AccountChanged,
    /// There is no session that allows it. Unknown, forged, expired and ended are one answer; the
    /// reason is told in the event only.
    #[error("there is no such session")]
    Denied,
    /// Nothing was decided: try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a refresh token brought no new one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Its session is over, if there ever was one: the client forgets the token.
    #[error("the session is over")]
    Denied,
    /// Nothing was decided: try again with the same token.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another request has just used the same token: the client takes what that one was given.
    #[error("another request has just used this refresh token")]
    Superseded,
    /// Garbled, or made under a root secret that is not in force: the client keeps the token, for
    /// another node may read it.
    #[error("the refresh token cannot be read")]
    Unreadable,
}

/// An `Idempotency-Key` that is not 8 to 255 visible ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 8 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;
