//! Answers: JSON, and times as JSON writes them.

use std::{error::Error, fmt::Write};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use ps_core::Timestamp;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Room for the headers of nearly every answer, so that the map is made once and never grows.
const HEADERS: usize = 12;
/// Room for most bodies.
const USUAL_BODY: usize = 512;

/// A JSON answer.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let mut bytes = Vec::with_capacity(USUAL_BODY);
    serde_json::to_writer(&mut bytes, body).expect("our bodies have text keys and finite numbers");
    of_json(status, Bytes::from(bytes))
}

/// An answer whose JSON is already written.
pub(crate) fn of_json(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().reserve(HEADERS);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// 204.
#[must_use]
pub fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().reserve(HEADERS);
    response
}

/// What an answer carries unless its handler says otherwise.
static DEFAULTS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
];

/// Adds what every answer carries, where its handler has said nothing else.
pub(crate) fn protect(headers: &mut HeaderMap) {
    // In one walk, since most answers have none of them yet.
    let mut missing = DEFAULTS.each_ref().map(Some);
    for name in headers.keys() {
        for default in &mut missing {
            default.take_if(|(known, _)| name == known);
        }
    }
    for (name, value) in missing.into_iter().flatten() {
        headers.insert(name, value.clone());
    }
}

/// RFC 3339 in UTC, whole seconds, rounded down: `2026-11-22T10:00:00Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.as_seconds())
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

#[cfg(all(feature = "apikey", feature = "session"))]
/// Reads RFC 3339 at any offset, to the second.
pub(crate) fn read_rfc3339(text: &str) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(Timestamp::from_seconds(time.unix_timestamp()))
}

/// An error and all its causes, for a log line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handler_has_said_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("origin"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        protect(&mut headers);
        let said = headers.iter();
        let said: Vec<_> = said
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let expected = [
            ("referrer-policy", "origin"),
            ("cache-control", "public"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
        ];
        assert_eq!(said, expected);
        protect(&mut headers);
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn times_are_whole_seconds_in_utc() {
        let at = Timestamp::from_millis(1_795_341_600_999);
        assert_eq!(rfc3339(at), "2026-11-22T10:00:00Z");
        assert_eq!(
            rfc3339(Timestamp::from_millis(i64::MAX)),
            "9999-12-31T23:59:59Z"
        );
    }

    #[test]
    #[cfg(all(feature = "apikey", feature = "session"))]
    fn times_are_read_at_any_offset() {
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T11:00:00+01:00",
            "2026-11-22T10:00:00.999Z",
        ] {
            assert_eq!(
                read_rfc3339(text),
                Some(Timestamp::from_seconds(1_795_341_600)),
                "{text}"
            );
        }
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T10:00:00",
            "2026-13-22T10:00:00Z",
            "1795341600",
        ] {
            assert_eq!(read_rfc3339(text), None, "{text}");
        }
    }
}
