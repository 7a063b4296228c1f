//! Magic codes over HTTP.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::World;
use http::Method;
use ps_core::EmailAddress;
use serde_json::json;

const ASK: &str = "/api/auth/magic-code";
const VERIFY: &str = "/api/auth/magic-code/verify";
const ASK_NEW: &str = "/api/auth/register-magic";
const VERIFY_NEW: &str = "/api/auth/register-magic/verify";

#[tokio::test]
async fn a_code_makes_an_account_once_and_signs_in_afterwards() {
    let world = World::production().await;
    let mut client = world.client();
    let asked = client.ask(ASK_NEW, " Alice@Example.com ").await;
    assert_eq!(asked.status, 202);
    let body = asked.json();
    assert_eq!(
        (
            &body["code_length"],
            &body["expires_in"],
            &body["resend_in"]
        ),
        (&json!(6), &json!(600), &json!(60))
    );
    let challenge = asked.text("challenge");
    let cookie = format!(
        "__Host-ps_challenge={challenge}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600"
    );
    assert_eq!(asked.cookies(), [cookie]);

    let code = world.code("alice@example.com", 1).await;
    let made = client.post(VERIFY_NEW, None, json!({ "code": code })).await;
    assert_eq!(made.status, 201);
    let body = made.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    assert_eq!(body["account"]["email"], "alice@example.com");
    assert_eq!(body["session"]["created_at"], "2026-11-22T10:00:00Z");
    assert_eq!(body["session"]["expires_at"], "2026-11-29T10:00:00Z");
    let refresh = made.cookies()[0];
    assert!(refresh.starts_with("__Host-ps_refresh="));
    assert!(refresh.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=604800"));
    let value = &client.jar["__Host-ps_refresh"];
    assert!(
        !String::from_utf8_lossy(&made.body).contains(value),
        "never in a body"
    );

    // Whoever proves the mailbox may sign in, by either way in.
    let again = client.sign_up("alice@example.com").await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["account"]),
        (200, &body["account"])
    );
    client.ask(ASK, "alice@example.com").await;
    let code = world.code("alice@example.com", 3).await;
    let signed_in = client.post(VERIFY, None, json!({ "code": code })).await;
    assert_eq!(
        (signed_in.status.as_u16(), &signed_in.json()["account"]),
        (200, &body["account"])
    );
}

// MC9, MC15
#[tokio::test]
async fn known_and_unknown_addresses_are_answered_alike() {
    let world = World::development().await;
    world.client().token("alice@example.com").await;
    let mut answers = Vec::new();
    for email in ["alice@example.com", "nobody@example.com"] {
        let mut client = world.client();
        let reply = client.ask(ASK, email).await;
        let mut body = reply.json();
        body["challenge"].take();
        let names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
        answers.push((reply.status, body, names));
    }
    assert_eq!(answers[0], answers[1]);

    let nobody = EmailAddress::parse("nobody@example.com").unwrap();
    assert_eq!(
        world.code("nobody@example.com", 1).await,
        "",
        "a mail without a code"
    );
    assert_eq!(world.mailbox.messages_to(&nobody).len(), 1);
}

