//! Cross-origin pages (the Fetch standard's CORS protocol): off unless origins are configured, and
//! then only for exactly those.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};

use super::Edge;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, x-api-key");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, x-request-id");

impl Edge {
    /// The answer to a preflight request of an allowed origin; `None` where it is not one, and then
    /// `OPTIONS` is a method like any other.
    pub(crate) fn preflight(&self, head: &Parts) -> Option<Response<Bytes>> {
        let asked = head.method == Method::OPTIONS
            && head
                .headers
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asked {
            return None;
        }
        self.cross_origin(head.headers.get(header::ORIGIN))?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
        Some(answer)
    }

    /// Whether there are pages of others that may call.
    pub(crate) fn is_shared(&self) -> bool {
        !self.allowed_origins.is_empty()
    }

    /// Lets the page that asked read the answer, if its origin is allowed.
    pub(crate) fn share(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if !self.is_shared() {
            return;
        }
        answer.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.cross_origin(origin) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    fn cross_origin<'a>(&self, origin: Option<&'a HeaderValue>) -> Option<&'a HeaderValue> {
        origin.filter(|origin| self.allowed_origin(origin.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::Origin;

    fn edge(allowed: &[&str]) -> Edge {
        let origins = allowed.iter().map(|text| Origin::parse(text).unwrap());
        Edge::new(Origin::parse("https://app.example.com").unwrap())
            .unwrap()
            .with_allowed_origins(origins)
    }

    fn asked(method: Method, origin: &str) -> Parts {
        let request = Request::builder()
            .method(method)
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        request.body(()).unwrap().into_parts().0
    }

    // HT6
    #[test]
    fn only_exactly_the_configured_origins_may_read() {
        let edge = edge(&["https://admin.example.com"]);
        for (origin, allowed) in [
            ("https://admin.example.com", true),
            ("https://admin.example.com.evil.org", false),
            ("https://evil-admin.example.com", false),
            ("http://admin.example.com", false),
            ("https://ADMIN.example.com", false),
            ("null", false),
        ] {
            let head = asked(Method::OPTIONS, origin);
            let mut answer = HeaderMap::new();
            edge.share(head.headers.get("origin"), &mut answer);
            let shared = answer.get("access-control-allow-origin");
            assert_eq!(
                shared.is_some_and(|value| value == origin),
                allowed,
                "{origin}"
            );
            assert_eq!(edge.preflight(&head).is_some(), allowed, "{origin}");
            assert_eq!(answer["vary"], "origin");
        }
    }

    #[test]
    fn off_means_off() {
        let edge = edge(&[]);
        let head = asked(Method::OPTIONS, "https://app.example.com");
        let mut answer = HeaderMap::new();
        edge.share(head.headers.get("origin"), &mut answer);
        assert!(answer.is_empty() && edge.preflight(&head).is_none());
    }
}
