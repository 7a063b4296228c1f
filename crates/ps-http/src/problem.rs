//! Everything that goes wrong, in the one form that a client sees.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::answer;

/// What a program matches on. Each code has one status and one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// More than one credential was sent.
    AmbiguousCredentials,
    /// The API key may not be used from the client's address.
    AddressNotAllowed,
    /// The API key is not one, or not a live one.
    ApiKeyInvalid,
    /// No API key was sent.
    ApiKeyMissing,
    /// An access token was sent where an API key belongs.
    ApiKeyRequired,
    /// The body is larger than 16 KiB.
    BodyTooLarge,
    /// No challenge was named.
    ChallengeMissing,
    /// The magic code is not the right one, or not any more.
    CodeInvalid,
    /// A server under development was reached from elsewhere.
    DevelopmentOnly,
    /// A header is malformed or repeated.
    HeaderInvalid,
    /// The request came by plain HTTP.
    HttpsRequired,
    /// The `Idempotency-Key` is not one.
    IdempotencyKeyInvalid,
    /// Something broke on our side.
    InternalError,
    /// The API key is revoked and cannot be changed any more.
    KeyRevoked,
    /// The body is not JSON.
    MalformedJson,
    /// The path knows other methods.
    MethodNotAllowed,
    /// The request was meant for another host.
    MisdirectedRequest,
    /// There is no such thing.
    NotFound,
    /// The page that sent the request may not.
    OriginForbidden,
    /// Too many requests.
    RateLimited,
    /// The refresh token is not, or no longer, worth a session.
    RefreshInvalid,
    /// Another request has just used the same refresh token.
    RefreshSuperseded,
    /// The refresh token cannot be read.
    RefreshUnreadable,
    /// The API key lacks a scope.
    ScopeMissing,
    /// The access token is not, or no longer, worth anything.
    SessionInvalid,
    /// No access token was sent.
    SessionRequired,
    /// The account has as many keys as it may.
    TooManyKeys,
    /// The store did not answer.
    Unavailable,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body is JSON and not what was asked for.
    ValidationFailed,
}

