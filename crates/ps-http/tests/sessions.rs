//! Sessions over HTTP.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Client, World};
use http::Request;
use serde_json::json;

const COOKIE: &str = "__Host-ps_refresh";
const CLEARED: &str = "__Host-ps_refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// The status and code of a refresh with the cookie of another moment, in a jar of its own.
async fn replay(client: &Client, cookie: &str, key: Option<&str>) -> (u16, String, Vec<String>) {
    let mut other = client.clone();
    other.jar.insert(COOKIE.to_owned(), cookie.to_owned());
    let reply = other.refresh(key).await;
    let cookies = reply.cookies().iter().map(|&c| c.to_owned()).collect();
    (reply.status.as_u16(), reply.text("code"), cookies)
}

#[tokio::test]
async fn a_refresh_moves_on_and_the_old_cookie_is_worth_nothing() {
    let world = World::production().await;
    let mut client = world.client();
    client.token("alice@example.com").await;
    let old = client.jar[COOKIE].clone();
    world.test.clock.advance(Duration::from_secs(60));
    let reply = client.refresh(None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json()["session"]["expires_at"],
        "2026-11-29T10:01:00Z"
    );
    assert_ne!(client.jar[COOKIE], old);
    // SE12: seven days from this rotation, not from the sign-in.
    assert!(reply.cookies()[0].ends_with("; Max-Age=604800"));

    // A race within 10 s is refused and harms nobody; SE17: no cookie is touched.
    let raced = replay(&client, &old, None).await;
    assert_eq!(raced, (401, "refresh_superseded".to_owned(), vec![]));
    let token = client.refresh(None).await.text("access_token");
    assert_eq!(
        client.get("/api/auth/session", Some(&token)).await.status,
        200
    );

    // SE16: the same later is a replay: the session ends for everybody.
    world.test.clock.advance(Duration::from_secs(11));
    let replayed = replay(&client, &old, None).await;
    assert_eq!(
        replayed,
        (401, "refresh_invalid".to_owned(), vec![CLEARED.to_owned()])
    );
    let refused = client.get("/api/auth/session", Some(&token)).await;
    assert_eq!(refused.refusal(), (401, "session_invalid".to_owned()));
    assert_eq!(
        client.refresh(None).await.refusal(),
        (401, "refresh_invalid".to_owned())
    );
    assert!(!client.jar.contains_key(COOKIE));
}

// SE15
#[tokio::test]
async fn a_retry_with_its_key_gets_the_same_answer() {
    let world = World::production().await;
    let mut client = world.client();
    client.token("alice@example.com").await;
    let old = client.jar[COOKIE].clone();
    let first = client.refresh(Some("key-of-this-try")).await;
    let again = replay(&client, &old, Some("key-of-this-try")).await;
    assert_eq!(
        again,
        (200, String::new(), vec![first.cookies()[0].to_owned()])
    );
    let other = replay(&client, &old, Some("another-key")).await;
    assert_eq!(other, (401, "refresh_superseded".to_owned(), vec![]));
}

#[tokio::test]
async fn an_idempotency_key_is_8_to_255_visible_characters() {
    let world = World::production().await;
    let mut client = world.client();
    client.token("alice@example.com").await;
    let long = "x".repeat(256);
    for key in ["", "1234567", "with space", &long] {
        let reply = client.refresh(Some(key)).await;
        assert_eq!(
            reply.refusal(),
            (400, "idempotency_key_invalid".to_owned()),
            "{key:?}"
        );
    }
    let twice = Request::builder()
        .method("POST")
        .uri("/api/auth/refresh")
        .header("idempotency-key", "12345678")
        .header("idempotency-key", "12345678")
        .body(bytes::Bytes::new())
        .unwrap();
    assert_eq!(
        client.send(twice).await.refusal(),
        (400, "idempotency_key_invalid".to_owned())
    );
    assert_eq!(client.refresh(Some(&"x".repeat(255))).await.status, 200);
}

