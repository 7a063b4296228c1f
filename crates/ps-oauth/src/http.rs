//! The HTTP client as a port.

use std::{error::Error, fmt};

use async_trait::async_trait;
use bytes::Bytes;

/// Why a call to a provider brought no answer. The cause is kept as the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// It could not be reached, broke off, or took too long.
    #[error("the provider could not be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// Its answer is longer than was asked for.
    #[error("the provider's answer is too long")]
    TooLong,
}

/// Sends requests to providers.
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// *Atomicity*: sent once; nothing is repeated by itself. *Time*: 3 s to connect and 10 s in all
    /// are the implementation's to keep. *Security*: no redirect is followed, no proxy taken from the
    /// environment, no cookie kept; certificates are verified; an answer of more than `at_most` bytes
    /// is refused as soon as that is known.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        at_most: usize,
    ) -> Result<http::Response<Bytes>, HttpError>;
}