#[tokio::test]
async fn every_wrong_code_gets_one_answer() {
    let world = World::development().await;
    world.client().token("alice@example.com").await;
    let mut client = world.client();
    client.ask(ASK, "alice@example.com").await;
    let code = world.code("alice@example.com", 2).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let unknown = "0123456789012345678901";
    let expected = (401, "code_invalid".to_owned());
    for body in [
        json!({ "code": wrong }),
        json!({ "code": "" }),
        json!({ "code": "12345" }),
        json!({ "code": "１２３４５６" }),
        json!({ "code": code, "challenge": unknown }),
        json!({ "code": code, "challenge": "garbage" }),
        json!({ "code": code, "email": "bob@example.com" }),
    ] {
        let reply = client.post(VERIFY, None, body.clone()).await;
        assert_eq!(reply.refusal(), expected, "{body}");
        assert_eq!(reply.headers["www-authenticate"], r#"Bearer realm="api""#);
        assert!(reply.cookies().is_empty());
    }
    // MC7: made for signing in, it is none for registering.
    let other = client.post(VERIFY_NEW, None, json!({ "code": code })).await;
    assert_eq!(other.refusal(), expected);
    // MC6: the code of this browser is none in another.
    let mut stranger = world.client();
    stranger.ask(ASK, "alice@example.com").await;
    let reply = stranger.post(VERIFY, None, json!({ "code": code })).await;
    assert_eq!(reply.refusal(), expected);
    // None of these cost more than the one wrong guess: the right code still works, written as people do.
    let spaced = format!(" {} - {} ", &code[..3], &code[3..]);
    let email = "ALICE@example.com";
    let reply = client
        .post(VERIFY, None, json!({ "code": spaced, "email": email }))
        .await;
    assert_eq!(reply.status, 200);
    // MC3
    let again = client.post(VERIFY, None, json!({ "code": code })).await;
    assert_eq!(
        again.refusal(),
        (400, "challenge_missing".to_owned()),
        "its cookie is gone too"
    );
}

// MC4, MC5
#[tokio::test]
async fn after_5_wrong_guesses_the_right_one_is_wrong_too() {
    let world = World::development().await;
    let mut client = world.client();
    let challenge = client
        .ask(ASK_NEW, "alice@example.com")
        .await
        .text("challenge");
    let code = world.code("alice@example.com", 1).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for guess in [wrong, wrong, wrong, wrong, wrong, &code] {
        let body = json!({ "code": guess, "challenge": challenge });
        let reply = client.post(VERIFY_NEW, None, body).await;
        assert_eq!(reply.refusal(), (401, "code_invalid".to_owned()));
    }
    let asking = client.ask(ASK_NEW, "alice@example.com").await;
    assert_ne!(asking.text("challenge"), challenge, "a new one is made");
}

// MC2
#[tokio::test]
async fn a_code_lives_for_10_minutes() {
    let world = World::development().await;
    for (waited, status) in [(599_999, 201), (600_000, 401)] {
        let mut client = world.client();
        let email = format!("alice{waited}@example.com");
        let challenge = client.ask(ASK_NEW, &email).await.text("challenge");
        let code = world.code(&email, 1).await;
        world.test.clock.advance(Duration::from_millis(waited));
        let body = json!({ "code": code, "challenge": challenge });
        let reply = client.post(VERIFY_NEW, None, body).await;
        assert_eq!(reply.status, status, "after {waited} ms");
    }
}

// MC16
#[tokio::test]
async fn a_resend_sends_the_same_code_and_extends_nothing() {
    let world = World::development().await;
    let mut client = world.client();
    let first = client.ask(ASK_NEW, "alice@example.com").await.json();
    let code = world.code("alice@example.com", 1).await;
    world.test.clock.advance(Duration::from_secs(20));
    let soon = client.ask(ASK_NEW, "alice@example.com").await.json();
    assert_eq!(soon["challenge"], first["challenge"]);
    assert_eq!(
        (&soon["resend_in"], &soon["expires_in"]),
        (&json!(40), &json!(580))
    );
    world.test.clock.advance(Duration::from_secs(40));
    let later = client.ask(ASK_NEW, "alice@example.com").await.json();
    assert_eq!(later["challenge"], first["challenge"]);
    assert_eq!(
        (&later["resend_in"], &later["expires_in"]),
        (&json!(60), &json!(540))
    );
    assert_eq!(world.code("alice@example.com", 2).await, code);
    let to = EmailAddress::parse("alice@example.com").unwrap();
    assert_eq!(
        world.mailbox.messages_to(&to).len(),
        2,
        "the one in between sent nothing"
    );
}

// MC10
#[tokio::test]
async fn an_address_gets_5_unanswered_mails_an_hour() {
    let world = World::development().await;
    for email in ["alice@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(world.client().ask(ASK, email).await.status, 202);
        }
        let reply = world.client().ask(ASK, email).await;
        assert_eq!(reply.refusal(), (429, "rate_limited".to_owned()));
        assert_eq!(reply.headers["retry-after"], "3600");
        assert_eq!(reply.headers["ratelimit"], r#""mails";r=0;t=3600"#);
        assert_eq!(reply.headers["ratelimit-policy"], r#""mails";q=5;w=3600"#);
    }
    world.test.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        world.client().ask(ASK, "alice@example.com").await.status,
        202
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let world = World::development().await;
    let mut client = world.client();
    let invalid = (400, "validation_failed".to_owned());
    for (path, body, field) in [
        (ASK, json!({ "email": "not-an-address" }), "email"),
        (
            ASK,
            json!({ "email": "a@example.com, b@example.com" }),
            "email",
        ),
        (ASK, json!({ "email": 5 }), "email"),
        (ASK, json!({}), "email"),
        (ASK, json!(["alice@example.com", null]), "."),
        (
            ASK,
            json!({ "email": "a@example.com", "admin": true }),
            "admin",
        ),
        (VERIFY, json!({ "code": 123456 }), "code"),
        (
            VERIFY,
            json!({ "code": "123456", "challenge": "x", "email": "x" }),
            "email",
        ),
    ] {
        let reply = client.post(path, None, body.clone()).await;
        assert_eq!(reply.refusal(), invalid, "{body}");
        assert_eq!(reply.json()["details"][0]["field"], field, "{body}");
    }
    let missing = client.post(VERIFY, None, json!({ "code": "123456" })).await;
    assert_eq!(missing.refusal(), (400, "challenge_missing".to_owned()));
}

// MC14
#[tokio::test]
async fn one_network_guesses_100_times_an_hour() {
    let world = World::limited().await;
    let mut client = world.client();
    client.peer = [127, 0, 0, 9].into();
    for _ in 0..100 {
        let body = json!({ "code": "000000", "challenge": "0123456789012345678901" });
        let reply = client.post(VERIFY, None, body).await;
        assert_eq!(reply.refusal().0, 401);
    }
    let body = json!({ "code": "000000", "challenge": "0123456789012345678901" });
    let reply = client.post(VERIFY, None, body.clone()).await;
    assert_eq!(reply.refusal(), (429, "rate_limited".to_owned()));
    assert_eq!(
        reply.headers["ratelimit-policy"],
        r#""failures";q=100;w=3600"#
    );
    client.peer = [127, 0, 0, 10].into();
    assert_eq!(
        client.post(VERIFY, None, body).await.refusal().0,
        401,
        "another network may"
    );
}

// MC13
#[tokio::test]
async fn one_network_asks_300_times_an_hour() {
    let world = World::limited().await;
    let mut client = world.client();
    for place in 0..300 {
        client.jar.clear();
        let reply = client.ask(ASK, &format!("user{place}@example.com")).await;
        assert_eq!(reply.status, 202);
    }
    let reply = client.ask(ASK, "one-more@example.com").await;
    assert_eq!(reply.refusal(), (429, "rate_limited".to_owned()));
}

/// Sent by a disabled account's owner, a right code is as wrong as any.
#[tokio::test]
async fn a_disabled_account_has_no_right_code() {
    let world = World::development().await;
    let made = world.client().sign_up("alice@example.com").await.json();
    let account = ps_core::AccountId::new(made["account"]["id"].as_str().unwrap()).unwrap();
    world.auth.disable(&account).await.unwrap();
    for (ask, verify, mails) in [(ASK, VERIFY, 2), (ASK_NEW, VERIFY_NEW, 3)] {
        let mut client = world.client();
        client.ask(ask, "alice@example.com").await;
        let code = world.code("alice@example.com", mails).await;
        let reply = client.post(verify, None, json!({ "code": code })).await;
        assert_eq!(reply.refusal(), (401, "code_invalid".to_owned()));
    }
    world.auth.enable(&account).await.unwrap();
    assert_eq!(
        world.client().sign_up("alice@example.com").await.status,
        200
    );
}

// MC3, over the whole way: one session and one account, whatever arrives together.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_right_codes_at_once_one_signs_in() {
    let world = World::development().await;
    let mut client = world.client();
    client.ask(ASK_NEW, "alice@example.com").await;
    let code = world.code("alice@example.com", 1).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (mut client, code) = (client.clone(), code.clone());
            tokio::spawn(async move {
                client
                    .post(VERIFY_NEW, None, json!({ "code": code }))
                    .await
                    .status
                    .as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 401),
        "{statuses:?}"
    );
}

// OA25: two codes of one new mailbox, both right, both at once: one account.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sign_ups_of_one_address_make_one_account() {
    for round in 0..20 {
        let world = World::development().await;
        let email = format!("alice{round}@example.com");
        let mut tasks = Vec::new();
        for mails in [1, 2] {
            let mut client = world.client();
            client.ask(ASK_NEW, &email).await;
            let code = world.code(&email, mails).await;
            tasks.push(async move { client.post(VERIFY_NEW, None, json!({ "code": code })).await });
        }
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        let mut accounts = Vec::new();
        for task in tasks {
            let reply = task.await.unwrap();
            assert!(reply.status.is_success(), "{reply:?}");
            accounts.push(reply.json()["account"]["id"].clone());
        }
        assert_eq!(accounts[0], accounts[1]);
    }
}

