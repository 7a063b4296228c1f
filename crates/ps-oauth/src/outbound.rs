//! Calls to providers.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{HttpClient, failure::Outage};

/// The longest answer that is read, in bytes. Key sets may be longer.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Sends one request; the answer, whatever its status, is no longer than `at_most`.
pub(crate) async fn send(
    http: &dyn HttpClient,
    request: Request<Bytes>,
    at_most: usize,
) -> Result<Response<Bytes>, Outage> {
    let response = http.send(request, at_most).await?;
    if response.body().len() > at_most {
        return Err(Outage::Rubbish("too long"));
    }
    Ok(response)
}

/// Reads a document that a provider publishes.
///
/// What the answer calls itself does not count: certified providers disagree about it, and what it
/// is shows when it is read.
pub(crate) async fn fetch(
    http: Arc<dyn HttpClient>,
    url: String,
    at_most: usize,
) -> Result<Bytes, Outage> {
    let response = send(&*http, get(&url, None)?, at_most).await?;
    match response.status() {
        StatusCode::OK => Ok(response.into_body()),
        status => Err(Outage::Status(status.as_u16())),
    }
}

/// A GET for JSON, with an access token where one is needed (RFC 6750 §2.1).
pub(crate) fn get(url: &str, bearer: Option<&str>) -> Result<Request<Bytes>, Outage> {
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(url)
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Outage::Rubbish("an address that cannot be called"))?;
    if let Some(token) = bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Outage::Rubbish("an access token that cannot be sent"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}
