//! What a framework's own parser answers, before anything of ours is asked. The two differ, and
//! neither is ours to change; what counts is that nothing of it reaches the application, or else
//! gets the same answer as everything does.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use parity::{Mount, Place, Server, Ways, Wire};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The connection is closed without a word.
    Closed,
    /// Ours: it reaches the application, which answers this.
    Ours(u16, &'static str),
    /// Refused with an empty answer that is not ours.
    Refused(u16),
    /// Nothing: more is waited for.
    Waits,
}

use Fate::{Closed, Ours, Refused, Waits};

const HOST: &str = "host: app.example.com\r\n";

/// A request, and what becomes of it with hyper and with actix-web.
fn cases() -> Vec<(&'static str, Vec<u8>, Fate, Fate)> {
    let get = |rest: &str| format!("GET /api/v1/whoami HTTP/1.1\r\n{rest}\r\n").into_bytes();
    let post = |rest: &str, body: &str| {
        format!("POST /api/echo HTTP/1.1\r\n{HOST}{rest}\r\n{body}").into_bytes()
    };
    let line = |line: &str| format!("{line}\r\n{HOST}\r\n").into_bytes();
    let header = |bytes: &[u8]| {
        [
            b"GET /api/v1/whoami HTTP/1.1\r\n",
            HOST.as_bytes(),
            bytes,
            b"\r\n\r\n",
        ]
        .concat()
    };
    let missing = Ours(401, "api_key_missing");
    let misdirected = Ours(421, "misdirected_request");
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("x-{n}: y\r\n"))
            .collect::<String>()
    };
    vec![
        (
            "no request",
            b"hello\r\n\r\n".to_vec(),
            Refused(400),
            Refused(400),
        ),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            Refused(400),
            Refused(400),
        ),
        // Not HTTP/2's preface: whether hyper speaks it is a feature that any other package of the
        // same build may turn on.
        (
            "HTTP/0.9",
            b"GET /api/v1/whoami\r\n\r\n".to_vec(),
            Refused(400),
            Refused(400),
        ),
        (
            "HTTP/1.2",
            line("GET /api/v1/whoami HTTP/1.2"),
            Refused(400),
            Refused(400),
        ),
        (
            "two spaces",
            line("GET  /api/v1/whoami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a space in the target",
            line("GET /api/v1/who ami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a space before the method",
            line(" GET /api/v1/whoami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a method that is no token",
            line("G@T /api/v1/whoami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a target without a slash",
            line("GET api/v1/whoami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a target that is not ASCII",
            line("GET /api/v1/whoami\u{e9} HTTP/1.1"),
            Ours(404, "not_found"),
            Refused(400),
        ),
        (
            "a null in the target",
            line("GET /api/v1/whoami\0 HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a tab in the target",
            line("GET /api/v1/\twhoami HTTP/1.1"),
            Refused(400),
            Refused(400),
        ),
        (
            "a target of 70 000 bytes",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(70_000))),
            Refused(414),
            Refused(400),
        ),
        (
            "CONNECT",
            line("CONNECT /api/v1/whoami HTTP/1.1"),
            Ours(405, "method_not_allowed"),
            Ours(405, "method_not_allowed"),
        ),
        ("no host", get(""), misdirected, Refused(400)),
        ("two hosts", get(&HOST.repeat(2)), misdirected, Refused(400)),
        (
            "bare line feeds",
            format!("GET /api/v1/whoami HTTP/1.1\n{}\n", HOST.replace('\r', "")).into_bytes(),
            missing,
            missing,
        ),
        (
            "a bare carriage return",
            header(b"x-a: b\rx-injected: c"),
            Refused(400),
            Refused(400),
        ),
        (
            "a null in a value",
            header(b"x-a: b\0c"),
            Refused(400),
            Refused(400),
        ),
        (
            "a folded value",
            header(b"x-a: b\r\n c"),
            Refused(400),
            Refused(400),
        ),
        (
            "a space before the colon",
            header(b"x-api-key : x"),
            Refused(400),
            Refused(400),
        ),
        (
            "a name that is no token",
            header(b"x(a): b"),
            Refused(400),
            Refused(400),
        ),
        ("no name", header(b": b"), Refused(400), Refused(400)),
        ("no colon", header(b"x-api-key"), Refused(400), Refused(400)),
        (
            "100 headers",
            get(&(HOST.to_owned() + &many(99))),
            missing,
            Refused(431),
        ),
        (
            "101 headers",
            get(&(HOST.to_owned() + &many(100))),
            Refused(431),
            Refused(431),
        ),
        (
            "a header of 1 MiB",
            header(&[b"x-a: ", &vec![b'x'; 1 << 20][..]].concat()),
            Refused(431),
            Refused(431),
        ),
        (
            "two equal lengths",
            post("content-length: 2\r\ncontent-length: 2\r\n", "{}"),
            Ours(200, ""),
            Refused(400),
        ),
        (
            "two lengths",
            post("content-length: 2\r\ncontent-length: 3\r\n", "{}"),
            Refused(400),
            Refused(400),
        ),
        (
            "two lengths in one",
            post("content-length: 2, 2\r\n", "{}"),
            Refused(400),
            Refused(400),
        ),
        (
            "a length with a sign",
            post("content-length: +2\r\n", "{}"),
            Refused(400),
            Refused(400),
        ),
        (
            "a negative length",
            post("content-length: -1\r\n", ""),
            Refused(400),
            Refused(400),
        ),
        (
            "no number",
            post("content-length: two\r\n", "{}"),
            Refused(400),
            Refused(400),
        ),
        (
            "a length beyond all",
            post("content-length: 99999999999999999999\r\n", "{}"),
            Refused(400),
            Refused(400),
        ),
        (
            "both framings",
            post(
                "content-length: 2\r\ntransfer-encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            Ours(200, ""),
            Refused(400),
        ),
        (
            "both, the other way",
            post(
                "transfer-encoding: chunked\r\ncontent-length: 2\r\n",
                "0\r\n\r\n",
            ),
            Ours(200, ""),
            Refused(400),
        ),
        (
            "another framing",
            post("transfer-encoding: gzip\r\n", ""),
            Refused(400),
            Refused(400),
        ),
        (
            "chunked, but not last",
            post("transfer-encoding: chunked, gzip\r\n", "0\r\n\r\n"),
            Refused(400),
            Refused(400),
        ),
        (
            "chunked twice",
            post("transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            Ours(200, ""),
            Refused(400),
        ),
        (
            "chunked in disguise",
            post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
            Refused(400),
            Refused(400),
        ),
        (
            "chunked in HTTP/1.0",
            format!("POST /api/echo HTTP/1.0\r\n{HOST}transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
                .into_bytes(),
            Refused(400),
            Refused(400),
        ),
        (
            "a size that is none",
            post("transfer-encoding: chunked\r\n", "xyz\r\n"),
            Ours(400, "malformed_json"),
            Ours(400, "malformed_json"),
        ),
        (
            "a size beyond all",
            post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n"),
            Ours(400, "malformed_json"),
            Ours(400, "malformed_json"),
        ),
        (
            "a size in disguise",
            post("transfer-encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"),
            Ours(400, "malformed_json"),
            Ours(400, "malformed_json"),
        ),
        (
            "a chunk longer than it says",
            post("transfer-encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n"),
            Ours(400, "malformed_json"),
            Ours(400, "malformed_json"),
        ),
        (
            "a chunk's extension",
            post("transfer-encoding: chunked\r\n", "2;a=b\r\n{}\r\n0\r\n\r\n"),
            Ours(200, ""),
            Ours(200, ""),
        ),
        (
            "trailers",
            post(
                "transfer-encoding: chunked\r\n",
                "2\r\n{}\r\n0\r\nx-api-key: x\r\n\r\n",
            ),
            Ours(200, ""),
            Ours(200, ""),
        ),
        (
            "HTTP/1.0",
            format!("GET /api/v1/whoami HTTP/1.0\r\n{HOST}\r\n").into_bytes(),
            missing,
            missing,
        ),
        (
            "HTTP/1.0 without a host",
            b"GET /api/v1/whoami HTTP/1.0\r\n\r\n".to_vec(),
            misdirected,
            misdirected,
        ),
    ]
}

async fn fate(server: &Server, bytes: &[u8]) -> Fate {
    let before = server.reached();
    let mut wire = Wire::open(server.address()).await.unwrap();
    let (answer, reached) =
        match tokio::time::timeout(Duration::from_secs(8), wire.exchange(bytes, false)).await {
            Ok(answer) => (answer, server.reached() - before),
            Err(_) => return Waits,
        };
    let Ok(answer) = answer else {
        assert_eq!(reached, 0, "it reached the application");
        return Closed;
    };
    if reached == 0 {
        assert!(answer.body.is_empty() && answer.first("x-request-id").is_empty());
        return Refused(answer.status);
    }
    assert_eq!((reached, answer.first("x-request-id").len()), (1, 16));
    let code = answer.code();
    Ours(answer.status, Box::leak(code.into_boxed_str()))
}

// HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_parser_refuses() {
    let ways = Ways::new(Place::Production, Mount::Alone).await;
    let [axum, actix] = ways.servers();
    let (mut refused, mut wrong) = (0, Vec::new());
    let cases = cases();
    let count = cases.len();
    for (name, bytes, with_hyper, with_actix) in cases {
        let found = (fate(axum, &bytes).await, fate(actix, &bytes).await);
        if found != (with_hyper, with_actix) {
            wrong.push(format!("{name}: hyper {:?}, actix {:?}", found.0, found.1));
        }
        refused += usize::from(!matches!(found.0, Ours(..)));
    }
    println!(
        "parsers: {count} requests, {refused} refused by hyper\n{}",
        wrong.join("\n")
    );
    assert!(
        wrong.is_empty() && count >= 49,
        "{} of {count}",
        wrong.len()
    );
}
