//! The codes that programs match on, each with its status and its sentence.

use http::StatusCode;

/// What a program matches on. Each code has one status and one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The API key may not be used from the client's address.
    AddressNotAllowed,
    /// More than one credential was sent.
    AmbiguousCredentials,
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
    /// The address and the password do not belong together.
    CredentialsInvalid,
    /// The current password is not the right one.
    CurrentPasswordWrong,
    /// A server under development was reached from elsewhere.
    DevelopmentOnly,
    /// A header is malformed or repeated.
    HeaderInvalid,
    /// The request came by plain HTTP.
    HttpsRequired,
    /// The `Idempotency-Key` is not one.
    IdempotencyKeyInvalid,
    /// The identity opens another account.
    IdentityInUse,
    /// Something broke on our side.
    InternalError,
    /// The API key is revoked and cannot be changed any more.
    KeyRevoked,
    /// It is the last way in.
    LastSignInMethod,
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
    /// The account has no identity of that provider.
    ProviderNotLinked,
    /// The provider did not answer.
    ProviderUnavailable,
    /// There is no such provider here.
    ProviderUnknown,
    /// Too many requests.
    RateLimited,
    /// The sign-in is too long ago, or of the wrong kind.
    ReauthenticationRequired,
    /// The refresh token is not, or no longer, worth a session.
    RefreshInvalid,
    /// Another request has just used the same refresh token.
    RefreshSuperseded,
    /// The refresh token cannot be read.
    RefreshUnreadable,
    /// The page to return to is not one of ours.
    ReturnToInvalid,
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
        self.row().code
    }

    /// The status that it comes with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    pub(crate) const fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// The whole body of the answer, where there is nothing to say of single fields.
    pub(crate) const fn body(self) -> &'static str {
        self.row().body
    }

    const fn row(self) -> &'static Row {
        use StatusCode as S;
        match self {
            Self::AddressNotAllowed => row!(
                S::FORBIDDEN,
                "address_not_allowed",
                "This API key may not be used from your address."
            ),
            Self::AmbiguousCredentials => row!(
                S::BAD_REQUEST,
                "ambiguous_credentials",
                "Send exactly one credential: x-api-key or Authorization, once."
            ),
            Self::ApiKeyInvalid => row!(
                S::UNAUTHORIZED,
                "api_key_invalid",
                "The API key is not valid."
            ),
            Self::ApiKeyMissing => row!(
                S::UNAUTHORIZED,
                "api_key_missing",
                "Send an API key as x-api-key or as Authorization: Bearer."
            ),
            Self::ApiKeyRequired => row!(
                S::UNAUTHORIZED,
                "api_key_required",
                "This endpoint takes an API key, not an access token."
            ),
            Self::BodyTooLarge => row!(
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The request body is larger than 16 KiB."
            ),
            Self::ChallengeMissing => row!(
                S::BAD_REQUEST,
                "challenge_missing",
                "Ask for a code first: no challenge was named."
            ),
            Self::CodeInvalid => row!(
                S::UNAUTHORIZED,
                "code_invalid",
                "The code is wrong, used up or expired."
            ),
            Self::CredentialsInvalid => row!(
                S::UNAUTHORIZED,
                "credentials_invalid",
                "The address or the password is wrong."
            ),
            Self::CurrentPasswordWrong => row!(
                S::FORBIDDEN,
                "current_password_wrong",
                "The current password is wrong."
            ),
            Self::DevelopmentOnly => row!(
                S::FORBIDDEN,
                "development_only",
                "This server is in development mode and answers its own machine only."
            ),
            Self::HeaderInvalid => row!(
                S::BAD_REQUEST,
                "header_invalid",
                "A header is malformed, or a cookie was sent twice."
            ),
            Self::HttpsRequired => row!(
                S::FORBIDDEN,
                "https_required",
                "Plain HTTP is refused: use https://."
            ),
            Self::IdempotencyKeyInvalid => row!(
                S::BAD_REQUEST,
                "idempotency_key_invalid",
                "Idempotency-Key must be 8 to 255 visible ASCII characters."
            ),
            Self::IdentityInUse => row!(
                S::CONFLICT,
                "identity_in_use",
                "That identity belongs to another account."
            ),
            Self::InternalError => row!(
                S::INTERNAL_SERVER_ERROR,
                "internal_error",
                "Something went wrong on our side."
            ),
            Self::KeyRevoked => row!(
                S::CONFLICT,
                "key_revoked",
                "The API key is revoked: it cannot be changed any more."
            ),
            Self::LastSignInMethod => row!(
                S::CONFLICT,
                "last_sign_in_method",
                "This is the last way to sign in: set a password or link another account first."
            ),
            Self::MalformedJson => row!(
                S::BAD_REQUEST,
                "malformed_json",
                "The request body is not valid JSON."
            ),
            Self::MethodNotAllowed => row!(
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path does not know that method."
            ),
            Self::MisdirectedRequest => row!(
                S::MISDIRECTED_REQUEST,
                "misdirected_request",
                "This server does not answer for that host."
            ),
            Self::NotFound => row!(S::NOT_FOUND, "not_found", "There is no such thing here."),
            Self::OriginForbidden => row!(
                S::FORBIDDEN,
                "origin_forbidden",
                "Pages of that origin may not do this."
            ),
            Self::ProviderNotLinked => row!(
                S::NOT_FOUND,
                "provider_not_linked",
                "No account of that provider is linked."
            ),
            Self::ProviderUnavailable => row!(
                S::SERVICE_UNAVAILABLE,
                "provider_unavailable",
                "The provider cannot be reached now: try again shortly."
            ),
            Self::ProviderUnknown => row!(
                S::NOT_FOUND,
                "provider_unknown",
                "There is no such provider here."
            ),
            Self::RateLimited => row!(
                S::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests: try again later."
            ),
            Self::ReauthenticationRequired => row!(
                S::FORBIDDEN,
                "reauthentication_required",
                "Sign in again to do this, or give the current password."
            ),
            Self::RefreshInvalid => row!(
                S::UNAUTHORIZED,
                "refresh_invalid",
                "The session has ended: sign in again."
            ),
            Self::RefreshSuperseded => row!(
                S::UNAUTHORIZED,
                "refresh_superseded",
                "Another request has just refreshed this session: try again with the new cookie."
            ),
            Self::RefreshUnreadable => row!(
                S::UNAUTHORIZED,
                "refresh_unreadable",
                "The refresh token cannot be read."
            ),
            Self::ReturnToInvalid => row!(
                S::BAD_REQUEST,
                "return_to_invalid",
                "return_to must be a path of this site, such as /settings."
            ),
            Self::ScopeMissing => row!(
                S::FORBIDDEN,
                "scope_missing",
                "The API key lacks the scope that this needs."
            ),
            Self::SessionInvalid => row!(
                S::UNAUTHORIZED,
                "session_invalid",
                "The access token is not valid, or its session has ended."
            ),
            Self::SessionRequired => row!(
                S::UNAUTHORIZED,
                "session_required",
                "Sign in: this endpoint takes an access token as Authorization: Bearer."
            ),
            Self::TooManyKeys => row!(
                S::CONFLICT,
                "too_many_keys",
                "The account has as many active keys as it may: revoke one first."
            ),
            Self::Unavailable => row!(
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service cannot answer now: try again shortly."
            ),
            Self::UnsupportedMediaType => row!(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json."
            ),
            Self::ValidationFailed => row!(
                S::BAD_REQUEST,
                "validation_failed",
                "The request is not valid."
            ),
        }
    }
}

