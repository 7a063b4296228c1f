//! Between `http` 0.2, which actix-web speaks, and `http` 1: the same things under two types.

use actix_web::{
    HttpResponse,
    dev::{Payload, RequestHead},
    http::{
        StatusCode, Version,
        header::{HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use http::{Method, Request, Response, Uri, header, request::Parts, uri::PathAndQuery};

use crate::body::Answered;

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
        let name = http::HeaderName::from_bytes(name.as_ref())?;
        let value = http::HeaderValue::from_bytes(value.as_bytes())?;
        parts.headers.try_append(name, value)?;
    }
    Ok(parts)
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
    let (mut head, bytes) = response.into_parts();
    let announced = head.headers.remove(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    let length = announced.filter(|_| to_head);
    let status = StatusCode::from_u16(head.status.as_u16()).expect("a status is a status");
    let mut answer = HttpResponse::with_body(status, Answered::new(bytes, length, unread));
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_ref()).expect("a token is a token");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("both take the same bytes");
        answer.headers_mut().append(name, value);
    }
    answer.map_into_boxed_body()
}
