//! Serving on axum.

use std::{io, net::TcpListener, sync::Arc};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use tokio_rustls::rustls::ServerConfig;

use crate::serve::{HEAD, HEAD_SIZE, LAST, Stop};

/// Serves until told to stop. HTTP/1.1 only, so that one deadline holds from the first byte of a
/// connection to the end of a head.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    app: Router,
    stop: Stop,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let handle = Handle::new();
    tokio::spawn({
        let handle = handle.clone();
        async move {
            stop.told().await;
            handle.graceful_shutdown(Some(LAST));
        }
    });
    match tls {
        Some(config) => {
            let config = RustlsConfig::from_config(Arc::new(config));
            let mut server = axum_server::from_tcp_rustls(listener, config)?
                .handle(handle)
                .http1_only();
            bound(server.http_builder());
            server.serve(app).await
        }
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle).http1_only();
            bound(server.http_builder());
            server.serve(app).await
        }
    }
}

/// What one connection may take.
fn bound(server: &mut Builder<TokioExecutor>) {
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(100)
        .max_buf_size(HEAD_SIZE);
}
