//! One request: judged in order, handled, finished.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};

use super::Auth;
#[cfg(any(feature = "apikey", feature = "session"))]
use super::lane::{Lane, Place};
use crate::{
    Answer, BODY_LIMIT, Call, Code, Connection, Head, Problem, Route, answer,
    edge::{Arrival, is_api, presents_key, reject_ambiguous, reject_repeated_cookies},
    route::{Body, Handler},
};

impl Auth {
    /// Answers a request. The adapter gives at most [`BODY_LIMIT`] + 1 bytes of its body: one byte
    /// too many is enough to refuse it.
    ///
    /// A panic in a handler is a 500 and a log line; the process lives on.
    pub fn handle(
        &self,
        request: Request<Bytes>,
        on: Connection,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        let (head, body) = request.into_parts();
        self.handle_parts(head, Some(body), on)
    }

    /// The same, for a request whose head and body came apart, as most adapters have them.
    ///
    /// `None` is a body that broke off or did not come in time. Such a request is refused in its turn,
    /// after everything that comes before the body, and nothing is done for it.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn would keep its arguments twice, and move them once more"
    )]
    pub fn handle_parts(
        &self,
        head: Parts,
        body: Option<Bytes>,
        on: Connection,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        async move {
            let arrival = self.arrival(&Head::from(&head), on);
            let span = tracing::info_span!("request", request_id = arrival.requester.request_id);
            let asked = span.in_scope(|| self.asked(&head, &arrival));
            // Polled where it lies: the usual wrappers for spans and panics would move it about.
            let mut answering = pin!(self.answer(head, body, arrival));
            let answer = poll_fn(|context| {
                let _entered = span.enter();
                let polling = AssertUnwindSafe(|| answering.as_mut().poll(context));
                catch_unwind(polling).unwrap_or_else(|_| {
                    tracing::error!("a handler panicked");
                    Poll::Ready(Err(Problem::new(Code::InternalError)))
                })
            });
            let mut response = answer.await.unwrap_or_else(Problem::into_bare_response);
            if let Some((method, path)) = &asked.logged {
                let status = response.status().as_u16();
                span.in_scope(|| tracing::info!(target: LOG, %method, path, status));
            }
            self.finish(asked, &mut response);
            response
        }
    }

    /// The answer where the adapter does not know the client's address: a mistake in how the server
    /// was put together, which must never be papered over with an address of our own.
    #[must_use]
    pub fn unconnected() -> Problem {
        tracing::error!("no peer address: the server must be told to provide it to the adapter");
        Problem::new(Code::InternalError)
    }

    /// Who calls with an API key, for a handler of the application's own. All of the edge's rules
    /// are applied.
    ///
    /// # Errors
    /// The answer to give.
    #[cfg(feature = "apikey")]
    pub fn api_key<'a>(
        &'a self,
        head: impl Into<Head<'a>>,
        on: Connection,
    ) -> impl Future<Output = Result<ps_apikey::KeyCaller, Problem>> + Send {
        let head = head.into();
        let admitted = self.admit(&head, on, &self.places.keys);
        let admitted = admitted.and_then(|admitted| Ok((admitted, self.key_of(&head)?)));
        async move {
            let ((arrival, _place), (keys, text)) = admitted?;
            Ok(keys.authenticate(text, &arrival.requester).await?)
        }
    }

    /// Who calls with an access token, for a handler of the application's own. All of the edge's
    /// rules are applied.
    ///
    /// # Errors
    /// The answer to give.
    #[cfg(feature = "session")]
    pub fn session<'a>(
        &'a self,
        head: impl Into<Head<'a>>,
        on: Connection,
    ) -> impl Future<Output = Result<ps_session::SessionCaller, Problem>> + Send {
        let head = head.into();
        let admitted = self.admit(&head, on, &self.places.others);
        let admitted = admitted.and_then(|admitted| {
            let presented = self.token_of(&head, &admitted.0)?;
            Ok((admitted, presented))
        });
        async move {
            let ((arrival, _place), (sessions, token)) = admitted?;
            Ok(sessions.authenticate(token, &arrival.requester).await?)
        }
    }

    /// The judgements that come before the credential, for a handler of the application's own.
    #[cfg(any(feature = "apikey", feature = "session"))]
    fn admit<'a>(
        &self,
        head: &Head<'_>,
        on: Connection,
        lane: &'a Lane,
    ) -> Result<(Arrival, Place<'a>), Problem> {
        let arrival = self.arrival(head, on);
        self.edge.require_place(head, &arrival)?;
        self.require_clean(head, &arrival)?;
        Ok((arrival, lane.admit()?))
    }

    fn arrival(&self, head: &Head<'_>, on: Connection) -> Arrival {
        let mut arrival = self.edge.arrival(head, on);
        arrival.presents_key = presents_key(head, self.key_prefix());
        let believed = arrival.from_proxy;
        let given = believed.then(|| head.request_id()).flatten();
        let given = given.filter(|id| is_request_id(id));
        arrival.requester.request_id = given.map_or_else(|| self.request_ids.next(), str::to_owned);
        arrival
    }

    /// The order of judgement: HTTPS, host, route, method, ambiguous credentials, origin, a place
    /// among those that are answered at once, credential, scope, content type, body size, and then the handler's own.
    #[expect(clippy::manual_async_fn, reason = "as above")]
    fn answer(
        &self,
        head: Parts,
        body: Option<Bytes>,
        arrival: Arrival,
    ) -> impl Future<Output = Answer> + Send {
        async move {
            let judged = Head::from(&head);
            self.edge.require_place(&judged, &arrival)?;
            if let Some(preflight) = self.edge.preflight(&head)
                && self.table.knows(head.uri.path())
            {
                return Ok(preflight);
            }
            let (route, parameter) = self.table.find(&head.method, head.uri.path())?;
            let parameter = parameter.map(str::to_owned);
            if is_api(head.uri.path()) {
                self.require_clean(&judged, &arrival)?;
            }
            let elsewhere = self.edge.elsewhere(&judged, &head.uri);
            let _place = self.places.take(route)?;
            match &route.handler {
                #[cfg(feature = "apikey")]
                Handler::ApiKey(handler, scope) => {
                    let (keys, text) = self.key_of(&judged)?;
                    drop(judged);
                    let caller = keys.authenticate(text, &arrival.requester).await?;
                    if let Some(scope) = scope {
                        caller.require(scope)?;
                    }
                    let body = require_body(route, &head.headers, body)?;
                    handler(Call::new(head, body, arrival, parameter, elsewhere), caller).await
                }
                #[cfg(feature = "openapi")]
                Handler::Document => {
                    require_body(route, &head.headers, body)?;
                    Ok(self.document())
                }
                Handler::Public(handler) => {
                    let body = require_body(route, &head.headers, body)?;
                    handler(Call::new(head, body, arrival, parameter, elsewhere)).await
                }
                #[cfg(feature = "session")]
                Handler::Session(handler) => {
                    let (sessions, token) = self.token_of(&judged, &arrival)?;
                    drop(judged);
                    let caller = sessions.authenticate(token, &arrival.requester).await?;
                    let body = require_body(route, &head.headers, body)?;
                    handler(Call::new(head, body, arrival, parameter, elsewhere), caller).await
                }
            }
        }
    }

    /// One credential, each cookie of ours once, and a page that may ask.
    fn require_clean(&self, head: &Head<'_>, arrival: &Arrival) -> Result<(), Problem> {
        reject_ambiguous(head)?;
        reject_repeated_cookies(head, arrival.secure)?;
        if arrival.presents_key {
            return Ok(());
        }
        self.edge.require_origin(head)
    }

    /// What API keys begin with; the usual prefix where there are none, so that one sent by mistake
    /// is known for what it is.
    #[cfg(feature = "apikey")]
    fn key_prefix(&self) -> &str {
        let keys = self.keys.as_ref();
        keys.map_or(USUAL_PREFIX, |keys| keys.prefix().as_str())
    }

    #[cfg(not(feature = "apikey"))]
    #[expect(
        clippy::unused_self,
        reason = "it has no API keys that could say otherwise"
    )]
    fn key_prefix(&self) -> &str {
        USUAL_PREFIX
    }

    /// What is presented as an API key, and who knows keys.
    #[cfg(feature = "apikey")]
    fn key_of<'a>(&self, head: &Head<'a>) -> Result<(&ps_apikey::ApiKeys, &'a str), Problem> {
        let keys = self.keys.as_deref();
        let keys = keys.ok_or_else(|| Problem::new(Code::InternalError))?;
        Ok((keys, crate::edge::key_text(head)?))
    }

    /// What is presented as an access token, and who knows sessions.
    #[cfg(feature = "session")]
    fn token_of<'a>(
        &self,
        head: &Head<'a>,
        arrival: &Arrival,
    ) -> Result<(&ps_session::Sessions, &'a str), Problem> {
        let sessions = self.sessions.as_deref();
        let sessions = sessions.ok_or_else(|| Problem::new(Code::InternalError))?;
        if arrival.presents_key {
            return Err(Problem::refused(Code::SessionRequired));
        }
        let token = crate::edge::access_token(head);
        let token = token.ok_or_else(|| Problem::new(Code::SessionRequired))?;
        Ok((sessions, token))
    }

    fn asked(&self, head: &Parts, arrival: &Arrival) -> Asked {
        let is_logged = tracing::enabled!(target: LOG, tracing::Level::INFO);
        let origin = || head.headers.get(header::ORIGIN).cloned();
        Asked {
            to_head: head.method == Method::HEAD,
            secure: arrival.secure,
            request_id: HeaderValue::from_str(&arrival.requester.request_id).ok(),
            origin: self.edge.is_shared().then(origin).flatten(),
            logged: is_logged.then(|| (head.method.clone(), loggable(head.uri.path()))),
        }
    }

    /// What every answer carries.
    fn finish(&self, asked: Asked, response: &mut Response<Bytes>) {
        if asked.to_head {
            let length = HeaderValue::from(response.body().len());
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
            *response.body_mut() = Bytes::new();
        }
        let headers = response.headers_mut();
        answer::protect(headers);
        if asked.secure {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if let Some(id) = asked.request_id {
            headers.insert(REQUEST_ID, id);
        }
        self.edge.share(asked.origin.as_ref(), headers);
    }
}

