//! What can be set, by flag or variable. Nothing is judged here.

use std::{env, ffi::OsStr, net::SocketAddr, path::PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable};

/// An example server with every flow of ps-auth.
///
/// Without any setting it runs in development mode: on 127.0.0.1:8080, on SQLite in
/// ./ps-example.db, mails caught at /dev/mailbox.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Where to listen.
    #[arg(long, env = "PS_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// Which web framework to serve on.
    #[arg(long, env = "PS_FRAMEWORK", default_value = "axum")]
    pub(crate) framework: Framework,

    /// The bare origin that links, tokens and checks are built from; in development by default the
    /// listening address.
    #[arg(long, env = "PS_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,

    /// Further origins whose pages may call.
    #[arg(
        long = "allowed-origin",
        env = "PS_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    pub(crate) allowed_origins: Vec<String>,

    /// Where everything is kept: sqlite://PATH, or postgres://USER:PASSWORD@HOST/DATABASE, which
    /// many nodes may share. To another machine with TLS (sslmode=verify-full) unless the URL says
    /// another sslmode. Migrations run at the start.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://ps-example.db",
        hide_env_values = true
    )]
    pub(crate) database_url: String,

    /// Root secrets in base64, 32 bytes at least each: the first makes, all verify.
    #[arg(long, env = "PS_SECRET", value_delimiter = ',', hide_env_values = true)]
    pub(crate) secret: Vec<String>,

    /// A file with the root secrets, as above.
    #[arg(long, env = "PS_SECRET_FILE")]
    pub(crate) secret_file: Option<PathBuf>,

    /// Not built yet: refused where it is set.
    #[arg(long, env = "REDIS_URL", hide = true)]
    pub(crate) redis_url: Option<String>,

    /// Our client id at Google. Without it development has a stand-in, and nothing else has Google.
    #[arg(long, env = "GOOGLE_CLIENT_ID")]
    pub(crate) google_client_id: Option<String>,

    #[arg(
        long,
        env = "GOOGLE_CLIENT_SECRET",
        hide_env_values = true,
        hide = true
    )]
    pub(crate) google_client_secret: Option<String>,

    /// Another OpenID issuer in the place of Google's, found by discovery.
    #[arg(long, env = "GOOGLE_ISSUER")]
    pub(crate) google_issuer: Option<String>,

    /// Our client id at LinkedIn. Without it development has a stand-in, and nothing else has LinkedIn.
    #[arg(long, env = "LINKEDIN_CLIENT_ID")]
    pub(crate) linkedin_client_id: Option<String>,

    #[arg(
        long,
        env = "LINKEDIN_CLIENT_SECRET",
        hide_env_values = true,
        hide = true
    )]
    pub(crate) linkedin_client_secret: Option<String>,

    /// Another OpenID issuer in the place of LinkedIn's, found by discovery.
    #[arg(long, env = "LINKEDIN_ISSUER")]
    pub(crate) linkedin_issuer: Option<String>,

    /// The mail server: smtps://user:pass@host:465, or smtp://user:pass@host:587?tls=required.
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub(crate) smtp_url: Option<String>,

    /// Whom mails are from: an address, or `Name <address>`.
    #[arg(long, env = "PS_MAIL_FROM")]
    pub(crate) mail_from: Option<String>,

    /// The certificate chain to serve HTTPS with, PEM.
    #[arg(long, env = "PS_TLS_CERT")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Its private key, PEM.
    #[arg(long, env = "PS_TLS_KEY")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Networks of proxies that are believed about the client's address and scheme, in CIDR notation.
    #[arg(
        long = "trusted-proxy",
        env = "PS_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxies: Vec<String>,

    /// Which headers these proxies write.
    #[arg(long, env = "PS_FORWARDED_HEADER", default_value = "x-forwarded")]
    pub(crate) forwarded_header: Family,

    /// A second address, for /metrics, /healthz and /readyz: plain HTTP, not for the public.
    #[arg(long, env = "PS_OPS_LISTEN")]
    pub(crate) ops_listen: Option<SocketAddr>,

    /// The limits per network; `off` is for tests from one address. Budgets per email address stay.
    #[arg(long, env = "PS_NETWORK_LIMITS", default_value = "on")]
    pub(crate) network_limits: Switch,
}

impl Settings {
    /// Reads flags and variables. A variable that is empty counts as not set.
    pub(crate) fn read() -> Self {
        let command = <Self as CommandFactory>::command();
        let unset: Vec<_> = command
            .get_arguments()
            .filter(|arg| arg.get_env().is_some_and(is_empty))
            .map(|arg| arg.get_id().clone())
            .collect();
        let command = unset.into_iter().fold(command, |command, id| {
            command.mut_arg(id, |arg| arg.env(Resettable::Reset))
        });
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

fn is_empty(variable: &OsStr) -> bool {
    env::var_os(variable).is_some_and(|value| value.is_empty())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Checks the settings without serving: every reason not to start, and what would be served.
    Doctor,
    /// After a backup was restored: ends every session and every code in the database, and lists the
    /// keys to review. Nodes may run meanwhile.
    Fence {
        /// Does not ask back.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framework {
    Actix,
    Axum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    Forwarded,
    XForwarded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}
