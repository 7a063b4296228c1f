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
use http::{Request, Response, Uri, header, request::Parts};

use crate::body::Answered;

/// The head of a request to the byte: its target as it was sent, every value of every header.
///
/// # Errors
/// What `http` 1 does not take, though 0.2 did.
pub(crate) fn head(head: &RequestHead) -> http::Result<Parts> {
    let request = Request::builder()
        .method(head.method.as_str())
        .uri(uri(&head.uri)?)
        .version(version(head.version));
    let headers = head.headers.iter();
    let request = headers.fold(request, |request, (name, value)| {
        request.header(name.as_str(), value.as_bytes())
    });
    Ok(request.body(())?.into_parts().0)
}

/// Part by part, since a target that is printed whole is normalised.
fn uri(uri: &actix_web::http::Uri) -> http::Result<Uri> {
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
