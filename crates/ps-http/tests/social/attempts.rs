//! Callbacks that do not belong to an attempt of this browser.

use std::time::Duration;

use ps_testkit::openid::{Misbehaviour, Person, Quirks};

use crate::common::{Client, World};

const INVALID: &str = "http://127.0.0.1:8080/sign-in?error=attempt_invalid";

async fn world() -> std::sync::Arc<World> {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    world
        .linkedin
        .add_person(Person::new("1", "alice@example.com"));
    world
}

/// Sends the callback, and sees it refused without a word to any provider.
async fn refused(browser: &mut Client, callback: &str) {
    let (google, linkedin) = (browser.world.google.calls(), browser.world.linkedin.calls());
    let reply = browser.get(callback, None).await;
    assert_eq!(
        (reply.status.as_u16(), reply.location()),
        (303, INVALID.to_owned()),
        "{callback}"
    );
    // At most the attempt itself is over.
    assert!(
        !reply.cookies().concat().contains("ps_refresh"),
        "{callback}"
    );
    assert_eq!(browser.world.google.calls(), google, "{callback}");
    assert_eq!(browser.world.linkedin.calls(), linkedin, "{callback}");
}

// OA1: the same URL in another browser, with an attempt of its own and without
#[tokio::test]
async fn another_browser_is_refused_before_any_call() {
    let world = world().await;
    let mut attacker = world.client();
    let callback = attacker.leave(&world.google, "1").await;
    let mut victim = world.client();
    refused(&mut victim, &callback).await;
    victim.leave(&world.google, "1").await;
    refused(&mut victim, &callback).await;
    // The one that it belongs to is unharmed.
    let landed = attacker.get(&callback, None).await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
}

// OA1, OA2
#[tokio::test]
async fn an_older_attempt_of_the_same_browser_is_over() {
    let world = world().await;
    let mut alice = world.client();
    let first = alice.leave(&world.google, "1").await;
    let second = alice.leave(&world.google, "1").await;
    refused(&mut alice, &first).await;
    assert_eq!(
        alice.get(&second, None).await.location(),
        "http://127.0.0.1:8080/"
    );
}

// OA1
#[tokio::test]
async fn an_attempt_lives_for_ten_minutes() {
    let world = world().await;
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    world.test.clock.advance(Duration::from_secs(600));
    refused(&mut alice, &callback).await;
    let callback = alice.leave(&world.google, "1").await;
    world.test.clock.advance(Duration::from_millis(59_999)); // codes live for a minute
    assert_eq!(
        alice.get(&callback, None).await.location(),
        "http://127.0.0.1:8080/"
    );
}

// OA5
#[tokio::test]
async fn a_code_of_one_provider_is_nothing_at_the_other() {
    let world = world().await;
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    refused(&mut alice, &callback.replace("/google/", "/linkedin/")).await;
    // With an attempt at both, each by its own state.
    alice.leave(&world.linkedin, "1").await;
    refused(&mut alice, &callback.replace("/google/", "/linkedin/")).await;
}

// OA2, OA22
#[tokio::test]
async fn what_is_changed_in_the_callback_is_refused() {
    let world = world().await;
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    let (path, query) = callback.split_once('?').unwrap();
    let state = query
        .split('&')
        .find(|pair| pair.starts_with("state="))
        .unwrap();
    let long = "a".repeat(3_000);
    for changed in [
        path.to_owned(),
        format!("{path}?{state}"),
        format!("{path}?code=1"),
        format!("{path}?code=1&state="),
        format!("{path}?code=1&{state}x"),
        format!("{path}?code=1&{}", state.to_uppercase()),
        format!("{callback}&{state}"),
        format!("{callback}&code=2"),
        format!("{callback}&iss=a&iss=b"),
        format!("{callback}&iss={long}"),
        format!("{path}?code={long}&{state}"),
        format!("{callback}&iss=https://accounts.google.com.evil.example"),
        format!("{callback}&error=access_denied&error=access_denied"),
    ] {
        refused(&mut alice.clone(), &changed).await;
    }
    assert_eq!(
        alice.get(&callback, None).await.location(),
        "http://127.0.0.1:8080/"
    );
}

