//! Our errors as axum's answers.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use ps_http::Problem;

/// A [`Problem`] that axum can answer with.
///
/// `?` makes one of whatever a handler meets: a missing scope, a problem, a store error.
#[derive(Debug)]
pub struct Rejection(pub Problem);

impl<E: Into<Problem>> From<E> for Rejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0.into_response().map(Body::from)
    }
}
