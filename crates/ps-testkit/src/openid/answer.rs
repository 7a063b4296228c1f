//! Every endpoint, and what is answered there.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::Value;

use super::{FakeProvider, Misbehaviour, endpoints::Endpoint, metadata};

impl FakeProvider {
    /// Answers a request to any endpoint. Requests to hosts and paths that are none of them get 404.
    ///
    /// At the authorization endpoint a browser is sent back (303) as somebody who agrees, if
    /// `login_hint` names one by subject or address; otherwise the answer is 400, and a page where
    /// people choose who they are is left to the caller, who has [`people`](Self::people),
    /// [`approve`](Self::approve) and [`deny`](Self::deny) for it.
    ///
    /// [`Misbehaviour::Slow`] and [`Misbehaviour::Reset`] are a matter of the connection and do
    /// nothing here.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a request is answered once, and a caller has no more use for it"
    )]
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.count(request.uri());
        self.answer(&request)
    }

    /// Counts a request when it comes in, however long its answer takes.
    pub(super) fn count(&self, uri: &Uri) {
        let calls = &mut self.state().calls;
        match self.endpoints().find(uri) {
            Endpoint::Authorize => {}
            Endpoint::Discovery => calls.discovery += 1,
            Endpoint::Jwks => calls.jwks += 1,
            Endpoint::Token => calls.token += 1,
            Endpoint::Userinfo => calls.userinfo += 1,
            Endpoint::Elsewhere | Endpoint::StrangersDiscovery | Endpoint::StrangersJwks => {
                calls.elsewhere += 1;
            }
        }
    }

    pub(super) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let endpoint = self.endpoints().find(request.uri());
        if endpoint == Endpoint::Authorize {
            return self.front_channel(request);
        }
        if let Some(broken) = self.broken(endpoint) {
            return broken;
        }
        let method = request.method();
        let is_allowed = match endpoint {
            Endpoint::Token => method == Method::POST,
            Endpoint::Userinfo => method == Method::GET || method == Method::POST,
            _ => method == Method::GET,
        };
        match endpoint {
            Endpoint::Elsewhere => text_answer(StatusCode::NOT_FOUND, "not found"),
            _ if !is_allowed => text_answer(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Endpoint::Authorize => self.front_channel(request),
            Endpoint::Discovery => json_answer(StatusCode::OK, &self.metadata()),
            Endpoint::Jwks => key_set(&self.jwks()),
            Endpoint::StrangersDiscovery => json_answer(StatusCode::OK, &self.strangers_metadata()),
            Endpoint::StrangersJwks => key_set(&metadata::strangers_jwks()),
            Endpoint::Token => self.token(request),
            Endpoint::Userinfo => self.userinfo(request),
        }
    }

    fn front_channel(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() != Method::GET {
            return text_answer(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
        }
        let query = request.uri().query().unwrap_or_default();
        let Some(subject) = self.hinted(query) else {
            return text_answer(StatusCode::BAD_REQUEST, "login_hint names nobody");
        };
        match self.approve_query(query, &subject) {
            Ok(callback) => redirect(StatusCode::SEE_OTHER, &callback),
            Err(error) => text_answer(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }

    /// What is answered instead, where the provider misbehaves as a whole.
    fn broken(&self, endpoint: Endpoint) -> Option<Response<Bytes>> {
        let misbehaviour = self.state().misbehaviour?;
        Some(match misbehaviour {
            Misbehaviour::JwksFails if endpoint == Endpoint::Jwks => failure(),
            Misbehaviour::NotJson => html(StatusCode::OK, "<h1>Welcome to our network</h1>"),
            Misbehaviour::Redirect if endpoint != Endpoint::Elsewhere => redirect(
                StatusCode::TEMPORARY_REDIRECT,
                &format!("{}/elsewhere", self.issuer()),
            ),
            Misbehaviour::ServerError => failure(),
            Misbehaviour::TooLong => answer(
                StatusCode::OK,
                "application/json",
                format!(r#"{{"padding":"{}"}}"#, " ".repeat(5 << 20)),
            ),
            _ => return None,
        })
    }
}

pub(super) fn json_answer(status: StatusCode, value: &Value) -> Response<Bytes> {
    answer(status, "application/json", value.to_string())
}

/// With the media type that certified providers send (RFC 7517 §8.5.2).
fn key_set(keys: &Value) -> Response<Bytes> {
    answer(StatusCode::OK, "application/jwk-set+json", keys.to_string())
}

fn failure() -> Response<Bytes> {
    html(
        StatusCode::INTERNAL_SERVER_ERROR,
        "<h1>Something went wrong</h1>",
    )
}

fn html(status: StatusCode, body: &str) -> Response<Bytes> {
    answer(status, "text/html; charset=utf-8", body.to_owned())
}

fn text_answer(status: StatusCode, body: impl Into<String>) -> Response<Bytes> {
    answer(status, "text/plain; charset=utf-8", body.into())
}

fn redirect(status: StatusCode, to: &str) -> Response<Bytes> {
    let mut response = text_answer(status, "");
    match HeaderValue::from_str(to) {
        Ok(place) => {
            response.headers_mut().insert(header::LOCATION, place);
            response
        }
        // A client was registered with a redirect URI that is none.
        Err(_) => text_answer(StatusCode::BAD_REQUEST, "the redirect URI is not valid"),
    }
}

/// Nothing here may be stored: tokens must not (RFC 6749 §5.1), and a test wants each call counted.
fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
