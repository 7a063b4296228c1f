//! Starting, logging, and stopping without losing anything.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use ps_axum::AuthState;
use ps_core::{EventSink, EventSinks, Mailer};
use ps_http::{MetricsEvents, TracingEvents};
use ps_reqwest::{CallPolicy, ReqwestClient};
use ps_smtp::SmtpMailer;
use ps_sqlx::{AuditLog, SqliteStore};
use tokio::{signal, task::JoinHandle};
use tokio_rustls::rustls::ServerConfig;
use tracing_subscriber::EnvFilter;

use crate::{
    compose::{Composed, Parts, compose},
    plan::{Refusal, Tls, plan},
    root_secret::root_secrets,
    settings::Settings,
};

/// How long what is in flight may take once the server is told to stop.
const LAST: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request, and how large it may be in bytes.
const HEAD: Duration = Duration::from_secs(10);
const HEAD_SIZE: usize = 16 * 1024;

/// Every reason not to start.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(|why| format!("\n  {why}")).collect::<String>())]
pub(crate) struct Refused(pub(crate) Vec<Refusal>);

/// For people on a terminal, JSON otherwise. Each line of a request names it.
pub(crate) fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        lines.init();
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .init();
    }
}

pub(crate) async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(settings.listen)?;
    let listen = listener.local_addr()?;
    let plan = plan(&settings, listen).map_err(Refused)?;
    let mailer = match plan.mail {
        Some(mail) => Some(Arc::new(SmtpMailer::new(mail)?) as Arc<dyn Mailer>),
        None => None,
    };
    let announcement = announcement(&plan.edge, listen, &plan.database);
    let numbers = PrometheusBuilder::new().install_recorder()?;
    let store = Arc::new(SqliteStore::open(&plan.database).await?);
    let roots = root_secrets(&settings)?;
    let audit = Arc::new(AuditLog::new(SqliteStore::clone(&store)));
    let events: [Arc<dyn EventSink>; 3] = [
        Arc::new(TracingEvents),
        Arc::new(MetricsEvents),
        audit.clone(),
    ];
    let calls = CallPolicy::default();
    let http = if plan.edge.is_development() {
        ReqwestClient::danger_plain_loopback(calls)?
    } else {
        ReqwestClient::new(calls)?
    };
    let Composed { auth, probes } = compose(Parts {
        edge: plan.edge,
        events: Arc::new(EventSinks::new(events)),
        mailer,
        http: Arc::new(http),
        network_limits: plan.network_limits,
        providers: plan.providers,
        roots,
        store: Arc::clone(&store),
    })?;
    let background = tokio::spawn({
        let (auth, audit) = (Arc::clone(&auth), Arc::clone(&audit));
        async move {
            tokio::join!(auth.run(), audit.run());
        }
    });

    let handle = Handle::new();
    let stopping = tokio::spawn(stop_when_told(handle.clone(), background));
    if let Some(address) = plan.ops_listen {
        let probes = ps_axum::routes(&AuthState::plain(probes));
        let ops = probes.route("/metrics", get(async move || numbers.render()));
        let listener = TcpListener::bind(address)?;
        tokio::spawn(answer(listener, None, ops, handle.clone()).await?);
    }
    let state = match plan.tls {
        Some(_) => AuthState::tls(Arc::clone(&auth)),
        None => AuthState::plain(Arc::clone(&auth)),
    };
    let serving = answer(listener, plan.tls, ps_axum::fallback(&state), handle).await?;
    announce(&announcement);
    serving.await?;

    let (background, result) = stopping.await?;
    if tokio::time::timeout(LAST, auth.settle()).await.is_err() {
        tracing::warn!("some mails could not be sent before the end");
    }
    background.abort();
    let _ = background.await;
    auth.flush().await?;
    audit.flush().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(result?)
}

type Stopped = Result<(), BackgroundDied>;

#[derive(Debug, thiserror::Error)]
#[error("what must go on in the background has died")]
struct BackgroundDied;

/// Stops taking requests when the process is told to stop, or when what must go on in the background
/// has died: a server that follows nothing and sends no mail is better started again.
async fn stop_when_told(
    handle: Handle<SocketAddr>,
    mut background: JoinHandle<()>,
) -> (JoinHandle<()>, Stopped) {
    let result = tokio::select! {
        () = told_to_stop() => Ok(()),
        died = &mut background => {
            tracing::error!(?died, "what goes on in the background has died");
            Err(BackgroundDied)
        }
    };
    handle.graceful_shutdown(Some(LAST));
    // A task that has ended must not be waited for again.
    let background = match &result {
        Ok(()) => background,
        Err(_) => tokio::spawn(async {}),
    };
    (background, result)
}

/// A server that is ready to run: TLS ended here, or not. HTTP/1.1 only, so that one deadline holds
/// from the first byte of a connection to the end of a head.
async fn answer(
    listener: TcpListener,
    tls: Option<Tls>,
    app: Router,
    handle: Handle<SocketAddr>,
) -> Result<impl Future<Output = io::Result<()>> + Send, Box<dyn Error>> {
    listener.set_nonblocking(true)?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let config = match &tls {
        Some(tls) => Some(http1_over(
            &RustlsConfig::from_pem_file(&tls.cert, &tls.key).await?,
        )),
        None => None,
    };
    Ok(async move {
        match config {
            Some(config) => {
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
    })
}

fn http1_over(config: &RustlsConfig) -> RustlsConfig {
    let mut config = ServerConfig::clone(&config.get_inner());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    RustlsConfig::from_config(Arc::new(config))
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

fn announcement(edge: &ps_http::Edge, listen: SocketAddr, database: &str) -> String {
    let url = edge.public_url();
    let place = format!("  listening on  {listen}\n  kept in       {database}\n");
    if edge.is_development() {
        format!(
            "ps-auth example server, in development mode: it answers this machine only and catches mails.\n\
             \n{place}  what to try   {url}/\n  caught mails  {url}/dev/mailbox\n\
             \nStop it with Ctrl-C."
        )
    } else {
        format!("ps-auth example server at {url}.\n\n{place}")
    }
}

/// To whoever started it, if anybody reads.
fn announce(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

async fn told_to_stop() {
    let interrupt = async {
        let _ = signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
