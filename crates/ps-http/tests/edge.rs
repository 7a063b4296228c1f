//! What every request is judged by before anything is done for it.

#![allow(clippy::unwrap_used)]

mod common;

use bytes::Bytes;
use common::{Client, PRODUCTION, World};
use http::{Method, Request};
use ps_http::{Code, Edge, ForwardedFamily, Origin, Problem, TrustedProxies};
use serde_json::json;

async fn ask(
    client: &mut Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Bytes::copy_from_slice(body);
    client.send(request.body(body).unwrap()).await.refusal()
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Each request is wrong in all the ways that come later too, and is refused for the first.
#[tokio::test]
async fn the_order_of_judgement() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let made = client
        .post("/api/keys", Some(&token), json!({ "name": "a" }))
        .await
        .text("key");
    let scoped = json!({ "name": "b", "scopes": ["a:b"] });
    let scoped = client
        .post("/api/keys", Some(&token), scoped)
        .await
        .text("key");
    let path = "/api/v1/scoped";
    let large = vec![b'{'; 17_000];
    let (evil_host, evil) = (("host", "evil.example"), ("origin", "https://evil.example"));
    let key = |key: &str| format!("Bearer {key}");
    let (unscoped, good) = (key(&made), key(&scoped));
    let bad_type = ("content-type", "text/plain");
    let json_type = ("content-type", "application/json");

    client.tls = false;
    let https = ask(
        &mut client,
        "PUT",
        "/api/nowhere",
        &[evil_host, evil],
        &large,
    )
    .await;
    assert_eq!(https, refusal(403, "https_required"));
    client.tls = true;
    let host = ask(
        &mut client,
        "PUT",
        "/api/nowhere",
        &[evil_host, evil],
        &large,
    )
    .await;
    assert_eq!(host, refusal(421, "misdirected_request"));
    let route = ask(
        &mut client,
        "PUT",
        "/api/nowhere",
        &[evil, ("x-api-key", "a"), ("x-api-key", "b")],
        &large,
    )
    .await;
    assert_eq!(route, refusal(404, "not_found"));
    let method = ask(
        &mut client,
        "PUT",
        path,
        &[evil, ("x-api-key", "a"), ("x-api-key", "b")],
        &large,
    )
    .await;
    assert_eq!(method, refusal(405, "method_not_allowed"));
    let two = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("x-api-key", "a"), ("x-api-key", "b")],
        &large,
    )
    .await;
    assert_eq!(two, refusal(400, "ambiguous_credentials"));
    let origin = ask(&mut client, "POST", path, &[evil, bad_type], &large).await;
    assert_eq!(origin, refusal(403, "origin_forbidden"));
    let credential = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("x-api-key", "ps_x"), bad_type],
        &large,
    )
    .await;
    assert_eq!(credential, refusal(401, "api_key_invalid"));
    let scope = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("authorization", &unscoped), bad_type],
        &large,
    )
    .await;
    assert_eq!(scope, refusal(403, "scope_missing"));
    let kind = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("authorization", &good), bad_type],
        &large,
    )
    .await;
    assert_eq!(kind, refusal(415, "unsupported_media_type"));
    let size = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("authorization", &good), json_type],
        &large,
    )
    .await;
    assert_eq!(size, refusal(413, "body_too_large"));
    let body = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("authorization", &good), json_type],
        b"{",
    )
    .await;
    assert_eq!(body, refusal(400, "malformed_json"));
    let fine = ask(
        &mut client,
        "POST",
        path,
        &[evil, ("authorization", &good), json_type],
        b"{}",
    )
    .await;
    assert_eq!(fine, refusal(204, ""));
}

// HT4
#[tokio::test]
async fn a_body_of_16_kib_is_taken_and_one_byte_more_is_not() {
    let world = World::production().await;
    let mut client = world.client();
    for (size, status) in [(16_384, 400), (16_385, 413)] {
        let body = vec![b' '; size];
        let headers = [("content-type", "application/json; charset=UTF-8")];
        let answer = ask(&mut client, "POST", "/api/auth/magic-code", &headers, &body).await;
        assert_eq!(answer.0, status);
    }
}