// MC21
#[tokio::test]
async fn only_a_post_of_json_from_our_own_page_or_a_program_counts() {
    let world = World::development().await;
    let mut client = world.client();
    for path in [ASK, VERIFY, ASK_NEW, VERIFY_NEW] {
        let reply = client.get(path, None).await;
        assert_eq!(reply.refusal(), (405, "method_not_allowed".to_owned()));
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("origin", "https://evil.example")
            .header("content-type", "application/json")
            .body(bytes::Bytes::from_static(b"{}"))
            .unwrap();
        assert_eq!(
            client.send(request).await.refusal(),
            (403, "origin_forbidden".to_owned())
        );
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "application/json; charset=latin1",
            "",
        ] {
            let request = http::Request::builder()
                .method(Method::POST)
                .uri(path)
                .header("content-type", kind)
                .body(bytes::Bytes::from_static(b"{}"))
                .unwrap();
            assert_eq!(
                client.send(request).await.refusal(),
                (415, "unsupported_media_type".to_owned()),
                "{kind}"
            );
        }
    }
}

/// What was sent is never said back: it may be a code, and our types are nobody's business.
// MC22
#[tokio::test]
async fn no_answer_repeats_a_code() {
    let world = World::development().await;
    let mut client = world.client();
    for body in [
        json!({ "code": 271_828 }),
        json!({ "code": ["271828"] }),
        json!("271828"),
        json!({ "code": "271828", "challenge": "x" }),
    ] {
        let reply = client.post(VERIFY, None, body.clone()).await;
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(
            !text.contains("271828") && !text.contains("VerifyBody"),
            "{body}: {text}"
        );
    }
}
