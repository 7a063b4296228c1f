//! What cannot be set up, and what went wrong with a call.

use ps_oauth::HttpError;

/// Why there is no client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// A root certificate is not PEM, or not a certificate.
    #[error("the root certificate is not a certificate in PEM form")]
    Certificate,
    /// TLS cannot be set up with the cryptography that this process has chosen.
    #[error("TLS cannot be set up")]
    Tls,
}

/// What reqwest does not say. No words of the URL, and none of the answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("only https is spoken")]
    Insecure,
    #[error("time was up")]
    Late,
}

impl From<Failure> for HttpError {
    fn from(failure: Failure) -> Self {
        Self::Unreachable(Box::new(failure))
    }
}

/// Without the URL, because a query may hold secrets.
pub(crate) fn broken(error: reqwest::Error) -> HttpError {
    HttpError::Unreachable(Box::new(error.without_url()))
}
