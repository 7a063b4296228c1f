//! What can be set, by flag or variable. Nothing is judged here.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, ValueEnum};

/// An example server with every flow of ps-auth.
///
/// Without any setting it runs in development mode: on 127.0.0.1:8080, everything kept in memory,
/// mails caught at /dev/mailbox.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Settings {
    /// Where to listen.
    #[arg(long, env = "PS_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// Which web framework to serve on.
    #[arg(long, env = "PS_FRAMEWORK", default_value = "axum")]
    pub(crate) framework: Framework,

    /// The bare origin that links, tokens and checks are built from; by default the listening address.
    #[arg(long, env = "PS_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,

    /// Further origins whose pages may call.
    #[arg(
        long = "allowed-origin",
        env = "PS_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    pub(crate) allowed_origins: Vec<String>,

    /// Root secrets in base64, 32 bytes at least each: the first makes, all verify.
    #[arg(long, env = "PS_SECRET", value_delimiter = ',', hide_env_values = true)]
    pub(crate) secret: Vec<String>,

    /// A file with the root secrets, as above.
    #[arg(long, env = "PS_SECRET_FILE")]
    pub(crate) secret_file: Option<PathBuf>,

    /// The limits per network; `off` is for tests from one address. Budgets per email address stay.
    #[arg(long, env = "PS_NETWORK_LIMITS", default_value = "on")]
    pub(crate) network_limits: Switch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    Axum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}
