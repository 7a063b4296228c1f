#![doc = include_str!("../README.md")]

mod body;
#[cfg(any(feature = "apikey", feature = "session"))]
mod callers;
mod rejection;

use std::{fmt, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::{IntoResponse, Response},
    routing::any,
};
use http::Extensions;
#[cfg(any(feature = "apikey", feature = "session"))]
use http::request::Parts;
use ps_http::{Auth, Connection};

#[cfg(feature = "apikey")]
pub use callers::ApiKeyCaller;
#[cfg(feature = "session")]
pub use callers::SessionCaller;
pub use rejection::Rejection;

/// The [`Auth`] of this server, and whether the server itself ends TLS: the state that routes and
/// extractors share.
///
/// A server with a state of its own says how to find this in it, in one line:
/// `impl FromRef<App> for AuthState { fn from_ref(app: &App) -> Self { app.auth.clone() } }`.
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

    fn connection(&self, extensions: &Extensions) -> Option<Connection> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(Connection {
            peer: *peer,
            tls: self.tls,
        })
    }

    fn answer(self, request: Request) -> impl Future<Output = Response> + Send {
        let (head, body) = request.into_parts();
        async move {
            let Some(on) = self.connection(&head.extensions) else {
                return Rejection(Auth::unconnected()).into_response();
            };
            let body = body::read(body).await;
            let response = self.auth.handle_parts(head, body, on).await;
            response.map(Body::from)
        }
    }
}

impl fmt::Debug for AuthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthState")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// The paths that are ours, for every method, to be merged into the server's own router. Its
/// fallback is left alone.
///
/// Serve the whole with `into_make_service_with_connect_info::<SocketAddr>()`: without the client's
/// address every answer is a 500.
pub fn routes<S: Clone + Send + Sync + 'static>(state: &AuthState) -> Router<S> {
    state.auth.paths().fold(Router::new(), |router, path| {
        let state = state.clone();
        router.route(path, any(move |request| state.clone().answer(request)))
    })
}

/// Every path there is, for a server that is all ours: unknown ones are answered in our form too.
pub fn fallback<S: Clone + Send + Sync + 'static>(state: &AuthState) -> Router<S> {
    let state = state.clone();
    Router::new().fallback(move |request| state.clone().answer(request))
}

/// The state's connection, for extractors.
#[cfg(any(feature = "apikey", feature = "session"))]
fn connected(state: &AuthState, head: &Parts) -> Result<Connection, Rejection> {
    let on = state.connection(&head.extensions);
    on.ok_or_else(|| Rejection(Auth::unconnected()))
}
