//! Everything that goes wrong, in the one form that a client sees.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{Code, answer};

/// The challenge of a 401 where no credential was sent (RFC 6750 §3), and where one was refused.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="api""#);
const REFUSED: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="api", error="invalid_token""#);

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Detail {
    /// Which field.
    pub field: String,
    /// What it must be.
    pub message: String,
}

/// An error as the client gets it: the only way from our errors to a status and a code.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    details: Vec<Detail>,
    /// `WWW-Authenticate`.
    challenge: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// The problem with this code. Every 401 carries `WWW-Authenticate: Bearer` (RFC 9110 §15.5.2),
    /// every 503 `Retry-After`.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let status = code.status();
        let problem = Self(Box::new(Parts {
            code,
            details: Vec::new(),
            challenge: (status == StatusCode::UNAUTHORIZED).then_some(CHALLENGE),
            headers: Vec::new(),
        }));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return problem.with(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        problem
    }

    /// A 401 for a credential that was sent and refused (RFC 6750 §3.1).
    #[must_use]
    pub fn refused(code: Code) -> Self {
        Self::new(code).with_challenge(REFUSED)
    }

    /// A 403 for an API key without `scope` (RFC 6750 §3.1).
    #[must_use]
    pub fn scope_missing(scope: &str) -> Self {
        let text = format!(r#"Bearer realm="api", error="insufficient_scope", scope="{scope}""#);
        let value = HeaderValue::try_from(text).unwrap_or(CHALLENGE);
        Self::new(Code::ScopeMissing).with_challenge(value)
    }

    /// A 400 that says what is wrong with each field.
    #[must_use]
    pub fn invalid(details: Vec<Detail>) -> Self {
        let mut problem = Self::new(Code::ValidationFailed);
        problem.0.details = details;
        problem
    }

    /// A 400 about one field.
    #[must_use]
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![Detail {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// A 405 that names the methods that the path knows.
    #[must_use]
    pub fn method_not_allowed(allowed: &str) -> Self {
        let allow = HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_static(""));
        Self::new(Code::MethodNotAllowed).with(header::ALLOW, allow)
    }

    /// A 429 of the limit `name`: `quota` in `per`, again in `retry_after` (rounded up to seconds).
    #[must_use]
    pub fn rate_limited(name: &str, quota: u32, per: Duration, retry_after: Duration) -> Self {
        let wait = retry_after.as_millis().div_ceil(1000).max(1);
        let policy = format!(r#""{name}";q={quota};w={}"#, per.as_secs());
        let state = format!(r#""{name}";r=0;t={wait}"#);
        let value =
            |text: String| HeaderValue::try_from(text).expect("names and numbers are ASCII");
        Self::new(Code::RateLimited)
            .with(header::RETRY_AFTER, value(wait.to_string()))
            .with(HeaderName::from_static("ratelimit-policy"), value(policy))
            .with(HeaderName::from_static("ratelimit"), value(state))
    }

    /// What a program matches on.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The same problem with a further header, such as a cookie that is cleared.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    fn with_challenge(mut self, value: HeaderValue) -> Self {
        self.0.challenge = Some(value);
        self
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = self.into_bare_response();
        answer::protect(response.headers_mut());
        response
    }

    /// The answer without what every answer carries.
    pub(crate) fn into_bare_response(self) -> Response<Bytes> {
        let Parts {
            code,
            details,
            challenge,
            headers,
        } = *self.0;
        let mut response = if details.is_empty() {
            answer::of_json(code.status(), Bytes::from_static(code.body().as_bytes()))
        } else {
            let body = Body {
                error: code.sentence(),
                code: code.as_str(),
                details: &details,
            };
            answer::json(code.status(), &body)
        };
        let to = response.headers_mut();
        if let Some(challenge) = challenge {
            to.append(header::WWW_AUTHENTICATE, challenge);
        }
        for (name, value) in headers {
            if name == header::CONTENT_TYPE {
                to.insert(name, value);
            } else {
                to.append(name, value);
            }
        }
        response
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Error))]
pub(crate) struct Body<'a> {
    /// One English sentence, for people.
    error: &'a str,
    /// What a program matches on.
    code: &'static str,
    /// What is wrong with each field, where validation failed.
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    details: &'a [Detail],
}

impl From<ps_core::StoreError> for Problem {
    fn from(error: ps_core::StoreError) -> Self {
        tracing::error!(error = %answer::chain(&error), "a store could not answer");
        Self::new(Code::Unavailable)
    }
}

#[cfg(feature = "apikey")]
impl From<ps_apikey::ApiKeyError> for Problem {
    fn from(error: ps_apikey::ApiKeyError) -> Self {
        use ps_apikey::ApiKeyError as E;
        match error {
            E::AccountChanged => Self::refused(Code::SessionInvalid),
            E::AddressNotAllowed => Self::new(Code::AddressNotAllowed),
            E::Denied => Self::refused(Code::ApiKeyInvalid),
            E::NotFound => Self::new(Code::NotFound),
            E::Revoked => Self::new(Code::KeyRevoked),
            E::ExpiryPassed => Self::invalid_field("expires_at", "must be in the future"),
            E::ScopeMissing(scope) => Self::scope_missing(scope),
            E::Store(error) => error.into(),
            E::TooMany => Self::new(Code::TooManyKeys),
            other => unknown(&other),
        }
    }
}

#[cfg(feature = "session")]
impl From<ps_session::SessionError> for Problem {
    fn from(error: ps_session::SessionError) -> Self {
        use ps_session::SessionError as E;
        match error {
            E::AccountChanged | E::Denied => Self::refused(Code::SessionInvalid),
            E::Store(error) => error.into(),
            other => unknown(&other),
        }
    }
}

#[cfg(feature = "session")]
impl From<ps_session::RefreshError> for Problem {
    fn from(error: ps_session::RefreshError) -> Self {
        use ps_session::RefreshError as E;
        match error {
            E::Denied => Self::new(Code::RefreshInvalid),
            E::Store(error) => error.into(),
            E::Superseded => Self::new(Code::RefreshSuperseded),
            E::Unreadable => Self::new(Code::RefreshUnreadable),
            other => unknown(&other),
        }
    }
}

/// A flow's error that this version does not know yet grants nothing.
#[cfg(any(feature = "apikey", feature = "session"))]
fn unknown(error: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %answer::chain(error), "an error without a code");
    Problem::new(Code::InternalError)
}
