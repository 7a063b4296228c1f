//! From settings to what will be served, or every reason why not: a pure function.

mod database;
mod providers;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use ps_http::{Edge, ForwardedFamily, Origin, TrustedProxies};
use ps_smtp::SmtpSettings;

pub(crate) use self::{database::Database, providers::ProviderPlan};
use crate::settings::{Family, Settings, Switch};

/// Why the server does not start. Each begins with a stable code and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("database_invalid: {0}")]
    DatabaseRefused(String),
    #[error("database_invalid: sqlite: wants the path of a file and no parameters: sqlite://PATH")]
    DatabaseFile,
    #[error(
        "database_invalid: this is not postgres://USER:PASSWORD@HOST/DATABASE, or has a parameter that is not known"
    )]
    DatabaseServer,
    #[error(
        "database_unsupported: {0} names neither a SQLite file (sqlite://PATH) nor a PostgreSQL server (postgres://HOST/DATABASE)"
    )]
    DatabaseUnsupported(String),
    #[error("mail_from_missing: say whom mails are from with PS_MAIL_FROM")]
    MailFromMissing,
    #[error("mail_invalid: {0}")]
    MailInvalid(String),
    #[error("mail_missing: outside development codes are sent by mail: set SMTP_URL")]
    MailMissing,
    #[error("ops_listen_shared: /metrics must not be public: give --ops-listen another address")]
    OpsListenShared,
    #[error("origin_invalid: {0:?} is not a bare origin such as https://app.example.com")]
    OriginInvalid(String),
    #[error(
        "origin_plain: pages of {0} could be changed on their way: allow https:// origins only"
    )]
    OriginPlain(String),
    #[error(
        "provider_half: {0}_CLIENT_ID and {0}_CLIENT_SECRET go together, and {0}_ISSUER with them"
    )]
    ProviderHalf(&'static str),
    #[error("provider_id_invalid: {0}_CLIENT_ID is 1 to 255 visible ASCII characters")]
    ProviderIdInvalid(&'static str),
    #[error(
        "provider_issuer_invalid: {0}_ISSUER is not an https:// URL (in development, http:// on a loopback host will do)"
    )]
    ProviderIssuerInvalid(&'static str),
    #[error("provider_secret_invalid: {0}_CLIENT_SECRET is at least one visible ASCII character")]
    ProviderSecretInvalid(&'static str),
    #[error("proxy_in_development: development answers this machine only: trust no proxy in it")]
    ProxyInDevelopment,
    #[error("proxy_invalid: {0:?} is not a network such as 10.0.0.0/8")]
    ProxyInvalid(String),
    #[error("proxy_too_wide: {0} would let anybody say who they are: name your proxies' networks")]
    ProxyTooWide(String),
    #[error(
        "public_url_missing: outside development say what the service is called: PS_PUBLIC_URL"
    )]
    PublicUrlMissing,
    #[error("public_url_plain: {0}: outside development the public URL must be https://")]
    PublicUrlPlain(String),
    #[error("redis_unsupported: this version keeps limits in its own database: unset REDIS_URL")]
    RedisUnsupported,
    #[error(
        "secret_missing: outside development give the root secret: PS_SECRET or PS_SECRET_FILE"
    )]
    SecretMissing,
    #[error("tls_half: --tls-cert and --tls-key go together")]
    TlsHalf,
    #[error(
        "tls_missing: outside development end TLS here (--tls-cert, --tls-key) or behind a trusted proxy (--trusted-proxy)"
    )]
    TlsMissing,
}

/// What will be served.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) edge: Edge,
    pub(crate) database: Database,
    pub(crate) mail: Option<SmtpSettings>,
    pub(crate) network_limits: bool,
    pub(crate) ops_listen: Option<SocketAddr>,
    pub(crate) providers: Vec<ProviderPlan>,
    /// How many networks of proxies are believed.
    pub(crate) proxies: usize,
    pub(crate) tls: Option<Tls>,
}

