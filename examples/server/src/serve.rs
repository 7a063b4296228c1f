//! Starting, logging, and stopping without losing anything.

use std::{
    error::Error,
    io::{self, IsTerminal},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::rt::TokioTimer;
use metrics_exporter_prometheus::PrometheusBuilder;
use ps_axum::AuthState;
use ps_core::{EventSink, EventSinks, Mailer};
use ps_http::{MetricsEvents, TracingEvents};
use ps_smtp::SmtpMailer;
use ps_sqlx::{AuditLog, SqliteStore};
use tokio::signal;
use tracing_subscriber::EnvFilter;

use crate::{
    compose::{Composed, Parts, compose},
    plan::{Plan, Refusal, Tls, plan},
    root_secret::root_secrets,
    settings::Settings,
};

/// How long what is in flight may take once the server is told to stop.
const LAST: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);

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
    let roots = root_secrets(&settings)?;
    let Plan {
        edge,
        database,
        mail,
        network_limits,
        ops_listen,
        tls,
    } = plan;
    let mailer = match mail {
        Some(mail) => Some(Arc::new(SmtpMailer::new(mail)?) as Arc<dyn Mailer>),
        None => None,
    };
    let numbers = PrometheusBuilder::new().install_recorder()?;
    let store = Arc::new(SqliteStore::open(&database).await?);
    let announcement = announcement(&edge, listen, &database);
    let audit = Arc::new(AuditLog::new(SqliteStore::clone(&store)));
    let events: [Arc<dyn EventSink>; 3] = [
        Arc::new(TracingEvents),
        Arc::new(MetricsEvents),
        audit.clone(),
    ];
    let Composed { auth, probes } = compose(Parts {
        edge,
        events: Arc::new(EventSinks::new(events)),
        mailer,
        network_limits,
        roots,
        store: Arc::clone(&store),
    });
    let background = tokio::spawn({
        let (auth, audit) = (Arc::clone(&auth), Arc::clone(&audit));
        async move { tokio::join!(auth.run(), audit.run()) }
    });

    let handle = Handle::new();
    let told = tokio::spawn({
        let handle = handle.clone();
        async move {
            told_to_stop().await;
            handle.graceful_shutdown(Some(LAST));
        }
    });
    if let Some(address) = ops_listen {
        let probes = ps_axum::routes(&AuthState::plain(probes));
        let ops = probes.route("/metrics", get(async move || numbers.render()));
        let listener = TcpListener::bind(address)?;
        tokio::spawn(answer(listener, None, ops, handle.clone()).await?);
    }
    let state = match tls {
        Some(_) => AuthState::tls(Arc::clone(&auth)),
        None => AuthState::plain(Arc::clone(&auth)),
    };
    let serving = answer(listener, tls, ps_axum::fallback(&state), handle).await?;
    announce(&announcement);
    serving.await?;

    told.abort();
    background.abort();
    auth.flush().await?;
    audit.flush().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// A server that is ready to run: TLS ended here, or not.
async fn answer(
    listener: TcpListener,
    tls: Option<Tls>,
    app: Router,
    handle: Handle<SocketAddr>,
) -> Result<impl Future<Output = io::Result<()>> + Send, Box<dyn Error>> {
    listener.set_nonblocking(true)?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let config = match &tls {
        Some(tls) => Some(RustlsConfig::from_pem_file(&tls.cert, &tls.key).await?),
        None => None,
    };
    Ok(async move {
        match config {
            Some(config) => {
                let mut server = axum_server::from_tcp_rustls(listener, config)?.handle(handle);
                let http = server.http_builder();
                http.http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD);
                server.serve(app).await
            }
            None => {
                let mut server = axum_server::from_tcp(listener)?.handle(handle);
                let http = server.http_builder();
                http.http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD);
                server.serve(app).await
            }
        }
    })
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

#[expect(clippy::print_stdout, reason = "whoever started it reads this")]
fn announce(text: &str) {
    println!("{text}");
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
