//! Why a password opened nothing, or was not changed.

use std::time::Duration;

use ps_core::{Refusal, StoreError};

/// Why there is no proof, or no new password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The account was changed while the request was under way: nothing was changed. Read its
    /// standing and ask again.
    #[error("the account was changed by another request")]
    AccountChanged,
    /// As many passwords as may wait to be hashed are waiting: nothing was compared, counted or
    /// changed. Try again in a moment.
    #[error("too many passwords are being checked")]
    Busy,
    /// The current password, asked for before a new one is taken, is not that.
    #[error("the current password is wrong")]
    CurrentWrong,
    /// The password opens nothing. One answer for a wrong one, for an address without an account
    /// and for an account without a password: which of them it was stands only in the event.
    #[error("the password is not valid")]
    Denied,
    /// The person has to sign in again, or to give the current password, before a new one is taken.
    #[error("a new password is taken only soon after signing in")]
    ReauthenticationRequired,
    /// The store could not answer: nothing is proven, and nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address was guessed at too often; the right password is not looked at either.
    #[error("too many wrong passwords")]
    Throttled {
        /// When there will be room for another guess.
        retry_after: Duration,
    },
}

impl PasswordError {
    /// What the operator is told, where anything was judged at all.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::AccountChanged => Some(Refusal::AccountChanged),
            Self::CurrentWrong | Self::Denied => Some(Refusal::Wrong),
            Self::ReauthenticationRequired => Some(Refusal::Expired),
            Self::Throttled { .. } => Some(Refusal::Throttled),
            Self::Busy | Self::Store(_) => None,
        }
    }
}
