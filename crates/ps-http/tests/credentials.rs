//! Every kind of credential at every route: what opens it, and what it is told otherwise.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Client, World};
use http::{Method, Request};
use serde_json::json;

/// What is sent, and where.
struct Kind {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    at_key_route: (u16, &'static str),
    at_session_route: (u16, &'static str),
}

// AK12, SE9
#[tokio::test]
async fn no_credential_opens_what_another_kind_opens() {
    let world = World::production().await;
    let mut client = world.client();
    let ended = client.token("alice@example.com").await;
    client.post("/api/auth/logout", None, json!(null)).await;
    let mut other = world.client();
    let expired = other.token("alice@example.com").await;
    let dead = json!({ "name": "a", "scopes": ["a:b"], "expires_at": "2026-11-22T10:00:01Z" });
    let dead = other
        .post("/api/keys", Some(&expired), dead)
        .await
        .text("key");
    world.test.clock.advance(Duration::from_secs(3_600));
    world.follower.poll().await.unwrap();
    let token = client.token("alice@example.com").await;
    let body = json!({ "name": "a", "scopes": ["a:b"] });
    let made = client.post("/api/keys", Some(&token), body).await.json();
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    let refresh = client.jar["__Host-ps_refresh"].clone();
    let challenge = client
        .ask("/api/auth/magic-code", "alice@example.com")
        .await
        .text("challenge");

    let bearer = |text: &str| vec![("authorization", format!("Bearer {text}"))];
    let x_key = |text: &str| vec![("x-api-key", text.to_owned())];
    let cookie = vec![("cookie", format!("__Host-ps_refresh={refresh}"))];
    let kind = |name, headers, at_key_route, at_session_route| Kind {
        name,
        headers,
        at_key_route,
        at_session_route,
    };
    let missing = (401, "api_key_missing");
    let invalid = (401, "api_key_invalid");
    let wanted = (401, "api_key_required");
    let required = (401, "session_required");
    let refused = (401, "session_invalid");
    let both = (400, "ambiguous_credentials");
    let kinds = [
        kind("nothing", vec![], missing, required),
        kind("a key", x_key(&key), (0, ""), required),
        kind("a key as bearer", bearer(&key), (0, ""), required),
        kind("an expired key", bearer(&dead), invalid, required),
        kind("an access token", bearer(&token), wanted, (0, "")),
        kind("an access token as key", x_key(&token), wanted, required),
        kind("an expired access token", bearer(&expired), wanted, refused),
        kind(
            "an access token of an ended session",
            bearer(&ended),
            wanted,
            refused,
        ),
        kind(
            "a refresh token as bearer",
            bearer(&refresh),
            invalid,
            refused,
        ),
        kind("a refresh token in its cookie", cookie, missing, required),
        kind("a challenge", bearer(&challenge), invalid, refused),
        kind("garbage", bearer("garbage"), invalid, refused),
        kind(
            "another scheme",
            vec![("authorization", "Basic YTpi".to_owned())],
            missing,
            required,
        ),
        kind("both", [x_key(&key), bearer(&token)].concat(), both, both),
        kind(
            "the same twice",
            [x_key(&key), x_key(&key)].concat(),
            both,
            both,
        ),
    ];
    let key_routes = [
        (Method::GET, "/api/v1/whoami"),
        (Method::GET, "/api/v1/scoped"),
    ];
    let session_routes = [
        (Method::GET, "/api/auth/session"),
        (Method::GET, "/api/auth/sessions"),
        (Method::DELETE, "/api/auth/sessions/0123456789012345678901"),
        (Method::DELETE, "/api/auth/sessions"),
        (Method::GET, "/api/keys"),
        (Method::POST, "/api/keys"),
        (Method::GET, &path),
        (Method::PATCH, "/api/keys/0123456789012345678901"),
        (Method::DELETE, "/api/keys/0123456789012345678901"),
        (Method::POST, "/api/keys/0123456789012345678901/rotate"),
    ];
    for kind in &kinds {
        for (method, path) in &key_routes {
            check(&mut client, method, path, kind, kind.at_key_route).await;
        }
        for (method, path) in &session_routes {
            check(&mut client, method, path, kind, kind.at_session_route).await;
        }
    }
}

async fn check(
    client: &mut Client,
    method: &Method,
    path: &str,
    kind: &Kind,
    expected: (u16, &str),
) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", "x=y");
    if let Some(cookie) = kind.headers.iter().find(|(name, _)| *name == "cookie") {
        request
            .headers_mut()
            .unwrap()
            .insert("cookie", cookie.1.parse().unwrap());
    }
    for (name, value) in kind.headers.iter().filter(|(name, _)| *name != "cookie") {
        request = request.header(*name, value);
    }
    let reply = client
        .clone()
        .send(request.body(Bytes::new()).unwrap())
        .await;
    let (status, code) = reply.refusal();
    let what = format!("{} at {method} {path}: {status} {code}", kind.name);
    if expected.0 == 0 {
        assert!(!matches!(status, 401 | 403), "{what}");
    } else {
        assert_eq!((status, code.as_str()), expected, "{what}");
    }
    if status == 401 {
        let challenge = reply.headers["www-authenticate"].to_str().unwrap();
        let sent = kind
            .headers
            .iter()
            .any(|(name, value)| *name != "cookie" && !value.starts_with("Basic"));
        assert_eq!(
            challenge.contains("invalid_token"),
            sent,
            "{what}: {challenge}"
        );
    }
}
