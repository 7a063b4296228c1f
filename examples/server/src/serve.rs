//! Starting, logging, and stopping without losing anything.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use metrics_exporter_prometheus::PrometheusBuilder;
use ps_core::{EventSink, EventSinks, Mailer};
use ps_http::{Auth, MetricsEvents, TracingEvents};
use ps_reqwest::{CallPolicy, ReqwestClient};
use ps_smtp::SmtpMailer;
use tokio::{signal, sync::watch, task::JoinHandle};
use tokio_rustls::rustls::ServerConfig;
use tracing_subscriber::EnvFilter;

use crate::{
    compose::{Composed, Parts, compose},
    on_actix, on_axum,
    plan::{Database, Refusal, Tls, plan},
    root_secret::root_secrets,
    settings::{Framework, Settings},
    store::Store,
};

/// How long what is in flight may take once the server is told to stop.
pub(crate) const LAST: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request, and how large it may be in bytes.
pub(crate) const HEAD: Duration = Duration::from_secs(10);
pub(crate) const HEAD_SIZE: usize = 16 * 1024;

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
    let store = Store::open(&plan.database).await?;
    let roots = root_secrets(&settings, &plan.database)?;
    let audit = Arc::new(store.audit());
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
        audit: Arc::clone(&audit),
        edge: plan.edge,
        events: Arc::new(EventSinks::new(events)),
        mailer,
        http: Arc::new(http),
        network_limits: plan.network_limits,
        ports: store.ports(),
        providers: plan.providers,
        roots,
    })?;
    let background = tokio::spawn({
        let (auth, audit) = (Arc::clone(&auth), Arc::clone(&audit));
        async move {
            tokio::join!(auth.run(), audit.run());
        }
    });

    let (told, stop) = watch::channel(false);
    let stop = Stop(stop);
    let stopping = tokio::spawn(stop_when_told(told, background));
    if let Some(address) = plan.ops_listen {
        let probes = ps_axum::routes(&ps_axum::AuthState::plain(probes));
        let measured = Arc::clone(&auth);
        let render = async move || {
            measured.measure();
            numbers.render()
        };
        let ops = probes.route("/metrics", get(render));
        let listener = TcpListener::bind(address)?;
        tokio::spawn(on_axum::serve(listener, None, ops, stop.clone()));
    }
    let tls = match &plan.tls {
        Some(tls) => Some(server_config(tls).await?),
        None => None,
    };
    announce(&announcement);
    serve_on(settings.framework, listener, tls, Arc::clone(&auth), stop).await?;

    let (background, result) = stopping.await?;
    if tokio::time::timeout(LAST, auth.settle()).await.is_err() {
        tracing::warn!("some mails could not be sent before the end");
    }
    background.abort();
    let _ = background.await;
    if let Err(error) = auth.flush().await {
        tracing::warn!(%error, "the last uses of keys could not be written");
    }
    if let Err(error) = audit.flush().await {
        tracing::warn!(%error, "the last outcomes could not be written");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(result?)
}

/// The same routes on either framework.
async fn serve_on(
    framework: Framework,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    auth: Arc<Auth>,
    stop: Stop,
) -> io::Result<()> {
    match (framework, tls.is_some()) {
        (Framework::Actix, true) => {
            on_actix::serve(listener, tls, ps_actix::AuthState::tls(auth), stop).await
        }
        (Framework::Actix, false) => {
            on_actix::serve(listener, tls, ps_actix::AuthState::plain(auth), stop).await
        }
        (Framework::Axum, is_tls) => {
            let state = if is_tls {
                ps_axum::AuthState::tls(auth)
            } else {
                ps_axum::AuthState::plain(auth)
            };
            on_axum::serve(listener, tls, ps_axum::fallback(&state), stop).await
        }
    }
}

type Stopped = Result<(), BackgroundDied>;

#[derive(Debug, thiserror::Error)]
#[error("what must go on in the background has died")]
struct BackgroundDied;

/// Waits until the process is told to stop, or what must go on in the background has died: a server
/// that follows nothing and sends no mail is better started again. Then tells the servers.
async fn stop_when_told(
    stop: watch::Sender<bool>,
    mut background: JoinHandle<()>,
) -> (JoinHandle<()>, Stopped) {
    let result = tokio::select! {
        () = told_to_stop() => Ok(()),
        died = &mut background => {
            tracing::error!(?died, "what goes on in the background has died");
            Err(BackgroundDied)
        }
    };
    let _ = stop.send(true);
    // A task that has ended must not be waited for again.
    let background = match &result {
        Ok(()) => background,
        Err(_) => tokio::spawn(async {}),
    };
    (background, result)
}

/// Tells every server of the process to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Comes back once the process is to stop.
    pub(crate) async fn told(mut self) {
        // A sender that is gone says the same.
        let _ = self.0.wait_for(|told| *told).await;
    }
}

/// What TLS is ended with; HTTP/1.1 is all that is spoken over it.
async fn server_config(tls: &Tls) -> io::Result<ServerConfig> {
    let config = RustlsConfig::from_pem_file(&tls.cert, &tls.key).await?;
    let mut config = ServerConfig::clone(&config.get_inner());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn announcement(edge: &ps_http::Edge, listen: SocketAddr, database: &Database) -> String {
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