/// Where the certificate and its key lie.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Judges the settings for a server that listens on `listen`. Every reason not to start is given.
///
/// Development mode is on exactly while that address is loopback and the public URL is plain HTTP
/// on a loopback host, as it is by default.
pub(crate) fn plan(settings: &Settings, listen: SocketAddr) -> Result<Plan, Vec<Refusal>> {
    let mut judge = Judge::default();
    let given = settings
        .public_url
        .as_deref()
        .filter(|text| !text.is_empty());
    let local = listen.ip().is_loopback();
    let by_default = local.then(|| format!("http://{listen}"));
    let public_url = match given.map(str::to_owned).or(by_default) {
        Some(text) => judge.origin(&text),
        None => judge.refuse(Refusal::PublicUrlMissing),
    };
    let is_development = local
        && public_url
            .as_ref()
            .is_none_or(|url| url.is_loopback() && !url.is_https());
    let origins = listed(&settings.allowed_origins).filter_map(|text| judge.origin(text));
    let origins: Vec<Origin> = origins.collect();
    let networks = judge.networks(settings);
    let tls = judge.tls(settings);
    let mail = judge.mail(settings);
    let database = judge.database(&settings.database_url);
    if settings.ops_listen == Some(listen) && listen.port() != 0 {
        judge.add(Refusal::OpsListenShared);
    }
    let providers = judge.providers(settings, is_development);
    if is_development {
        if !networks.is_empty() {
            judge.add(Refusal::ProxyInDevelopment);
        }
    } else {
        let ends_tls = tls.is_some() || !networks.is_empty();
        judge.production(settings, public_url.as_ref(), &origins, ends_tls);
    }
    judge.unbuilt(settings);
    let proxies = networks.len();
    let family = match settings.forwarded_header {
        Family::Forwarded => ForwardedFamily::Forwarded,
        Family::XForwarded => ForwardedFamily::XForwarded,
    };
    let edge = public_url.and_then(|url| {
        let edge = if is_development {
            Edge::development(url)
        } else {
            Edge::new(url)
        };
        edge.ok()
    });
    match (edge, database) {
        (Some(edge), Some(database)) if judge.refusals.is_empty() => Ok(Plan {
            edge: edge
                .with_allowed_origins(origins)
                .with_trusted_proxies(TrustedProxies::new(family, networks)),
            database,
            mail,
            network_limits: settings.network_limits == Switch::On,
            ops_listen: settings.ops_listen,
            providers,
            proxies,
            tls,
        }),
        _ => Err(judge.refusals),
    }
}

/// Collects every reason, so that one run shows them all.
#[derive(Default)]
struct Judge {
    refusals: Vec<Refusal>,
}

impl Judge {
    fn add(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    fn refuse<T>(&mut self, refusal: Refusal) -> Option<T> {
        self.add(refusal);
        None
    }

    fn origin(&mut self, text: &str) -> Option<Origin> {
        match Origin::parse(text) {
            Ok(origin) => Some(origin),
            Err(_) => self.refuse(Refusal::OriginInvalid(text.to_owned())),
        }
    }

    fn networks(&mut self, settings: &Settings) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in listed(&settings.trusted_proxies) {
            let address = text.parse().map(|address: IpAddr| address.into());
            match address.or_else(|_| text.parse::<IpNet>()) {
                Ok(network) if is_too_wide(network) => {
                    self.add(Refusal::ProxyTooWide(text.to_owned()));
                }
                Ok(network) => networks.push(network),
                Err(_) => self.add(Refusal::ProxyInvalid(text.to_owned())),
            }
        }
        networks
    }

    fn tls(&mut self, settings: &Settings) -> Option<Tls> {
        match (&settings.tls_cert, &settings.tls_key) {
            (Some(cert), Some(key)) => Some(Tls {
                cert: cert.clone(),
                key: key.clone(),
            }),
            (None, None) => None,
            _ => self.refuse(Refusal::TlsHalf),
        }
    }

