//! Signing up and in, and what a second delivery of a callback comes to.

use std::{sync::Arc, time::Duration};

use http::Method;
use ps_testkit::openid::{Person, Quirks};
use serde_json::{Value, json};

use crate::common::World;

const WELCOME: &str = "http://127.0.0.1:8080/";

#[tokio::test]
async fn a_new_person_signs_up_and_comes_back() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "Alice@Example.com"));
    let mut alice = world.client();
    let landed = alice.sign_in_by(&world.google, "1").await;
    assert_eq!(
        (landed.status.as_u16(), landed.location()),
        (303, WELCOME.to_owned())
    );
    let cookie = landed.cookies().concat();
    assert!(
        cookie.starts_with("ps_refresh=") && cookie.contains("Max-Age=604800"),
        "{cookie}"
    );
    let session = alice.refresh(None).await;
    assert_eq!(session.json()["account"]["email"], "alice@example.com");
    let token = session.text("access_token");
    let identities = alice.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(identities["identities"][0]["provider"], "google");
    assert_eq!(identities["identities"][0]["email"], "alice@example.com");
    assert_eq!(identities["has_password"], false);

    let mut elsewhere = world.client();
    elsewhere.sign_in_by(&world.google, "1").await;
    let again = elsewhere.refresh(None).await;
    assert_eq!(
        again.json()["account"]["id"],
        session.json()["account"]["id"]
    );
}

#[tokio::test]
async fn one_comes_back_to_where_one_left() {
    let world = World::production().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    let path = "/api/auth/social/google?return_to=%2Fkeys%3Fpage%3D2";
    let left = alice.get(path, None).await;
    let attempt = left.cookies().concat();
    assert!(
        attempt.starts_with("__Host-ps_attempt_google="),
        "{attempt}"
    );
    assert!(
        attempt.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"),
        "{attempt}"
    );
    let callback = world.google.approve(&left.location(), "1").unwrap();
    let landed = alice.get(&world.path_of(&callback), None).await;
    assert_eq!(landed.location(), "https://app.example.com/keys?page=2");
    assert!(landed.cookies()[0].starts_with("__Host-ps_refresh="));
}

#[tokio::test]
async fn both_providers_in_two_tabs() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    world
        .linkedin
        .add_person(Person::new("x", "alice@example.com"));
    let mut alice = world.client();
    let by_google = alice.leave(&world.google, "1").await;
    let by_linkedin = alice.leave(&world.linkedin, "x").await;
    for callback in [by_google, by_linkedin] {
        let landed = alice.get(&callback, None).await;
        assert_eq!(landed.location(), WELCOME, "{callback}");
    }
    let token = alice.refreshed().await;
    let identities = alice.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(identities["identities"].as_array().unwrap().len(), 2);
}

// SE19
#[tokio::test]
async fn a_sign_in_ends_the_session_that_the_browser_had() {
    let world = World::development().await;
    world.google.add_person(Person::new("1", "bob@example.com"));
    let mut browser = world.client();
    let old = browser.token("alice@example.com").await;
    // The refresh cookie is strict: it goes along when the attempt begins, and not to the callback.
    let callback = browser.leave(&world.google, "1").await;
    let refresh = browser.jar.remove("ps_refresh").unwrap();
    browser.get(&callback, None).await;
    let dead = browser.get("/api/auth/session", Some(&old)).await;
    assert_eq!(dead.refusal(), (401, "session_invalid".to_owned()));
    assert_ne!(browser.jar["ps_refresh"], refresh);
    let reply = browser.refresh(None).await;
    assert_eq!(reply.json()["account"]["email"], "bob@example.com");
}