// SE17
#[tokio::test]
async fn only_a_sure_answer_clears_the_cookie() {
    let world = World::production().await;
    let mut client = world.client();
    let none = client.refresh(None).await;
    assert_eq!(none.refusal(), (401, "refresh_invalid".to_owned()));
    assert_eq!(none.cookies(), [CLEARED]);
    client.token("alice@example.com").await;
    let mut forged = client.jar[COOKIE].clone();
    let last = if forged.pop() == Some('A') { 'E' } else { 'A' };
    forged.push(last);
    for unreadable in ["garbage", "", &forged] {
        let answer = replay(&client, unreadable, None).await;
        assert_eq!(
            answer,
            (401, "refresh_unreadable".to_owned(), vec![]),
            "{unreadable}"
        );
    }
    // SE13: under the other name, or planted beside ours.
    let cookie = client.jar[COOKIE].clone();
    for (header, refusal) in [
        (format!("ps_refresh={cookie}"), (401, "refresh_invalid")),
        (
            format!("__%48ost-ps_refresh={cookie}"),
            (401, "refresh_invalid"),
        ),
        (
            format!("{COOKIE}={cookie}; {COOKIE}=planted"),
            (400, "header_invalid"),
        ),
    ] {
        let request = Request::builder()
            .method("POST")
            .uri("/api/auth/refresh")
            .header("cookie", &header)
            .body(bytes::Bytes::new())
            .unwrap();
        let reply = client.clone().send(request).await;
        assert_eq!(
            reply.refusal(),
            (refusal.0, refusal.1.to_owned()),
            "{header}"
        );
        assert_eq!(reply.cookies().is_empty(), refusal.0 == 400, "{header}");
    }
    assert_eq!(client.refresh(None).await.status, 200);
}

// SE14, SE17: tabs of one browser at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_50_tabs_one_refreshes_and_the_rest_lose_nothing() {
    let world = World::production().await;
    let mut client = world.client();
    client.token("alice@example.com").await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let mut tab = client.clone();
            tokio::spawn(async move {
                let reply = tab.refresh(None).await;
                (reply.refusal(), reply.cookies().len(), tab)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (refusal, cookies, tab) = task.await.unwrap();
        match refusal {
            (200, _) => winners.push(tab),
            other => assert_eq!(
                (other, cookies),
                ((401, "refresh_superseded".to_owned()), 0)
            ),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].refresh(None).await.status, 200);
}

// SE10, SE20
#[tokio::test]
async fn signing_out_ends_what_is_presented_at_once() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let cookie = client.jar[COOKIE].clone();
    let out = client.post("/api/auth/logout", None, json!(null)).await;
    assert_eq!((out.status.as_u16(), out.cookies()), (204, vec![CLEARED]));
    let refused = client.get("/api/auth/session", Some(&token)).await;
    assert_eq!(refused.refusal(), (401, "session_invalid".to_owned()));
    let answer = replay(&client, &cookie, None).await;
    assert_eq!(answer.1, "refresh_invalid");
    for _ in 0..2 {
        assert_eq!(
            client
                .post("/api/auth/logout", None, json!(null))
                .await
                .status,
            204
        );
    }
    for token in [Some("garbage"), Some(token.as_str())] {
        let out = client.post("/api/auth/logout", token, json!(null)).await;
        assert_eq!((out.status.as_u16(), out.cookies()), (204, vec![CLEARED]));
    }
}

// SE20
#[tokio::test]
async fn an_expired_access_token_signs_its_session_out() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let mut elsewhere = world.client();
    world.test.clock.advance(Duration::from_secs(3_600));
    let expired = elsewhere.get("/api/auth/session", Some(&token)).await;
    assert_eq!(expired.refusal(), (401, "session_invalid".to_owned()));
    let out = elsewhere
        .post("/api/auth/logout", Some(&token), json!(null))
        .await;
    assert_eq!(out.status, 204);
    assert_eq!(client.refresh(None).await.refusal().1, "refresh_invalid");
}

