//! Bodies: of every shape, every size, every framing and every declared type.

use parity::{Asked, Group, Place, Sending};
use ps_http::BODY_LIMIT;

/// What reads a body, and one that it takes.
const READERS: [(&str, &str, &str); 10] = [
    (
        "POST",
        "/api/auth/magic-code",
        r#"{"email": "a@example.com"}"#,
    ),
    (
        "POST",
        "/api/auth/magic-code/verify",
        r#"{"code": "123456", "challenge": "{missing}"}"#,
    ),
    (
        "POST",
        "/api/auth/register-magic",
        r#"{"email": "b@example.com"}"#,
    ),
    (
        "POST",
        "/api/auth/register-magic/verify",
        r#"{"code": "12345678", "challenge": "{missing}"}"#,
    ),
    (
        "POST",
        "/api/auth/login",
        r#"{"email": "", "password": "x"}"#,
    ),
    ("PUT", "/api/auth/password", r#"{"new_password": "short"}"#),
    ("POST", "/api/keys", r#"{"name": ""}"#),
    ("PATCH", "/api/keys/{missing}", r#"{"name": "x"}"#),
    (
        "POST",
        "/api/keys/{missing}/rotate",
        r#"{"grace_seconds": 1}"#,
    ),
    (
        "POST",
        "/api/auth/social/google/link",
        r#"{"return_to": "/"}"#,
    ),
];

const SHAPES: [&[u8]; 44] = [
    b"",
    b" ",
    b"null",
    b"true",
    b"0",
    b"\"a\"",
    b"[]",
    b"{}",
    b"{",
    b"}",
    b"{}}",
    b"{}{}",
    b"{} x",
    b" {} ",
    b"\xef\xbb\xbf{}",
    b"{\"\": 1}",
    b"{\"a\"}",
    b"{\"a\": }",
    b"{\"a\": 1,}",
    b"{a: 1}",
    b"{'a': 1}",
    b"{\"a\": NaN}",
    b"{\"a\": 1e999}",
    b"{\"a\": 01}",
    b"{\"email\": 1}",
    b"{\"email\": null}",
    b"{\"email\": []}",
    b"{\"email\": \"a@example.com\", \"email\": \"b@example.com\"}",
    b"{\"email\": \"a@example.com\", \"Email\": \"b@example.com\"}",
    b"{\"email\": \"a@example.com\", \"__proto__\": {}}",
    b"{\"email\": \"\\ud800\"}",
    b"{\"email\": \"\\u0000@example.com\"}",
    b"{\"email\": \"a\\r\\nX-Injected: 1@example.com\"}",
    b"{\"email\": \"\xff@example.com\"}",
    b"{\"email\": \"\xed\xa0\x80@example.com\"}",
    b"{\"name\": \"\x01\"}",
    b"{\"name\": \"a\", \"scopes\": \"a:b\"}",
    b"{\"name\": \"a\", \"scopes\": [\"A:B\"]}",
    b"{\"name\": \"a\", \"allowed_ips\": [\"10.0.0.0/33\"]}",
    b"{\"name\": \"a\", \"expires_at\": \"2000-01-01T00:00:00Z\"}",
    b"{\"code\": \"123456\"}",
    b"{\"grace_seconds\": 604801}",
    b"{\"grace_seconds\": -1}",
    b"{\"return_to\": \"//evil.example\"}",
];

const CLAIMED: [&[&[u8]]; 24] = [
    &[],
    &[b""],
    &[b"application/json"],
    &[b"APPLICATION/JSON"],
    &[b"application/json;"],
    &[b"application/json; charset=utf-8"],
    &[b"application/json;charset=UTF-8"],
    &[b"application/json; charset=\"utf-8\""],
    &[b"application/json; charset=utf-16"],
    &[b"application/json; charset=utf-8; charset=utf-8"],
    &[b"application/json; boundary=x"],
    &[b"application/json, text/plain"],
    &[b"application/json\xc2\xa0"],
    &[b"application/json\xff"],
    &[b"application/jsonx"],
    &[b"application/vnd.api+json"],
    &[b"application/merge-patch+json"],
    &[b"text/json"],
    &[b"text/plain"],
    &[b"application/x-www-form-urlencoded"],
    &[b"multipart/form-data; boundary=x"],
    &[b"application/json", b"application/json"],
    &[b"application/json", b"text/plain"],
    &[b"text/plain", b"application/json"],
];

fn read_by(method: &str, target: &str) -> Asked {
    let asked = Asked::new(method, target);
    let needs_session = !target.starts_with("/api/auth/")
        || target.ends_with("/password")
        || target.ends_with("/link");
    if needs_session {
        asked.bearing("{token}")
    } else {
        asked
    }
}

// HT4, HT9, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_shape_and_type() {
    let mut group = Group::new("shapes", Place::Development).await;
    for (method, target, good) in READERS {
        for shape in SHAPES {
            group.ask(&read_by(method, target).with_json(shape)).await;
        }
        let deep = format!("{{\"email\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        group.ask(&read_by(method, target).with_json(deep)).await;
        for lines in CLAIMED {
            for body in [good, ""] {
                let mut asked = read_by(method, target).with_body(body);
                for line in lines {
                    asked = asked.with("content-type", line);
                }
                group.ask(&asked).await;
            }
        }
        for encoding in ["gzip", "identity", "br, gzip", ""] {
            let asked = read_by(method, target).with_json(good);
            group.ask(&asked.with("content-encoding", encoding)).await;
        }
    }
    group.done(970);
}

// HT4, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_size_and_framing() {
    let mut group = Group::new("sizes", Place::Production).await;
    let echo = [("POST", "/api/echo", "{}"), ("GET", "/api/v1/whoami", "")];
    for (method, target, good) in READERS.into_iter().chain(echo) {
        for size in [
            BODY_LIMIT - 1,
            BODY_LIMIT,
            BODY_LIMIT + 1,
            BODY_LIMIT + 2,
            1 << 20,
        ] {
            let mut body = good.as_bytes().to_vec();
            body.resize(size, b' ');
            let asked = read_by(method, target).with_json(&body);
            group.ask(&asked).await;
            group
                .ask(&asked.clone().sent(Sending::Chunked(4_096)))
                .await;
            group.ask(&read_by(method, target).with_body(&body)).await;
        }
        for piece in [1, 7, 100_000] {
            let asked = read_by(method, target).with_json(good);
            group.ask(&asked.sent(Sending::Chunked(piece))).await;
        }
        for body in [good, "x"] {
            let torn = read_by(method, target).with_json(body).sent(Sending::Torn);
            group.ask(&torn).await;
            group.ask(&torn.with("host", "evil.example")).await;
        }
    }
    group.done(260);
}