struct Row {
    status: StatusCode,
    code: &'static str,
    sentence: &'static str,
    body: &'static str,
}

/// The body is put together here, so that a refusal makes no JSON.
macro_rules! row {
    ($status:expr, $code:literal, $sentence:literal) => {
        const {
            assert!(is_plain($code) && is_plain($sentence));
            &Row {
                status: $status,
                code: $code,
                sentence: $sentence,
                body: concat!(r#"{"error":""#, $sentence, r#"","code":""#, $code, r#""}"#),
            }
        }
    };
}
use row;

/// Whether JSON writes a text as it stands.
const fn is_plain(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if !matches!(*first, b' '..=b'~') || matches!(*first, b'"' | b'\\') {
            return false;
        }
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_json_that_serde_would_write() {
        for code in [
            Code::ApiKeyInvalid,
            Code::LastSignInMethod,
            Code::ReturnToInvalid,
        ] {
            let read: serde_json::Value = serde_json::from_str(code.body()).unwrap();
            let expected = serde_json::json!({ "error": code.sentence(), "code": code.as_str() });
            assert_eq!(read, expected);
            let [error, name] =
                [code.sentence(), code.as_str()].map(|text| serde_json::to_string(text).unwrap());
            assert_eq!(code.body(), format!(r#"{{"error":{error},"code":{name}}}"#));
        }
    }

    #[test]
    fn what_json_escapes_is_not_plain() {
        for (text, plain) in [
            ("use https://.", true),
            ("", true),
            ("\"", false),
            ("\\", false),
            ("\n", false),
            ("é", false),
        ] {
            assert_eq!(is_plain(text), plain, "{text:?}");
        }
    }
}