// SE19
#[tokio::test]
async fn signing_in_as_somebody_else_ends_the_session_of_this_browser() {
    let world = World::production().await;
    let mut client = world.client();
    let alice = client.token("alice@example.com").await;
    client.token("bob@example.com").await;
    let refused = client.get("/api/auth/session", Some(&alice)).await;
    assert_eq!(refused.refusal(), (401, "session_invalid".to_owned()));
}

// SE21
#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let world = World::production().await;
    let mut clients = [world.client(), world.client(), world.client()];
    let mut tokens = Vec::new();
    for client in &mut clients {
        tokens.push(client.token("alice@example.com").await);
        world.test.clock.advance(Duration::from_secs(5));
    }
    world.follower.poll().await.unwrap();
    let [first, second, third] = &mut clients;
    let list = first
        .get("/api/auth/sessions", Some(&tokens[0]))
        .await
        .json();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    let current: Vec<_> = sessions.iter().filter(|s| s["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["ip"], "127.0.0.0/24");
    assert_eq!(current[0]["created_at"], "2026-11-22T10:00:00Z");

    let third_id = third
        .get("/api/auth/session", Some(&tokens[2]))
        .await
        .json();
    let third_id = third_id["session"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/auth/sessions/{third_id}");
    let stranger = world.client().token("bob@example.com").await;
    let foreign = world.client().delete(&path, Some(&stranger)).await;
    assert_eq!(foreign.refusal(), (404, "not_found".to_owned()));
    let ended = first.delete(&path, Some(&tokens[0])).await;
    assert_eq!((ended.status.as_u16(), ended.cookies().len()), (204, 0));
    assert_eq!(
        third
            .get("/api/auth/session", Some(&tokens[2]))
            .await
            .status,
        401
    );
    for path in [path.as_str(), "/api/auth/sessions/garbage"] {
        let gone = first.delete(path, Some(&tokens[0])).await;
        assert_eq!(gone.refusal(), (404, "not_found".to_owned()));
    }

    assert_eq!(
        first
            .delete("/api/auth/sessions", Some(&tokens[0]))
            .await
            .status,
        204
    );
    assert_eq!(
        second
            .get("/api/auth/session", Some(&tokens[1]))
            .await
            .status,
        401
    );
    assert_eq!(second.refresh(None).await.refusal().1, "refresh_invalid");
    assert_eq!(
        first
            .get("/api/auth/session", Some(&tokens[0]))
            .await
            .status,
        200
    );
    assert_eq!(
        first.refresh(None).await.status,
        200,
        "carried to the new version"
    );

    let own = current[0]["id"].as_str().unwrap();
    let ended = first
        .delete(&format!("/api/auth/sessions/{own}"), Some(&tokens[0]))
        .await;
    assert_eq!(
        (ended.status.as_u16(), ended.cookies()),
        (204, vec![CLEARED])
    );
}

// SE23
#[tokio::test]
async fn a_disabled_account_has_no_session() {
    let world = World::production().await;
    let mut client = world.client();
    let made = client.sign_up("alice@example.com").await.json();
    let token = made["access_token"].as_str().unwrap();
    let account = ps_core::AccountId::new(made["account"]["id"].as_str().unwrap()).unwrap();
    world.auth.disable(&account).await.unwrap();
    let refused = client.get("/api/auth/session", Some(token)).await;
    assert_eq!(refused.refusal(), (401, "session_invalid".to_owned()));
    assert_eq!(
        client.refresh(None).await.refusal(),
        (401, "refresh_invalid".to_owned())
    );
}

#[tokio::test]
async fn the_public_keys_verify_and_may_be_kept_a_while() {
    let world = World::production().await;
    let reply = world.client().get("/.well-known/jwks.json", None).await;
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["cache-control"], "public, max-age=300");
    let key = &reply.json()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (
            &json!("OKP"),
            &json!("Ed25519"),
            &json!("EdDSA"),
            &json!("sig")
        )
    );
    assert!(key.get("d").is_none());
}
