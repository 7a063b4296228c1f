//! Our errors as actix-web's answers.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, dev::Payload, http::StatusCode};
use ps_http::Problem;

use crate::convert;

/// A [`Problem`] that actix-web can answer with.
///
/// `?` makes one of whatever a handler meets: a missing scope, a problem, a store error.
#[derive(Debug)]
pub struct Rejection(pub Problem);

impl<E: Into<Problem>> From<E> for Rejection {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code().as_str())
    }
}

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        convert::answer(self.0.clone().into_response(), false, Payload::None)
    }
}