// OA6: a callback may say whose it is, and must be right
#[tokio::test]
async fn the_issuer_in_the_callback_is_compared() {
    let world = world().await;
    let google = world.google.clone().with_quirks(Quirks {
        callback_issuer: true,
        ..Quirks::GOOGLE
    });
    let mut alice = world.client();
    google.misbehave(Misbehaviour::CallbackWithWrongIss);
    let callback = alice.leave(&google, "1").await;
    assert!(callback.contains("iss="));
    refused(&mut alice, &callback).await;
    google.behave();
    let callback = alice.leave(&google, "1").await;
    assert!(callback.contains("iss="));
    assert_eq!(
        alice.get(&callback, None).await.location(),
        "http://127.0.0.1:8080/"
    );
}

// OA22: what a provider answers is never shown, and the attempt is over
#[tokio::test]
async fn an_error_of_the_provider_ends_the_attempt() {
    let world = world().await;
    let mut alice = world.client();
    let left = alice.get("/api/auth/social/google", None).await;
    let denied = world.google.deny(&left.location()).unwrap();
    let path = world.path_of(&denied);
    let mut stranger = world.client();
    refused(&mut stranger, &path).await;
    let reply = alice.get(&path, None).await;
    assert_eq!(
        reply.location(),
        "http://127.0.0.1:8080/sign-in?error=access_denied"
    );
    assert!(
        reply.cookies()[0].starts_with("ps_attempt_google=;"),
        "{reply:?}"
    );
    refused(&mut alice, &path).await;

    let left = alice.get("/api/auth/social/google", None).await;
    let denied = world.google.deny(&left.location()).unwrap();
    let script = world
        .path_of(&denied)
        .replace("access_denied", "%3Cscript%3E%0d%0a");
    let reply = alice.get(&script, None).await;
    assert!(
        reply
            .location()
            .starts_with("http://127.0.0.1:8080/sign-in?error="),
        "{reply:?}"
    );
    assert!(!format!("{reply:?}").contains("script"), "{reply:?}");
}

// OA5
#[tokio::test]
async fn nothing_is_built_from_the_host_header() {
    let world = World::production().await;
    let request = http::Request::get("/api/auth/social/google").header("host", "evil.example");
    let refused = world
        .client()
        .send(request.body(bytes::Bytes::new()).unwrap())
        .await;
    assert_eq!(refused.refusal(), (421, "misdirected_request".to_owned()));
    let left = world
        .client()
        .get("/api/auth/social/google", None)
        .await
        .location();
    let redirect =
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fapi%2Fauth%2Fsocial%2Fgoogle%2Fcallback";
    assert!(left.contains(redirect), "{left}");
}

// OA1: a replayed callback, by the same browser, brings nothing new
#[tokio::test]
async fn a_callback_is_worth_one_session() {
    let world = world().await;
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    alice.get(&callback, None).await;
    alice.refresh(None).await;
    let replayed = alice.get(&callback, None).await;
    assert_eq!(
        replayed.location(),
        "http://127.0.0.1:8080/sign-in?error=attempt_used"
    );
    assert!(replayed.cookies().is_empty());
    let token = alice.refreshed().await;
    let sessions = alice.get("/api/auth/sessions", Some(&token)).await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
}

// Each cookie of ours stands where it belongs: an attempt of one provider opens nothing at the
// other.
// OA1
#[tokio::test]
async fn an_attempts_cookie_is_bound_to_its_provider() {
    let world = world().await;
    let mut alice = world.client();
    let callback = alice.leave(&world.google, "1").await;
    let attempt = alice.jar.remove("ps_attempt_google").unwrap();
    alice
        .jar
        .insert("ps_attempt_linkedin".to_owned(), attempt.clone());
    refused(&mut alice, &callback.replace("/google/", "/linkedin/")).await;
    refused(&mut alice, &callback).await;
    alice
        .jar
        .insert("ps_attempt_google".to_owned(), attempt + "A");
    refused(&mut alice, &callback).await;
}