/// What is needed of the request after it has been answered.
struct Asked {
    to_head: bool,
    secure: bool,
    request_id: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    /// The method and the path for the log, where there is one.
    logged: Option<(Method, String)>,
}

/// Where the line about each request goes.
const LOG: &str = "ps_auth::access";
const USUAL_PREFIX: &str = "ps_";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

fn is_request_id(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=128).contains(&text.len()) && text.bytes().all(known)
}

/// A path as the log shows it: bounded, and without what is too long to be a name or an id, since a
/// key put there by mistake must not be kept.
fn loggable(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| if segment.len() > 32 { "…" } else { segment });
    let short: Vec<&str> = segments.take(12).collect();
    short.join("/")
}

/// Content type, then size.
fn require_body(route: &Route, headers: &HeaderMap, body: Option<Bytes>) -> Result<Bytes, Problem> {
    let torn = body.is_none();
    let body = body.unwrap_or_default();
    let wanted = match route.body {
        Body::Ignored => false,
        Body::Json => true,
        Body::OptionalJson => torn || !body.is_empty(),
    };
    if wanted && !is_json(headers) {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    if body.len() > BODY_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge));
    }
    if torn {
        return Err(Problem::new(Code::MalformedJson));
    }
    Ok(body)
}

/// `application/json`, once, with no parameter but `charset=utf-8`.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| {
            let plain = parameter.replace('"', "");
            plain.eq_ignore_ascii_case("charset=utf-8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    // OP2
    #[test]
    fn a_logged_path_is_bounded_and_holds_no_key() {
        let key = "ps_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab";
        for (path, logged) in [
            ("/api/v1/whoami", "/api/v1/whoami"),
            (
                "/api/keys/0123456789012345678901",
                "/api/keys/0123456789012345678901",
            ),
            (&format!("/api/keys/{key}"), "/api/keys/…"),
            ("", ""),
        ] {
            assert_eq!(loggable(path), logged);
        }
        assert!(loggable(&"/abcdefgh".repeat(2_000)).len() < 200);
    }
}
