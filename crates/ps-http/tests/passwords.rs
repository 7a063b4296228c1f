//! Passwords over HTTP.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{Client, Reply, World};
use http::Method;
use ps_testkit::openid::Person;
use serde_json::{Value, json};

const GOOD: &str = "correct horse battery";

async fn set(browser: &mut Client, token: &str, body: Value) -> Reply {
    browser
        .call(Method::PUT, "/api/auth/password", Some(token), body)
        .await
}

async fn login(browser: &mut Client, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    browser.post("/api/auth/login", None, body).await
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_password_is_set_and_signs_in() {
    let world = World::development().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    let done = set(&mut alice, &token, json!({ "new_password": GOOD })).await;
    assert_eq!((done.status.as_u16(), done.body.len()), (204, 0));
    let mut elsewhere = world.client();
    let session = login(&mut elsewhere, " Alice@Example.com ", GOOD).await;
    assert_eq!(session.status, 200, "{session:?}");
    assert_eq!(session.json()["account"]["email"], "alice@example.com");
    assert!(session.cookies()[0].starts_with("ps_refresh="));
    // Two Unicode spellings of one password are one password.
    let token = session.text("access_token");
    let body = json!({ "new_password": "caf\u{e9} noir 8", "current_password": GOOD });
    assert_eq!(set(&mut elsewhere, &token, body).await.status, 204);
    let again = login(
        &mut world.client(),
        "alice@example.com",
        "cafe\u{301} noir 8",
    )
    .await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn every_refused_login_gets_the_same_answer() {
    let world = World::development().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    world.client().token("bob@example.com").await;
    set(&mut alice, &token, json!({ "new_password": GOOD })).await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("alice@example.com", "wrong password"),
        ("bob@example.com", GOOD),
        ("nobody@example.com", GOOD),
        ("alice@example.com", ""),
        ("alice@example.com", &"x".repeat(2_000)),
    ] {
        let refused = login(&mut world.client(), email, password).await;
        assert_eq!(
            refused.refusal(),
            refusal(401, "credentials_invalid"),
            "{email}"
        );
        answers.push(refused.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let invalid = login(&mut world.client(), "no address", GOOD).await;
    assert_eq!(invalid.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn a_new_password_is_judged_by_its_length_and_by_being_common() {
    let world = World::development().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    let long = "x".repeat(129);
    for bad in ["", "short12", "password", "PassWord1", "12345678", &long] {
        let refused = set(&mut alice, &token, json!({ "new_password": bad })).await;
        assert_eq!(
            refused.refusal(),
            refusal(400, "validation_failed"),
            "{bad}"
        );
        assert_eq!(refused.json()["details"][0]["field"], "new_password");
        let said = String::from_utf8_lossy(&refused.body).into_owned();
        assert!(
            ["", "password"].contains(&bad) || !said.contains(bad),
            "{said}"
        );
    }
    let reply = alice.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(reply["has_password"], false);
    for good in ["aaaa bbb", &"x1y ".repeat(32)] {
        let body = json!({ "new_password": good });
        assert_eq!(set(&mut alice, &token, body).await.status, 204, "{good}");
    }
}

#[tokio::test]
async fn a_change_ends_the_other_sessions_and_tells_the_owner() {
    let world = World::development().await;
    let (mut here, mut there) = (world.client(), world.client());
    let (here_token, there_token) = (
        here.token("alice@example.com").await,
        there.token("alice@example.com").await,
    );
    set(&mut here, &here_token, json!({ "new_password": GOOD })).await;
    assert_eq!(
        here.get("/api/auth/session", Some(&here_token))
            .await
            .status,
        200
    );
    let dead = there.get("/api/auth/session", Some(&there_token)).await;
    assert_eq!(dead.refusal(), refusal(401, "session_invalid"));
    assert_eq!(
        there.refresh(None).await.refusal(),
        refusal(401, "refresh_invalid")
    );
    assert_eq!(here.refresh(None).await.status, 200);
    let to = ps_core::EmailAddress::parse("alice@example.com").unwrap();
    let told = async {
        loop {
            let mails = world.mailbox.messages_to(&to);
            if mails.iter().any(|mail| mail.subject.contains("password")) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), told)
        .await
        .unwrap();
}

#[tokio::test]
async fn who_may_change_a_password() {
    let world = World::development().await;
    let mut alice = world.client();
    let by_code = alice.token("alice@example.com").await;
    // A first password takes a sign-in that is fresh.
    world.test.clock.advance(Duration::from_secs(601));
    let refused = set(&mut alice, &by_code, json!({ "new_password": GOOD })).await;
    assert_eq!(refused.refusal(), refusal(403, "reauthentication_required"));
    let by_code = alice.token("alice@example.com").await;
    assert_eq!(
        set(&mut alice, &by_code, json!({ "new_password": GOOD }))
            .await
            .status,
        204
    );

    // A session made by the password changes it by the password only.
    let mut other = world.client();
    let by_password = login(&mut other, "alice@example.com", GOOD)
        .await
        .text("access_token");
    let next = "another good one";
    let refused = set(&mut other, &by_password, json!({ "new_password": next })).await;
    assert_eq!(refused.refusal(), refusal(403, "reauthentication_required"));
    let body = json!({ "new_password": next, "current_password": "not the one" });
    let refused = set(&mut other, &by_password, body).await;
    assert_eq!(refused.refusal(), refusal(403, "current_password_wrong"));
    let body = json!({ "new_password": next, "current_password": GOOD });
    assert_eq!(set(&mut other, &by_password, body).await.status, 204);

    // Who has forgotten it signs in by a code, or a linked provider, and sets another.
    let by_code = alice.token("alice@example.com").await;
    assert_eq!(
        set(&mut alice, &by_code, json!({ "new_password": GOOD }))
            .await
            .status,
        204
    );
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    alice.sign_in_by(&world.google, "1").await;
    let by_google = alice.refreshed().await;
    assert_eq!(
        set(&mut alice, &by_google, json!({ "new_password": next }))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn ten_wrong_guesses_an_hour_and_a_code_still_works() {
    let world = World::development().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    set(&mut alice, &token, json!({ "new_password": GOOD })).await;
    for _ in 0..15 {
        assert_eq!(
            login(&mut world.client(), "alice@example.com", GOOD)
                .await
                .status,
            200
        );
    }
    for guess in 0..10 {
        let refused = login(
            &mut world.client(),
            "alice@example.com",
            &format!("guess {guess}"),
        )
        .await;
        assert_eq!(refused.refusal(), refusal(401, "credentials_invalid"));
    }
    for password in ["one more guess", GOOD] {
        let refused = login(&mut world.client(), "alice@example.com", password).await;
        assert_eq!(refused.refusal(), refusal(429, "rate_limited"));
        assert!(refused.headers.contains_key("retry-after"));
    }
    // The current password is guessed at under the same bound, where the browser is not known.
    let body = json!({ "new_password": "another good one", "current_password": GOOD });
    alice.jar.remove("ps_device");
    let refused = set(&mut alice, &token, body).await;
    assert_eq!(refused.refusal(), refusal(429, "rate_limited"));
    assert_eq!(
        world.client().sign_up("alice@example.com").await.status,
        200
    );
    world.test.clock.advance(Duration::from_secs(3_600));
    assert_eq!(
        login(&mut world.client(), "alice@example.com", GOOD)
            .await
            .status,
        200
    );
}

// Unknown addresses are counted alike, or the bound would tell them apart.
#[tokio::test]
async fn an_unknown_address_is_bounded_alike() {
    let world = World::development().await;
    for _ in 0..10 {
        let refused = login(&mut world.client(), "nobody@example.com", GOOD).await;
        assert_eq!(refused.refusal(), refusal(401, "credentials_invalid"));
    }
    let refused = login(&mut world.client(), "nobody@example.com", GOOD).await;
    assert_eq!(refused.refusal(), refusal(429, "rate_limited"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_guesses_at_once_ten_are_looked_at() {
    let world = World::development().await;
    world.client().token("alice@example.com").await;
    let guesses = (0..64).map(|guess| {
        let mut browser = world.client();
        tokio::spawn(async move {
            let password = format!("a wrong guess {guess}");
            login(&mut browser, "alice@example.com", &password)
                .await
                .refusal()
        })
    });
    let mut compared = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            (401, _) => compared += 1,
            other => assert_eq!(other, refusal(429, "rate_limited")),
        }
    }
    assert_eq!(compared, 10);
}

#[tokio::test]
async fn a_disabled_account_is_as_wrong_as_any() {
    let world = World::development().await;
    let mut alice = world.client();
    let reply = alice.sign_up("alice@example.com").await;
    let token = reply.text("access_token");
    set(&mut alice, &token, json!({ "new_password": GOOD })).await;
    let id = ps_core::AccountId::new(reply.json()["account"]["id"].as_str().unwrap()).unwrap();
    world.auth.disable(&id).await.unwrap();
    let refused = login(&mut world.client(), "alice@example.com", GOOD).await;
    assert_eq!(refused.refusal(), refusal(401, "credentials_invalid"));
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::development().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    for body in [
        json!({}),
        json!({ "email": "alice@example.com" }),
        json!({ "email": "alice@example.com", "password": 1 }),
        json!({ "email": "alice@example.com", "password": GOOD, "user": "victim" }),
    ] {
        let refused = alice.post("/api/auth/login", None, body).await;
        assert_eq!(refused.refusal(), refusal(400, "validation_failed"));
    }
    for body in [
        json!({}),
        json!({ "new_password": GOOD, "account": "victim" }),
    ] {
        let refused = set(&mut alice, &token, body).await;
        assert_eq!(refused.refusal(), refusal(400, "validation_failed"));
    }
    let body = json!({ "new_password": GOOD });
    let refused = alice
        .call(Method::PUT, "/api/auth/password", None, body)
        .await;
    assert_eq!(refused.refusal(), refusal(401, "session_required"));
    let refused = alice.delete("/api/auth/password", Some(&token)).await;
    assert_eq!(
        refused.status, 405,
        "a password is changed, and never removed"
    );
}
