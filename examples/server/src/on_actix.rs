//! Serving on actix-web.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{App, HttpServer};
use ps_actix::AuthState;
use tokio_rustls::rustls::ServerConfig;

use crate::serve::{HEAD, LAST, Stop};

/// How many connections a worker takes at once: each may hold a head of 128 KiB, which actix does not
/// let us lower.
const CONNECTIONS: usize = 4_096;
/// How long a connection may be silent between requests. actix gives a slow head of a *later* request
/// no deadline of its own, so this is short.
const IDLE: Duration = Duration::from_secs(15);

/// Serves until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    state: AuthState,
    stop: Stop,
) -> io::Result<()> {
    let server = HttpServer::new(move || App::new().configure(ps_actix::fallback(&state)))
        .client_request_timeout(HEAD)
        .keep_alive(IDLE)
        .max_connections(CONNECTIONS)
        .shutdown_timeout(LAST.as_secs())
        .disable_signals();
    let server = match tls {
        Some(config) => server.listen_rustls_0_23(listener, config)?,
        None => server.listen(listener)?,
    };
    let serving = server.run();
    let handle = serving.handle();
    tokio::spawn(async move {
        stop.told().await;
        handle.stop(true).await;
    });
    serving.await
}