// OA1
#[tokio::test]
async fn a_callback_delivered_twice_ends_in_one_session() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    // The browser fetches it ahead, and throws the answer away, but for its cookies.
    let ahead = http::Request::get(callback.as_str()).header("sec-purpose", "prefetch");
    let first = alice.send(ahead.body(bytes::Bytes::new()).unwrap()).await;
    world.test.clock.advance(Duration::from_secs(60));
    let second = alice.get(&callback, None).await;
    assert_eq!(second.location(), WELCOME);
    assert_eq!(first.cookies(), second.cookies());
    assert_eq!(world.google.calls().token, 1);
    let token = alice.refreshed().await;
    let sessions = alice.get("/api/auth/sessions", Some(&token)).await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);

    let third = alice.get(&callback, None).await;
    assert_eq!(
        third.location(),
        "http://127.0.0.1:8080/sign-in?error=attempt_used"
    );
    assert!(third.cookies().is_empty());
}

// OA1
#[tokio::test]
async fn a_callback_delivered_late_is_used() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    alice.get(&callback, None).await;
    world.test.clock.advance(Duration::from_secs(61));
    let late = alice.get(&callback, None).await;
    assert_eq!(
        late.location(),
        "http://127.0.0.1:8080/sign-in?error=attempt_used"
    );
    assert_eq!(world.google.calls().token, 1);
}

// OA1: two deliveries at once, as on two nodes; the provider takes the code once
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callbacks_delivered_at_once_end_in_one_session() {
    for round in 0..20 {
        let world = World::development().await;
        world
            .google
            .add_person(Person::new("1", "alice@example.com"));
        let mut alice = world.client();
        let callback = Arc::new(alice.leave(&world.google, "1").await);
        let _passing = world.time_passes(Duration::from_millis(5));
        let deliveries = (0..8).map(|_| {
            let (mut browser, callback) = (alice.clone(), Arc::clone(&callback));
            tokio::spawn(async move { browser.get(&callback, None).await })
        });
        let mut cookies = Vec::new();
        for delivery in deliveries.collect::<Vec<_>>() {
            let landed = delivery.await.unwrap();
            assert_eq!(landed.location(), WELCOME, "round {round}");
            cookies.push(landed.cookies().concat());
        }
        cookies.dedup();
        assert_eq!(cookies.len(), 1, "round {round}");
        assert_eq!(world.google.calls().token, 1, "round {round}");
    }
}

// OA25
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn first_sign_ins_of_one_identity_at_once_make_one_account() {
    for _ in 0..20 {
        let world = World::development().await;
        world
            .google
            .add_person(Person::new("1", "alice@example.com"));
        let _passing = world.time_passes(Duration::from_millis(5));
        let mut landing = Vec::new();
        for _ in 0..8 {
            let mut browser = world.client();
            let callback = browser.leave(&world.google, "1").await;
            landing.push(tokio::spawn(async move {
                let landed = browser.get(&callback, None).await;
                (landed, browser)
            }));
        }
        let mut accounts = Vec::new();
        for landing in landing {
            let (landed, mut browser) = landing.await.unwrap();
            assert_eq!(landed.location(), WELCOME);
            let session = browser.refresh(None).await;
            accounts.push(session.json()["account"]["id"].clone());
        }
        accounts.dedup();
        assert_eq!(accounts.len(), 1);
    }
}

// OA25
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_first_sign_in_against_a_registration_by_code_makes_one_account() {
    for _ in 0..20 {
        let world = World::development().await;
        world
            .google
            .add_person(Person::new("1", "alice@example.com"));
        let (mut by_code, mut by_google) = (world.client(), world.client());
        by_code
            .ask("/api/auth/register-magic", "alice@example.com")
            .await;
        let code = world.code("alice@example.com", 1).await;
        let callback = by_google.leave(&world.google, "1").await;
        let _passing = world.time_passes(Duration::from_millis(5));
        let verifying = tokio::spawn(async move {
            let body = json!({ "code": code });
            let reply = by_code
                .post("/api/auth/register-magic/verify", None, body)
                .await;
            (reply, by_code)
        });
        let landing = tokio::spawn(async move {
            let landed = by_google.get(&callback, None).await;
            (landed, by_google)
        });
        let (verified, _) = verifying.await.unwrap();
        let (landed, mut by_google) = landing.await.unwrap();
        // The one that claims the account may leave the other's proof behind, and says so.
        assert_eq!(landed.location(), WELCOME);
        let session = by_google.refresh(None).await;
        let account = session.json()["account"]["id"].clone();
        match verified.status.as_u16() {
            200 | 201 => assert_eq!(verified.json()["account"]["id"], account),
            _ => assert_eq!(verified.refusal(), (401, "code_invalid".to_owned())),
        }
    }
}

