//! From settings to what will be served, or a refusal: a pure function.

use std::net::SocketAddr;

use ps_http::{Edge, Origin};

use crate::settings::{Settings, Switch};

/// Why the server does not start. Each has a stable code and says what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("origin_invalid: {0:?} is not a bare origin such as https://app.example.com")]
    OriginInvalid(String),
    #[error(
        "development_only: this version keeps everything in memory and sends no mail, so it serves \
         development mode only: listen on a loopback address and leave the public URL at \
         http://127.0.0.1 or http://localhost"
    )]
    DevelopmentOnly,
}

/// What will be served.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) edge: Edge,
    pub(crate) network_limits: bool,
}

/// Judges the settings for a server that listens on `listen`.
///
/// Development mode is on exactly while that address is loopback and the public URL is plain HTTP
/// on a loopback host.
pub(crate) fn plan(settings: &Settings, listen: SocketAddr) -> Result<Plan, Refusal> {
    let by_default = format!("http://{listen}");
    let given = settings
        .public_url
        .as_deref()
        .filter(|text| !text.is_empty());
    let public_url = read_origin(given.unwrap_or(&by_default))?;
    let allowed = settings
        .allowed_origins
        .iter()
        .filter(|text| !text.is_empty());
    let allowed: Vec<Origin> = allowed
        .map(|text| read_origin(text))
        .collect::<Result<_, _>>()?;
    if !listen.ip().is_loopback() {
        return Err(Refusal::DevelopmentOnly);
    }
    let edge = Edge::development(public_url).map_err(|_| Refusal::DevelopmentOnly)?;
    Ok(Plan {
        edge: edge.with_allowed_origins(allowed),
        network_limits: settings.network_limits == Switch::On,
    })
}

fn read_origin(text: &str) -> Result<Origin, Refusal> {
    Origin::parse(text).map_err(|_| Refusal::OriginInvalid(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn judge(listen: &str, flags: &[&str]) -> Result<String, Refusal> {
        let settings = Settings::parse_from([&["example-server"], flags].concat());
        let plan = plan(&settings, listen.parse().unwrap())?;
        Ok(plan.edge.public_url().to_string())
    }

    // OP1
    #[test]
    fn the_table() {
        let origin = |text: &str| Err(Refusal::OriginInvalid(text.to_owned()));
        let table = [
            (
                "127.0.0.1:8080",
                vec![],
                Ok("http://127.0.0.1:8080".to_owned()),
            ),
            ("[::1]:9000", vec![], Ok("http://[::1]:9000".to_owned())),
            (
                "127.0.0.1:8080",
                vec!["--public-url", "http://localhost:8080"],
                Ok("http://localhost:8080".to_owned()),
            ),
            (
                "127.0.0.1:8080",
                vec!["--public-url", ""],
                Ok("http://127.0.0.1:8080".to_owned()),
            ),
            ("0.0.0.0:8080", vec![], Err(Refusal::DevelopmentOnly)),
            ("10.0.0.7:8080", vec![], Err(Refusal::DevelopmentOnly)),
            (
                "0.0.0.0:8080",
                vec!["--public-url", "http://localhost:8080"],
                Err(Refusal::DevelopmentOnly),
            ),
            (
                "127.0.0.1:8080",
                vec!["--public-url", "https://app.example.com"],
                Err(Refusal::DevelopmentOnly),
            ),
            (
                "127.0.0.1:8080",
                vec!["--public-url", "http://app.example.com"],
                Err(Refusal::DevelopmentOnly),
            ),
            (
                "127.0.0.1:8080",
                vec!["--public-url", "localhost:8080"],
                origin("localhost:8080"),
            ),
            (
                "127.0.0.1:8080",
                vec!["--allowed-origin", "https://a.example/x"],
                origin("https://a.example/x"),
            ),
        ];
        for (listen, flags, verdict) in table {
            assert_eq!(judge(listen, &flags), verdict, "{listen} {flags:?}");
        }
    }
}
