//! How a store says that it could not answer.

use std::error::Error;

/// A store could not do what it was asked: out of reach, out of time, broken.
///
/// It is opaque on purpose. A rule that refused is not an error but an outcome, and stands in the
/// `Ok` of the method; whoever holds this value knows only that nothing was decided, grants
/// nothing, and may try again. The cause is kept as the error's source.
#[derive(Debug, thiserror::Error)]
#[error("the store could not answer")]
pub struct StoreError(#[source] Box<dyn Error + Send + Sync + 'static>);

impl StoreError {
    /// Wraps whatever the backend said.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync + 'static>>) -> Self {
        Self(cause.into())
    }
}

/// What every store method answers.
pub type StoreResult<T> = Result<T, StoreError>;
