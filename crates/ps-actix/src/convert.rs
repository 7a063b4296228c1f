//! Between `http` 0.2, which actix-web speaks, and `http` 1: the same things under two types.

use actix_web::{
    HttpResponse,
    dev::{Payload, RequestHead},
    http::{
        StatusCode, Version,
        header::{self as theirs, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use http::{Method, Request, Response, Uri, header, request::Parts, uri::PathAndQuery};

#[cfg(any(feature = "apikey", feature = "session"))]
use ps_http::Head;

use crate::body::Answered;

/// What is judged of a request's head, with nothing converted.
#[cfg(any(feature = "apikey", feature = "session"))]
pub(crate) fn judged(head: &RequestHead) -> Head<'_> {
    let headers = head.headers.iter();
    Head::gather(
        head.method.as_str(),
        head.uri.path(),
        head.uri.authority().map(|authority| authority.as_str()),
        headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
    )
}

/// The head of a request to the byte: its target as it was sent, every value of every header.
///
/// # Errors
/// What `http` 1 does not take, though 0.2 did.
pub(crate) fn head(head: &RequestHead) -> http::Result<Parts> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(head.method.as_str().as_bytes())?;
    parts.uri = uri(&head.uri)?;
    parts.version = version(head.version);
    parts.headers.try_reserve(head.headers.len())?;
    for (name, value) in head.headers.iter() {
        let name = match usual_of_request(name.as_str()) {
            Some(name) => name,
            None => http::HeaderName::from_bytes(name.as_ref())?,
        };
        let value = http::HeaderValue::from_bytes(value.as_bytes())?;
        parts.headers.try_append(name, value)?;
    }
    Ok(parts)
}

/// The names that most requests have, so that they are not parsed again.
fn usual_of_request(name: &str) -> Option<http::HeaderName> {
    Some(match name {
        "accept" => header::ACCEPT,
        "accept-encoding" => header::ACCEPT_ENCODING,
        "accept-language" => header::ACCEPT_LANGUAGE,
        "authorization" => header::AUTHORIZATION,
        "connection" => header::CONNECTION,
        "content-length" => header::CONTENT_LENGTH,
        "content-type" => header::CONTENT_TYPE,
        "cookie" => header::COOKIE,
        "host" => header::HOST,
        "origin" => header::ORIGIN,
        "user-agent" => header::USER_AGENT,
        "x-api-key" => const { http::HeaderName::from_static("x-api-key") },
        _ => return None,
    })
}

/// Part by part, since a target that is printed whole is normalised.
fn uri(uri: &actix_web::http::Uri) -> http::Result<Uri> {
    if let (None, None, Some(path)) = (uri.scheme(), uri.authority(), uri.path_and_query()) {
        return Ok(PathAndQuery::try_from(path.as_str())?.into());
    }
    let mut parts = Uri::builder();
    if let Some(scheme) = uri.scheme_str() {
        parts = parts.scheme(scheme);
    }
    if let Some(authority) = uri.authority() {
        parts = parts.authority(authority.as_str());
    }
    if let Some(path) = uri.path_and_query() {
        parts = parts.path_and_query(path.as_str());
    }
    parts.build()
}

fn version(version: Version) -> http::Version {
    match version {
        Version::HTTP_10 => http::Version::HTTP_10,
        Version::HTTP_2 => http::Version::HTTP_2,
        _ => http::Version::HTTP_11,
    }
}

/// An answer, with what was left unread of the request's body; `to_head` if the request was `HEAD`.
pub(crate) fn answer(response: Response<Bytes>, to_head: bool, unread: Payload) -> HttpResponse {
    let (head, bytes) = response.into_parts();
    let announced = || head.headers.get(header::CONTENT_LENGTH)?.to_str().ok();
    let announced = to_head.then(announced).flatten();
    let length = announced.and_then(|length| length.parse().ok());
    let status = StatusCode::from_u16(head.status.as_u16()).expect("a status is a status");
    let mut answer = HttpResponse::with_body(status, Answered::new(bytes, length, unread));
    let headers = answer.headers_mut();
    // actix-web writes the length itself.
    let others = head.headers.iter();
    for (name, value) in others.filter(|(name, _)| *name != header::CONTENT_LENGTH) {
        let (name, value) = header_of_answer(name.as_str(), value.as_bytes());
        headers.append(name, value);
    }
    answer.map_into_boxed_body()
}

/// A header under the other type. What nearly every answer has is not parsed again, nor copied where
/// its value is the usual one.
fn header_of_answer(name: &str, value: &[u8]) -> (HeaderName, HeaderValue) {
    const fn usual(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }
    let (name, usual) = match name {
        "cache-control" => (theirs::CACHE_CONTROL, const { usual("no-store") }),
        "content-security-policy" => (
            theirs::CONTENT_SECURITY_POLICY,
            const { usual("default-src 'none'; frame-ancestors 'none'") },
        ),
        "content-type" => (theirs::CONTENT_TYPE, const { usual("application/json") }),
        "referrer-policy" => (theirs::REFERRER_POLICY, const { usual("no-referrer") }),
        "www-authenticate" => (
            theirs::WWW_AUTHENTICATE,
            const { usual(r#"Bearer realm="api", error="invalid_token""#) },
        ),
        "x-content-type-options" => (theirs::X_CONTENT_TYPE_OPTIONS, const { usual("nosniff") }),
        "x-request-id" => (
            const { HeaderName::from_static("x-request-id") },
            const { usual("") },
        ),
        _ => (
            HeaderName::from_bytes(name.as_bytes()).expect("a token is a token"),
            const { usual("") },
        ),
    };
    if usual.as_bytes() == value {
        return (name, usual);
    }
    let value = HeaderValue::from_bytes(value).expect("both take the same bytes");
    (name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_the_same_under_the_other_type() {
        let values = [
            "",
            "no-store",
            "nosniff",
            "application/json",
            "no-referrer",
            "x",
        ];
        let policy = "default-src 'none'; frame-ancestors 'none'";
        let challenge = r#"Bearer realm="api", error="invalid_token""#;
        for name in [
            "cache-control",
            "content-security-policy",
            "content-type",
            "referrer-policy",
            "set-cookie",
            "www-authenticate",
            "x-content-type-options",
            "x-request-id",
            "x-other",
        ] {
            for value in values.into_iter().chain([policy, challenge]) {
                let (same, said) = header_of_answer(name, value.as_bytes());
                assert_eq!((same.as_str(), said.as_bytes()), (name, value.as_bytes()));
            }
        }
    }

    #[test]
    fn a_usual_name_is_itself() {
        for name in [
            "accept",
            "accept-encoding",
            "accept-language",
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "cookie",
            "host",
            "origin",
            "user-agent",
            "x-api-key",
        ] {
            assert_eq!(usual_of_request(name).unwrap(), name);
        }
        assert_eq!(usual_of_request("x-other"), None);
    }
}