// HT10
#[tokio::test]
async fn every_other_method_is_told_which_there_are() {
    let world = World::production().await;
    let mut client = world.client();
    let paths: Vec<&str> = world.auth.paths().collect();
    assert!(paths.len() >= 14, "{paths:?}");
    for path in paths {
        let path = path
            .replace("{id}", "0123456789012345678901")
            .replace("{provider}", "google");
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PURGE",
        ] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .body(Bytes::new())
                .unwrap();
            let reply = client.send(request).await;
            let allow = reply
                .headers
                .get("allow")
                .map(|v| v.to_str().unwrap().to_owned());
            if reply.status == 405 {
                let allow = allow.unwrap();
                assert!(
                    !allow.split(", ").any(|known| known == method),
                    "{method} {path}: {allow}"
                );
                assert!(method == "HEAD" || reply.text("code") == "method_not_allowed");
            } else {
                assert!(
                    reply.status.as_u16() != 404 || path.contains("0123"),
                    "{method} {path}"
                );
                assert_eq!(allow, None, "{method} {path}");
            }
        }
    }
}

// HT11: a variant of a path is no path, so none can dodge a limit.
#[tokio::test]
async fn a_path_is_itself_and_nothing_like_it() {
    let world = World::production().await;
    let mut client = world.client();
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/whoami/",
        "//api/v1/whoami",
        "/api//v1/whoami",
        "/API/v1/whoami",
        "/api/v1/%77hoami",
        "/api/v1/whoami;x",
        "/api/./v1/whoami",
        "/api/keys/",
        "/nowhere",
    ] {
        let answer = ask(&mut client, "GET", path, &[], b"").await;
        assert_eq!(answer, refusal(404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let world = World::production().await;
    let mut client = world.client();
    let get = client.get("/healthz", None).await;
    let head = client
        .call(Method::HEAD, "/healthz", None, json!(null))
        .await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.headers["content-length"], get.body.len().to_string());
    assert_eq!(head.headers["content-type"], get.headers["content-type"]);
}

// HT7, SE25
#[tokio::test]
async fn every_answer_says_how_to_treat_it() {
    let world = World::production().await;
    let mut client = world.client();
    for path in [
        "/api/v1/whoami",
        "/api/auth/session",
        "/api/nowhere",
        "/healthz",
    ] {
        let reply = client.get(path, None).await;
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        assert_eq!(
            reply.headers["content-security-policy"],
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert_eq!(
            reply.headers["strict-transport-security"],
            "max-age=31536000; includeSubDomains"
        );
        assert_eq!(reply.headers["x-request-id"].len(), 16);
    }
}

// HT8
#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_served() {
    let world = World::production().await;
    let mut client = world.client();
    let reply = client.get("/api/panic", None).await;
    assert_eq!(reply.refusal(), refusal(500, "internal_error"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("purpose"));
    assert_eq!(client.get("/healthz", None).await.status, 200);
}

// HT2
#[tokio::test]
async fn a_proxy_is_believed_where_it_is_trusted() {
    let networks = ["10.0.0.0/8".parse().unwrap()];
    let edge = Edge::new(Origin::parse(PRODUCTION).unwrap()).unwrap();
    let edge =
        edge.with_trusted_proxies(TrustedProxies::new(ForwardedFamily::XForwarded, networks));
    let world = World::with(edge, false).await;
    let mut client = world.client();
    client.tls = false;
    let https = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-request-id", "abc-1"),
    ];
    let spoofed = ask(&mut client, "GET", "/api/v1/whoami", &https, b"").await;
    assert_eq!(
        spoofed,
        refusal(403, "https_required"),
        "the peer is no proxy of ours"
    );
    client.peer = [10, 0, 0, 7].into();
    let believed = ask(&mut client, "GET", "/api/v1/whoami", &https, b"").await;
    assert_eq!(believed, refusal(401, "api_key_missing"));
    let request = https
        .iter()
        .fold(Request::builder().uri("/healthz"), |r, (n, v)| {
            r.header(*n, *v)
        });
    let reply = client.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(reply.headers["x-request-id"], "abc-1");
    client.tls = true;
    client.peer = [203, 0, 113, 9].into();
    let request = Request::builder()
        .uri("/healthz")
        .header("x-request-id", "abc-1");
    let reply = client.send(request.body(Bytes::new()).unwrap()).await;
    assert_ne!(
        reply.headers["x-request-id"], "abc-1",
        "a client's own is ignored"
    );
}

// ST6
#[tokio::test]
async fn a_node_whose_clock_is_off_is_not_ready() {
    let world = World::production().await;
    let mut client = world.client();
    client.tls = false;
    assert_eq!(client.get("/readyz", None).await.status, 200);
    // The memory store's clock is the test's; another node's would be its own.
    let test = ps_testkit::TestAmbient::default();
    test.clock.advance(std::time::Duration::from_millis(2_001));
    let follower = ps_core::Follower::new(world.store.clone(), test.ambient().clock);
    let edge = world.auth.edge().clone();
    let auth = ps_http::Auth::new(
        edge,
        world.store.clone(),
        std::sync::Arc::new(follower),
        test.ambient(),
    );
    let on = ps_http::Connection {
        peer: ([127, 0, 0, 1], 1).into(),
        tls: false,
    };
    let request = |path| Request::builder().uri(path).body(Bytes::new()).unwrap();
    let ready = auth.handle(request("/readyz"), on).await;
    assert_eq!(
        (ready.status().as_u16(), &ready.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(auth.handle(request("/healthz"), on).await.status(), 200);
}

/// What programs match on never changes by accident.
#[test]
fn every_code_has_its_status() {
    let table = [
        (Code::AddressNotAllowed, 403, "address_not_allowed"),
        (Code::AmbiguousCredentials, 400, "ambiguous_credentials"),
        (Code::ApiKeyInvalid, 401, "api_key_invalid"),
        (Code::ApiKeyMissing, 401, "api_key_missing"),
        (Code::ApiKeyRequired, 401, "api_key_required"),
        (Code::BodyTooLarge, 413, "body_too_large"),
        (Code::ChallengeMissing, 400, "challenge_missing"),
        (Code::CodeInvalid, 401, "code_invalid"),
        (Code::CredentialsInvalid, 401, "credentials_invalid"),
        (Code::CurrentPasswordWrong, 403, "current_password_wrong"),
        (Code::IdentityInUse, 409, "identity_in_use"),
        (Code::LastSignInMethod, 409, "last_sign_in_method"),
        (Code::ProviderNotLinked, 404, "provider_not_linked"),
        (Code::ProviderUnavailable, 503, "provider_unavailable"),
        (Code::ProviderUnknown, 404, "provider_unknown"),
        (
            Code::ReauthenticationRequired,
            403,
            "reauthentication_required",
        ),
        (Code::ReturnToInvalid, 400, "return_to_invalid"),
        (Code::DevelopmentOnly, 403, "development_only"),
        (Code::HeaderInvalid, 400, "header_invalid"),
        (Code::HttpsRequired, 403, "https_required"),
        (Code::IdempotencyKeyInvalid, 400, "idempotency_key_invalid"),
        (Code::InternalError, 500, "internal_error"),
        (Code::KeyRevoked, 409, "key_revoked"),
        (Code::MalformedJson, 400, "malformed_json"),
        (Code::MethodNotAllowed, 405, "method_not_allowed"),
        (Code::MisdirectedRequest, 421, "misdirected_request"),
        (Code::NotFound, 404, "not_found"),
        (Code::OriginForbidden, 403, "origin_forbidden"),
        (Code::RateLimited, 429, "rate_limited"),
        (Code::RefreshInvalid, 401, "refresh_invalid"),
        (Code::RefreshSuperseded, 401, "refresh_superseded"),
        (Code::RefreshUnreadable, 401, "refresh_unreadable"),
        (Code::ScopeMissing, 403, "scope_missing"),
        (Code::SessionInvalid, 401, "session_invalid"),
        (Code::SessionRequired, 401, "session_required"),
        (Code::TooManyKeys, 409, "too_many_keys"),
        (Code::Unavailable, 503, "unavailable"),
        (Code::UnsupportedMediaType, 415, "unsupported_media_type"),
        (Code::ValidationFailed, 400, "validation_failed"),
    ];
    for (code, status, text) in table {
        let response = Problem::new(code).into_response();
        assert_eq!(response.status(), status, "{text}");
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["code"], text);
        assert!(body["error"].as_str().unwrap().ends_with('.'));
        assert_eq!(body.as_object().unwrap().len(), 2);
        assert_eq!(
            response.headers().contains_key("www-authenticate"),
            status == 401,
            "{text}"
        );
        assert_eq!(
            response.headers().contains_key("retry-after"),
            status == 503,
            "{text}"
        );
    }
}
