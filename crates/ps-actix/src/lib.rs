#![doc = include_str!("../README.md")]

mod body;
#[cfg(any(feature = "apikey", feature = "session"))]
mod callers;
mod convert;
mod rejection;

use std::{fmt, sync::Arc};

use actix_web::{
    Error, HttpRequest,
    dev::{ServiceRequest, ServiceResponse, fn_service},
    guard::fn_guard,
    web::{self, ServiceConfig},
};
use http::request::Parts;
use ps_http::{Auth, Code, Connection, Problem};

#[cfg(feature = "apikey")]
pub use callers::ApiKeyCaller;
#[cfg(feature = "session")]
pub use callers::SessionCaller;
pub use rejection::Rejection;

/// The [`Auth`] of this server, and whether the server itself ends TLS: the state that routes and
/// extractors share.
///
/// [`routes`] and [`fallback`] put it where extractors find it. An app that mounts neither and still
/// has callers says `.app_data(state.clone())`.
#[derive(Clone)]
pub struct AuthState {
    auth: Arc<Auth>,
    tls: bool,
}

impl AuthState {
    /// For a server that speaks plain HTTP, to a proxy in front of it or under development.
    #[must_use]
    pub fn plain(auth: Arc<Auth>) -> Self {
        Self { auth, tls: false }
    }

    /// For a server whose every connection is TLS that it ends itself.
    #[must_use]
    pub fn tls(auth: Arc<Auth>) -> Self {
        Self { auth, tls: true }
    }

    /// What was mounted.
    #[must_use]
    pub fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// What `ps-http` judges a request by: all that actix-web has read of it but the body.
    fn arrived(&self, request: &HttpRequest) -> Result<(Parts, Connection), Problem> {
        let on = self.connection(request)?;
        let head = convert::head(request.head());
        let head = head.map_err(|_| Problem::new(Code::HeaderInvalid))?;
        Ok((head, on))
    }

    fn connection(&self, request: &HttpRequest) -> Result<Connection, Problem> {
        let peer = request.peer_addr().ok_or_else(Auth::unconnected)?;
        let tls = self.tls;
        Ok(Connection { peer, tls })
    }

    async fn answer(self, request: ServiceRequest) -> Result<ServiceResponse, Error> {
        let (request, mut payload) = request.into_parts();
        let response = match self.arrived(&request) {
            Ok((head, on)) => {
                let body = body::read(&head, &mut payload).await;
                self.auth.handle_parts(head, body, on).await
            }
            Err(problem) => problem.into_response(),
        };
        let to_head = request.method() == actix_web::http::Method::HEAD;
        let response = convert::answer(response, to_head, payload);
        Ok(ServiceResponse::new(request, response))
    }
}

impl fmt::Debug for AuthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthState")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// The paths that are ours, for every method, beside the server's own: `App::configure(routes(&state))`,
/// before services of its own that take any path. Its default service is left alone.
///
/// Paths are compared as they were sent, before actix-web decodes them.
pub fn routes(state: &AuthState) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let state = state.clone();
    move |app| {
        let ours = Arc::clone(&state.auth);
        let is_ours = fn_guard(move |on| ours.knows(on.head().uri.path()));
        app.app_data(state.clone());
        let answer = fn_service(move |request| state.clone().answer(request));
        app.service(web::scope("").guard(is_ours).default_service(answer));
    }
}

/// Every path that no other service takes, for a server that is all ours: unknown ones are answered
/// in our form too.
pub fn fallback(state: &AuthState) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let state = state.clone();
    move |app| {
        app.app_data(state.clone());
        app.default_service(fn_service(move |request| state.clone().answer(request)));
    }
}