impl Code {
    /// The code as the client sees it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The status that it comes with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().0
    }

    const fn sentence(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::AmbiguousCredentials => (
                S::BAD_REQUEST,
                "ambiguous_credentials",
                "Send exactly one credential: x-api-key or Authorization, once.",
            ),
            Self::AddressNotAllowed => (
                S::FORBIDDEN,
                "address_not_allowed",
                "This API key may not be used from your address.",
            ),
            Self::ApiKeyInvalid => (
                S::UNAUTHORIZED,
                "api_key_invalid",
                "The API key is not valid.",
            ),
            Self::ApiKeyMissing => (
                S::UNAUTHORIZED,
                "api_key_missing",
                "Send an API key as x-api-key or as Authorization: Bearer.",
            ),
            Self::ApiKeyRequired => (
                S::UNAUTHORIZED,
                "api_key_required",
                "This endpoint takes an API key, not an access token.",
            ),
            Self::BodyTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The request body is larger than 16 KiB.",
            ),
            Self::ChallengeMissing => (
                S::BAD_REQUEST,
                "challenge_missing",
                "Ask for a code first: no challenge was named.",
            ),
            Self::CodeInvalid => (
                S::UNAUTHORIZED,
                "code_invalid",
                "The code is wrong, used up or expired.",
            ),
            Self::DevelopmentOnly => (
                S::FORBIDDEN,
                "development_only",
                "This server is in development mode and answers its own machine only.",
            ),
            Self::HeaderInvalid => (
                S::BAD_REQUEST,
                "header_invalid",
                "A header is malformed, or a cookie was sent twice.",
            ),
            Self::HttpsRequired => (
                S::FORBIDDEN,
                "https_required",
                "Plain HTTP is refused: use https://.",
            ),
            Self::IdempotencyKeyInvalid => (
                S::BAD_REQUEST,
                "idempotency_key_invalid",
                "Idempotency-Key must be 8 to 255 visible ASCII characters.",
            ),
            Self::InternalError => (
                S::INTERNAL_SERVER_ERROR,
                "internal_error",
                "Something went wrong on our side.",
            ),
            Self::KeyRevoked => (
                S::CONFLICT,
                "key_revoked",
                "The API key is revoked: it cannot be changed any more.",
            ),
            Self::MalformedJson => (
                S::BAD_REQUEST,
                "malformed_json",
                "The request body is not valid JSON.",
            ),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path does not know that method.",
            ),
            Self::MisdirectedRequest => (
                S::MISDIRECTED_REQUEST,
                "misdirected_request",
                "This server does not answer for that host.",
            ),
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is no such thing here."),
            Self::OriginForbidden => (
                S::FORBIDDEN,
                "origin_forbidden",
                "Pages of that origin may not do this.",
            ),
            Self::RateLimited => (
                S::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests: try again later.",
            ),
            Self::RefreshInvalid => (
                S::UNAUTHORIZED,
                "refresh_invalid",
                "The session has ended: sign in again.",
            ),
            Self::RefreshSuperseded => (
                S::UNAUTHORIZED,
                "refresh_superseded",
                "Another request has just refreshed this session: try again with the new cookie.",
            ),
            Self::RefreshUnreadable => (
                S::UNAUTHORIZED,
                "refresh_unreadable",
                "The refresh token cannot be read.",
            ),
            Self::ScopeMissing => (
                S::FORBIDDEN,
                "scope_missing",
                "The API key lacks the scope that this needs.",
            ),
            Self::SessionInvalid => (
                S::UNAUTHORIZED,
                "session_invalid",
                "The access token is not valid, or its session has ended.",
            ),
            Self::SessionRequired => (
                S::UNAUTHORIZED,
                "session_required",
                "Sign in: this endpoint takes an access token as Authorization: Bearer.",
            ),
            Self::TooManyKeys => (
                S::CONFLICT,
                "too_many_keys",
                "The account has as many active keys as it may: revoke one first.",
            ),
            Self::Unavailable => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service cannot answer now: try again shortly.",
            ),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json.",
            ),
            Self::ValidationFailed => (
                S::BAD_REQUEST,
                "validation_failed",
                "The request is not valid.",
            ),
        }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    sentence: Cow<'static, str>,
    details: Vec<Detail>,
    headers: HeaderMap,
}

impl Problem {
    /// The problem with this code. Every 401 carries `WWW-Authenticate: Bearer` (RFC 9110 §15.5.2),
    /// every 503 `Retry-After`.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let problem = Self(Box::new(Parts {
            code,
            sentence: Cow::Borrowed(code.sentence()),
            details: Vec::new(),
            headers: HeaderMap::new(),
        }));
        match code.status() {
            StatusCode::UNAUTHORIZED => problem.with_challenge(""),
            StatusCode::SERVICE_UNAVAILABLE => {
                problem.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            _ => problem,
        }
    }

    /// A 401 for a credential that was sent and refused (RFC 6750 §3.1).
    #[must_use]
    pub fn refused(code: Code) -> Self {
        Self::new(code).with_challenge(r#", error="invalid_token""#)
    }

    /// A 403 for an API key without `scope` (RFC 6750 §3.1).
    #[must_use]
    pub fn scope_missing(scope: &str) -> Self {
        Self::new(Code::ScopeMissing)
            .with_challenge(&format!(r#", error="insufficient_scope", scope="{scope}""#))
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
        self.0.headers.append(name, value);
        self
    }

    fn with_challenge(mut self, rest: &str) -> Self {
        let text = format!(r#"Bearer realm="api"{rest}"#);
        let value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
        self.0.headers.insert(header::WWW_AUTHENTICATE, value);
        self
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            code: &'static str,
            #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
            details: &'a [Detail],
        }
        let Parts {
            code,
            sentence,
            details,
            headers,
        } = *self.0;
        let body = Body {
            error: &sentence,
            code: code.as_str(),
            details: &details,
        };
        let mut response = answer::json(code.status(), &body);
        response.headers_mut().extend(headers);
        answer::protect(response.headers_mut());
        response
    }
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
