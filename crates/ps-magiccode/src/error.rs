//! Why a code was not sent or not taken.

use std::time::Duration;

use ps_core::{LimitRule, StoreError};

/// Why there is no code, or no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The code proves nothing. One answer for a wrong, expired, spent or unknown one, and for one
    /// of another address or purpose: which of them it was stands only in the event.
    #[error("the code is not valid")]
    Denied,
    /// The store could not answer: nothing is proven, and nothing was mailed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address has had all the mails that it gets for now.
    #[error("too many codes were asked for")]
    Throttled {
        /// Which bound it was.
        rule: LimitRule,
        /// When there will be room again.
        retry_after: Duration,
    },
}