    fn mail(&mut self, settings: &Settings) -> Option<SmtpSettings> {
        let url = settings.smtp_url.as_deref().filter(|url| !url.is_empty())?;
        let Some(from) = settings
            .mail_from
            .as_deref()
            .filter(|from| !from.is_empty())
        else {
            return self.refuse(Refusal::MailFromMissing);
        };
        match SmtpSettings::parse(url, from) {
            Ok(settings) => Some(settings),
            Err(error) => self.refuse(Refusal::MailInvalid(error.to_string())),
        }
    }

    fn database(&mut self, url: &str) -> Option<Database> {
        match Database::parse(url) {
            Ok(database) => Some(database),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Settings of what is not built yet are refused, not ignored: somebody would rely on them.
    fn unbuilt(&mut self, settings: &Settings) {
        if settings.redis_url.is_some() {
            self.add(Refusal::RedisUnsupported);
        }
    }

    /// What development does without.
    fn production(
        &mut self,
        settings: &Settings,
        public_url: Option<&Origin>,
        origins: &[Origin],
        ends_tls: bool,
    ) {
        if let Some(url) = public_url.filter(|url| !url.is_https()) {
            self.add(Refusal::PublicUrlPlain(url.to_string()));
        }
        for origin in origins.iter().filter(|origin| !origin.is_https()) {
            self.add(Refusal::OriginPlain(origin.to_string()));
        }
        if listed(&settings.secret).next().is_none() && settings.secret_file.is_none() {
            self.add(Refusal::SecretMissing);
        }
        if !ends_tls {
            self.add(Refusal::TlsMissing);
        }
        if settings.smtp_url.as_deref().unwrap_or_default().is_empty() {
            self.add(Refusal::MailMissing);
        }
    }
}

/// Wider than any operator's own network: such a list would believe strangers.
fn is_too_wide(network: IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 16,
    }
}

/// The entries of a list, without the empty ones that an empty variable leaves.
pub(crate) fn listed(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The public URL and whether it is development, or the codes of all refusals.
    fn judge(listen: &str, flags: &[&str]) -> Result<(String, bool), Vec<String>> {
        let settings = Settings::parse_from([&["example-server"], flags].concat());
        let plan = plan(&settings, listen.parse().unwrap()).map_err(|refusals| {
            let code =
                |refusal: &Refusal| refusal.to_string().split(':').next().unwrap().to_owned();
            refusals.iter().map(code).collect::<Vec<_>>()
        })?;
        Ok((
            plan.edge.public_url().to_string(),
            plan.edge.is_development(),
        ))
    }

    // OP1
    #[test]
    fn development_is_on_exactly_on_loopback() {
        let local = "127.0.0.1:8080";
        let development = |url: &str| Ok((url.to_owned(), true));
        let refused = |codes: &[&str]| Err(codes.iter().map(|&code| code.to_owned()).collect());
        let bare = ["secret_missing", "tls_missing", "mail_missing"];
        let table: [(&str, &[&str], _); 14] = [
            (local, &[], development("http://127.0.0.1:8080")),
            ("[::1]:9000", &[], development("http://[::1]:9000")),
            (
                local,
                &["--public-url", "http://localhost:8080"],
                development("http://localhost:8080"),
            ),
            (
                local,
                &["--public-url", ""],
                development("http://127.0.0.1:8080"),
            ),
            (
                "0.0.0.0:8080",
                &[],
                refused(&[&["public_url_missing"], &bare[..]].concat()),
            ),
            (
                "10.0.0.7:8080",
                &["--public-url", "http://localhost:8080"],
                refused(&[&["public_url_plain"], &bare[..]].concat()),
            ),
            (
                local,
                &["--public-url", "https://app.example.com"],
                refused(&bare),
            ),
            (
                local,
                &["--public-url", "http://app.example.com"],
                refused(&[&["public_url_plain"], &bare[..]].concat()),
            ),
            (
                local,
                &["--public-url", "localhost:8080"],
                refused(&["origin_invalid"]),
            ),
            (
                local,
                &["--allowed-origin", "https://a.example/x"],
                refused(&["origin_invalid"]),
            ),
            (
                local,
                &["--trusted-proxy", "10.0.0.0/8"],
                refused(&["proxy_in_development"]),
            ),
            (
                local,
                &["--database-url", "postgres://u:secret@db/x"],
                development("http://127.0.0.1:8080"),
            ),
            (
                local,
                &["--database-url", "sqlite://"],
                refused(&["database_invalid"]),
            ),
            (
                local,
                &["--ops-listen", local],
                refused(&["ops_listen_shared"]),
            ),
        ];
        for (listen, flags, verdict) in table {
            assert_eq!(judge(listen, flags), verdict, "{listen} {flags:?}");
        }
    }

    // OP1
    #[test]
    fn outside_development_whatever_is_unsafe_is_refused() {
        let good = [
            ("--public-url", "https://app.example.com"),
            ("--secret", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("--smtp-url", "smtps://user:pass@mail.example.com:465"),
            ("--mail-from", "Example <no-reply@example.com>"),
            ("--trusted-proxy", "10.0.0.0/8"),
        ];
        let with = |changes: &[(&'static str, Option<&'static str>)]| {
            let mut flags: Vec<(&str, &str)> = good.to_vec();
            for (flag, value) in changes {
                flags.retain(|(known, _)| known != flag);
                flags.extend(value.map(|value| (*flag, value)));
            }
            let flags: Vec<&str> = flags
                .iter()
                .flat_map(|(flag, value)| [*flag, *value])
                .collect();
            judge("0.0.0.0:8080", &flags).map_err(|codes| codes.join(" "))
        };
        let fine = Ok(("https://app.example.com".to_owned(), false));
        assert_eq!(with(&[]), fine);
        let tls = [
            ("--trusted-proxy", None),
            ("--tls-cert", Some("c.pem")),
            ("--tls-key", Some("k.pem")),
        ];
        assert_eq!(with(&tls), fine);
        assert_eq!(
            with(&[("--secret", None), ("--secret-file", Some("secret"))]),
            fine
        );
        for (changes, code) in [
            (vec![("--public-url", None)], "public_url_missing"),
            (
                vec![("--public-url", Some("http://app.example.com"))],
                "public_url_plain",
            ),
            (
                vec![("--allowed-origin", Some("http://other.example.com"))],
                "origin_plain",
            ),
            (vec![("--secret", None)], "secret_missing"),
            (vec![("--smtp-url", None)], "mail_missing"),
            (vec![("--mail-from", None)], "mail_from_missing"),
            (
                vec![("--smtp-url", Some("http://mail.example.com"))],
                "mail_invalid",
            ),
            (
                vec![("--smtp-url", Some("smtp://mail.example.com:25"))],
                "mail_invalid",
            ),
            (vec![("--trusted-proxy", None)], "tls_missing"),
            (
                vec![("--trusted-proxy", Some("proxy"))],
                "proxy_invalid tls_missing",
            ),
            (
                vec![("--trusted-proxy", Some("0.0.0.0/0"))],
                "proxy_too_wide tls_missing",
            ),
            (
                vec![("--trusted-proxy", Some("128.0.0.0/1,10.0.0.0/8"))],
                "proxy_too_wide",
            ),
            (vec![("--trusted-proxy", Some(","))], "tls_missing"),
            (
                vec![("--redis-url", Some("redis://h"))],
                "redis_unsupported",
            ),
            (vec![("--tls-cert", Some("c.pem"))], "tls_half"),
        ] {
            assert_eq!(with(&changes), Err(code.to_owned()), "{changes:?}");
        }
    }

    #[test]
    fn no_refusal_shows_a_secret() {
        let flags = [
            "--database-url",
            "postgres://u:hidden@db/x?sslmod=off",
            "--smtp-url",
            "smtp://u:hidden@h:25",
            "--mail-from",
            "a@b.example",
        ];
        let settings = Settings::parse_from([&["example-server"][..], &flags].concat());
        let refusals = plan(&settings, "127.0.0.1:1".parse().unwrap()).unwrap_err();
        assert_eq!(refusals.len(), 2);
        assert!(!format!("{refusals:?}").contains("hidden"));
    }
}
