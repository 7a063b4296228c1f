//! Listening, logging, and stopping without losing anything.

use std::{
    error::Error,
    io::{self, IsTerminal},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use ps_axum::AuthState;
use tokio::{net::TcpListener, signal};
use tracing_subscriber::EnvFilter;

use crate::{compose::compose, plan::plan, root_secret::root_secrets, settings::Settings};

/// How long what is in flight may take once the server is told to stop.
const LAST: Duration = Duration::from_secs(10);

/// For people on a terminal, JSON otherwise. Each line names its request.
pub(crate) fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().flatten_event(true).init();
    }
}

pub(crate) async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(settings.listen).await?;
    let listen = listener.local_addr()?;
    let plan = plan(&settings, listen)?;
    let public_url = plan.edge.public_url().to_string();
    let auth = Arc::new(compose(plan, &root_secrets(&settings)?));
    let background = tokio::spawn({
        let auth = Arc::clone(&auth);
        async move { auth.run().await }
    });
    let app: Router = ps_axum::fallback(&AuthState::plain(Arc::clone(&auth)));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    announce(&public_url);
    let serving = axum::serve(listener, app).with_graceful_shutdown(told_to_stop());
    tokio::select! {
        served = serving => served?,
        () = async { told_to_stop().await; tokio::time::sleep(LAST).await } => {
            tracing::warn!("some requests took too long to finish");
        }
    }
    background.abort();
    auth.flush().await?;
    tracing::info!("stopped");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "whoever started it reads this")]
fn announce(public_url: &str) {
    println!(
        "ps-auth example server, in development mode: this machine only, everything in memory.\n\
         \n  what to try   {public_url}/\n  caught mails  {public_url}/dev/mailbox\n\
         \nStop it with Ctrl-C."
    );
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