// OA3, OA4
#[tokio::test]
async fn linkedin_gets_no_pkce_and_echoes_no_nonce() {
    let world = World::development().await;
    world
        .linkedin
        .add_person(Person::new("x", "alice@example.com"));
    let mut alice = world.client();
    let to_linkedin = alice
        .get("/api/auth/social/linkedin", None)
        .await
        .location();
    assert!(!to_linkedin.contains("code_challenge"), "{to_linkedin}");
    let to_google = alice.get("/api/auth/social/google", None).await.location();
    assert!(
        to_google.contains("code_challenge_method=S256"),
        "{to_google}"
    );
    let landed = alice.sign_in_by(&world.linkedin, "x").await;
    assert_eq!(landed.location(), WELCOME);
    // A provider that stood in for LinkedIn and required PKCE would be refused by itself.
    let strict = world.linkedin.clone().with_quirks(Quirks::NONE);
    assert!(strict.approve(&to_linkedin, "x").is_err());
}

#[tokio::test]
async fn a_disabled_account_is_told_so_and_gets_nothing() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    let account = alice.refresh(None).await.json()["account"]["id"].clone();
    let account = ps_core::AccountId::new(account.as_str().unwrap()).unwrap();
    world.auth.disable(&account).await.unwrap();
    let refused = world.client().sign_in_by(&world.google, "1").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=account_disabled"
    );
    assert!(refused.cookies().is_empty());
    // A new identity with the address of a disabled account gets neither that account nor another.
    world
        .linkedin
        .add_person(Person::new("x", "alice@example.com"));
    let refused = world.client().sign_in_by(&world.linkedin, "x").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=account_disabled"
    );
}

#[tokio::test]
async fn an_unknown_provider_and_a_bad_return_are_said_at_once() {
    let world = World::development().await;
    let mut browser = world.client();
    for path in [
        "/api/auth/social/myspace",
        "/api/auth/social/myspace/callback?code=1&state=2",
        "/api/auth/social/Google",
    ] {
        let refused = browser.get(path, None).await.refusal();
        assert_eq!(refused, (404, "provider_unknown".to_owned()), "{path}");
    }
    // OA21
    for bad in [
        "//evil.example",
        "/%5Cevil.example",
        "/%2509/evil.example",
        "https:evil.example",
        "https://evil.example",
        "/a%23b",
        "/%250d%250aset-cookie:x",
        "",
        "evil",
        "/%252fevil.example",
    ] {
        let path = format!("/api/auth/social/google?return_to={bad}");
        let refused = browser.get(&path, None).await;
        assert_eq!(
            refused.refusal(),
            (400, "return_to_invalid".to_owned()),
            "{bad}"
        );
        assert!(refused.cookies().is_empty());
    }
    let twice = "/api/auth/social/google?return_to=/a&return_to=/b";
    let refused = browser.get(twice, None).await.refusal();
    assert_eq!(refused, (400, "return_to_invalid".to_owned()));
    let refused = browser
        .call(Method::POST, "/api/auth/social/google", None, Value::Null)
        .await;
    assert_eq!(refused.status, 405);
}

// OA16
#[tokio::test]
async fn what_a_client_sends_along_makes_no_profile() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "mallory@example.com"));
    let mut mallory = world.client();
    let path = "/api/auth/social/google?email=victim@example.com&sub=victim";
    let left = mallory.get(path, None).await;
    let callback = world.google.approve(&left.location(), "1").unwrap();
    let callback = world.path_of(&callback) + "&email=victim@example.com&email_verified=true";
    mallory.get(&callback, None).await;
    let session = mallory.refresh(None).await;
    assert_eq!(session.json()["account"]["email"], "mallory@example.com");
}
