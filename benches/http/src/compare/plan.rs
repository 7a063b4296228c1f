//! What is measured beside what.

use std::{cell::Cell, cell::RefCell, fmt};

use crate::{
    Outcome,
    child::Child,
    example,
    load::{Ask, Requests, Socket},
    rustauth,
    serve::{HOST, OWN, OWN_SESSION},
};

/// The first target of a group is what the others are divided by.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) targets: Vec<Target>,
}

pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) server: Server,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Server {
    /// The example server's binary, with this framework.
    Example(&'static str),
    /// One of `serve`.
    Of(Vec<&'static str>),
    /// The program in `rustauth/`.
    Rustauth(Vec<&'static str>),
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, words) = match self {
            Self::Example(framework) => return write!(f, "the example server on {framework}"),
            Self::Of(words) => ("", words),
            Self::Rustauth(words) => ("rustauth ", words),
        };
        let shown = words.iter().filter(|word| **word != ANSWER);
        write!(f, "{name}{}", shown.copied().collect::<Vec<_>>().join(" "))
    }
}

/// What is asked for, with which credential.
#[derive(Clone, Copy)]
enum What {
    Open(&'static str),
    /// A good key.
    Key(&'static str),
    /// Not a key at all.
    Shapeless,
    /// A key of which one character is another.
    Misspelt,
    Token(&'static str),
    /// A cookie that `GET` of the first path gives, at the second.
    #[cfg_attr(
        not(feature = "axum-login"),
        expect(dead_code, reason = "only peers are entered")
    )]
    Entered(&'static str, &'static str),
    Refresh,
}

pub(crate) const CONNECTIONS: [usize; 4] = [1, 4, 16, 64];

const WHOAMI: &str = "/api/v1/whoami";
const SESSION: &str = "/api/auth/session";
const REFRESH: &str = "/api/auth/refresh";
/// As long as what [`WHOAMI`] answers, and what everybody's own route does.
const ANSWER: &str = r#"{"account_id":"0000000000000000000000","key":{"id":"0000000000000000000000","name":"load 00","scopes":["programs:read","programs:write"],"expires_at":null}}"#;
/// How many people have a session where a peer keeps them.
#[cfg(feature = "axum-login")]
const PEOPLE: usize = 1_000;

pub(crate) fn groups() -> Vec<Group> {
    vec![
        keys("API keys on axum", "axum"),
        keys("API keys on actix-web", "actix"),
        sessions("Sessions on axum", "axum"),
        sessions("Sessions on actix-web", "actix"),
        refreshes("Refresh on axum", "axum"),
        refreshes("Refresh on actix-web", "actix"),
    ]
}

/// What is measured with 1 to 64 connections.
pub(crate) fn curves() -> Group {
    let mut targets = vec![
        target("axum, bare", bare("axum"), What::Open(OWN)),
        target(
            "ps-auth key, axum",
            ours("axum", "memory", "1000", "0"),
            What::Key(OWN),
        ),
        target("actix-web, bare", bare("actix"), What::Open(OWN)),
        target(
            "ps-auth key, actix-web",
            ours("actix", "memory", "1000", "0"),
            What::Key(OWN),
        ),
        target(
            "ps-auth session, axum",
            ours("axum", "memory", "0", "1000"),
            What::Token(OWN_SESSION),
        ),
        jwt("jsonwebtoken HS256", "hs256"),
    ];
    targets.extend(peers_sessions());
    Group {
        name: "Throughput against connections",
        targets,
    }
}

fn keys(name: &'static str, framework: &'static str) -> Group {
    let few = || ours(framework, "memory", "1000", "0");
    let mut targets = vec![
        target("bare", bare(framework), What::Open(OWN)),
        target("whoami, 10³ keys", few(), What::Key(WHOAMI)),
        target("own route, 10³ keys", few(), What::Key(OWN)),
        target("garbage, wrong shape", few(), What::Shapeless),
        target("garbage, bad checksum", few(), What::Misspelt),
        target(
            "whoami, 10³ keys, SQLite",
            ours(framework, "sqlite", "1000", "0"),
            What::Key(WHOAMI),
        ),
        target(
            "whoami, 10⁶ keys",
            ours(framework, "memory", "1000000", "0"),
            What::Key(WHOAMI),
        ),
    ];
    if example::binary().is_some() {
        let server = Server::Example(framework);
        targets.push(target("whoami, example server", server, What::Key(WHOAMI)));
    }
    if framework == "axum" && rustauth::binary().is_some() {
        let of = |store| Server::Rustauth(vec![store, ANSWER, "1000"]);
        targets.extend([
            target("rustauth, a map, 10³ keys", of("map"), What::Key(OWN)),
            target("rustauth, memory, 10³ keys", of("memory"), What::Key(OWN)),
        ]);
    }
    Group { name, targets }
}

fn sessions(name: &'static str, framework: &'static str) -> Group {
    let own = || ours(framework, "memory", "0", "1000");
    let mut targets = vec![
        target("bare", bare(framework), What::Open(OWN)),
        target("own route", own(), What::Token(OWN_SESSION)),
        target("/api/auth/session", own(), What::Token(SESSION)),
        target(
            "/api/auth/session, SQLite",
            ours(framework, "sqlite", "0", "1000"),
            What::Token(SESSION),
        ),
    ];
    if example::binary().is_some() {
        let server = Server::Example(framework);
        targets.push(target(
            "/api/auth/session, example server",
            server,
            What::Token(SESSION),
        ));
    }
    if framework == "axum" {
        targets.push(jwt("jsonwebtoken HS256", "hs256"));
        targets.push(jwt("jsonwebtoken EdDSA", "eddsa"));
        targets.extend(peers_sessions());
    }
    Group { name, targets }
}

fn refreshes(name: &'static str, framework: &'static str) -> Group {
    let sessions = |store| ours(framework, store, "0", "64");
    let mut targets = vec![
        target("bare", bare(framework), What::Open(OWN)),
        target("memory", sessions("memory"), What::Refresh),
        target("SQLite", sessions("sqlite"), What::Refresh),
    ];
    if example::binary().is_some() {
        targets.push(target(
            "example server",
            Server::Example(framework),
            What::Refresh,
        ));
    }
    Group { name, targets }
}

fn target(name: &'static str, server: Server, what: What) -> Target {
    Target { name, server, what }
}

fn bare(framework: &'static str) -> Server {
    Server::Of(vec!["bare", framework, ANSWER])
}

fn ours(
    framework: &'static str,
    store: &'static str,
    keys: &'static str,
    sessions: &'static str,
) -> Server {
    Server::Of(vec!["ours", framework, store, ANSWER, keys, sessions])
}

fn jwt(name: &'static str, algorithm: &'static str) -> Target {
    let server = Server::Of(vec!["jsonwebtoken", algorithm, ANSWER]);
    target(name, server, What::Token(OWN))
}

#[cfg(feature = "axum-login")]
fn peers_sessions() -> Vec<Target> {
    use crate::serve::ENTER;
    let peer = |name| {
        target(
            name,
            Server::Of(vec![name, ANSWER]),
            What::Entered(ENTER, OWN),
        )
    };
    vec![peer("tower-sessions"), peer("axum-login")]
}

#[cfg(not(feature = "axum-login"))]
fn peers_sessions() -> Vec<Target> {
    Vec::new()
}

impl Target {
    /// What to send, now that the server has said what opens it.
    pub(crate) async fn ask(&self, server: &Child) -> Outcome<Ask> {
        let host = match self.server {
            Server::Example(_) => server.address.to_string(),
            Server::Of(_) | Server::Rustauth(_) => HOST.to_owned(),
        };
        let given = |kind: &str| {
            let lines = server.credentials.iter();
            let of_kind = lines.filter_map(|line| line.strip_prefix(kind));
            of_kind.map(str::to_owned).collect::<Vec<_>>()
        };
        let with = |path: &str, headers: Vec<String>| {
            let whole = |header| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{header}\r\n");
            headers
                .into_iter()
                .map(|header| whole(header).into_bytes())
                .collect::<Vec<_>>()
        };
        let keys = |change: fn(String) -> String| {
            let header = |key| format!("x-api-key: {}\r\n", change(key));
            given("key ").into_iter().map(header).collect::<Vec<_>>()
        };
        let mut expected = 200;
        let texts = match self.what {
            What::Open(path) => with(path, vec![String::new()]),
            What::Key(path) => with(path, keys(|key| key)),
            What::Shapeless => {
                expected = 401;
                with(WHOAMI, keys(|key| format!("sk_{}", &key[3..])))
            }
            What::Misspelt => {
                expected = 401;
                with(WHOAMI, keys(misspell))
            }
            What::Token(path) => {
                let header = |token| format!("authorization: Bearer {token}\r\n");
                with(path, given("token ").into_iter().map(header).collect())
            }
            What::Entered(enter, path) => {
                let header = |cookie| format!("cookie: {cookie}\r\n");
                let cookies = entered(server, enter).await?;
                with(path, cookies.into_iter().map(header).collect())
            }
            What::Refresh => {
                let head =
                    format!("POST {REFRESH} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n");
                let cookies = RefCell::new(given("cookie "));
                let (address, requests) = (server.address, Requests::Chained { head, cookies });
                return Ok(Ask {
                    address,
                    requests,
                    expected,
                });
            }
        };
        if texts.is_empty() {
            return Err(format!("{} gave nothing out for {}", self.server, self.name).into());
        }
        let next = Cell::new(0);
        let requests = Requests::Prepared { texts, next };
        Ok(Ask {
            address: server.address,
            requests,
            expected,
        })
    }
}

/// One character of the secret part is another.
fn misspell(mut key: String) -> String {
    let other = if key.as_bytes()[9] == b'x' { "y" } else { "x" };
    key.replace_range(9..10, other);
    key
}

#[cfg(not(feature = "axum-login"))]
const PEOPLE: usize = 0;

async fn entered(server: &Child, path: &str) -> Outcome<Vec<String>> {
    let mut socket = Socket::open(server.address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    let mut cookies = Vec::with_capacity(PEOPLE);
    for _ in 0..PEOPLE {
        socket.send(request.as_bytes()).await?;
        let cookie = socket.cookie("");
        cookies.push(cookie.ok_or_else(|| format!("no cookie: {}", socket.text()))?);
    }
    Ok(cookies)
}
