//! An overload is refused and not queued.

#![allow(clippy::unwrap_used)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Client, DEVELOPMENT, Reply, World, faulty::Fault};
use http::Method;
use ps_http::{Admission, Connection};
use ps_testkit::openid::{Misbehaviour, Person};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, yield_now};

/// Two places of each kind.
async fn narrow() -> Arc<World> {
    let few = Admission::default().with_api_keys(2).with_others(2);
    let few = few.with_each_provider(2);
    World::development_with(|auth| auth.with_admission(few)).await
}

/// A key of a new account, that nobody has used yet.
async fn new_key(client: &mut Client, name: &str) -> String {
    let token = client.token(&format!("{name}@example.com")).await;
    let made = client.post("/api/keys", Some(&token), json!({ "name": name }));
    made.await.text("key")
}

/// Somebody asks and goes on waiting.
async fn asks(
    client: &Client,
    method: Method,
    path: &str,
    token: Option<&str>,
) -> JoinHandle<Reply> {
    let (mut client, path) = (client.clone(), path.to_owned());
    let token = token.map(str::to_owned);
    let asking = tokio::spawn(async move {
        client
            .call(method, &path, token.as_deref(), Value::Null)
            .await
    });
    // Until it waits where it will.
    for _ in 0..64 {
        yield_now().await;
    }
    asking
}

async fn whoami(client: &mut Client, key: &str) -> Reply {
    client.get("/api/v1/whoami", Some(key)).await
}

async fn is_refused_at_once(asking: impl Future<Output = Reply>) {
    let reply = tokio::time::timeout(Duration::from_secs(5), asking).await;
    let reply = reply.expect("it is refused at once");
    assert_eq!(reply.refusal(), (503, "unavailable".to_owned()));
    assert_eq!(reply.headers["retry-after"], "1");
    assert!(reply.cookies().is_empty());
}

// ST10
#[tokio::test]
async fn one_too_many_is_refused_at_once_and_probes_never_are() {
    let world = narrow().await;
    let mut client = world.client();
    let (first, second) = (
        new_key(&mut client, "a").await,
        new_key(&mut client, "b").await,
    );
    let third = new_key(&mut client, "c").await;
    world.faulty.fault("ApiKeyStore::find", Fault::Hangs);
    let waiting = [
        asks(&client, Method::GET, "/api/v1/whoami", Some(&first)).await,
        asks(&client, Method::GET, "/api/v1/whoami", Some(&second)).await,
    ];
    for _ in 0..3 {
        is_refused_at_once(whoami(&mut client, &third)).await;
    }
    for path in [
        "/healthz",
        "/readyz",
        "/.well-known/jwks.json",
        "/api/openapi.json",
    ] {
        assert_eq!(client.get(path, None).await.status, 200, "{path}");
    }
    // What is wrong at first sight takes no place.
    let nowhere = client.get("/api/v1/nowhere", Some(&third)).await;
    assert_eq!(nowhere.refusal(), (404, "not_found".to_owned()));
    assert!(waiting.iter().all(|asking| !asking.is_finished()));
}

// ST10
#[tokio::test]
async fn keys_and_people_do_not_starve_each_other() {
    let world = narrow().await;
    let mut client = world.client();
    let key = new_key(&mut client, "a").await;
    let other = new_key(&mut client, "b").await;
    assert_eq!(whoami(&mut client, &other).await.status, 200);

    world.faulty.fault("ApiKeyStore::find", Fault::Hangs);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(asks(&client, Method::GET, "/api/v1/whoami", Some(&key)).await);
    }
    is_refused_at_once(whoami(&mut client, &other)).await;
    assert_eq!(client.refresh(None).await.status, 200);
    assert_eq!(client.clone().sign_up("c@example.com").await.status, 201);

    for asking in waiting {
        asking.abort();
    }
    world.faulty.fault("SessionStore::rotate", Fault::Hangs);
    for _ in 0..2 {
        asks(&client, Method::POST, "/api/auth/refresh", None).await;
    }
    is_refused_at_once(client.refresh(None)).await;
    assert_eq!(whoami(&mut client, &other).await.status, 200);
}

// ST10, F16
#[tokio::test]
async fn a_provider_that_hangs_starves_nobody_else() {
    let world = narrow().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    for provider in [&world.google, &world.linkedin] {
        provider.add_person(Person::new("1", "bob@example.com"));
    }
    let mut waiting = Vec::new();
    let mut bob = world.client();
    let callback = bob.leave(&world.google, "1").await;
    let link = alice.leave_to_link(&world.google, "1", &token).await;
    for _ in 0..2 {
        let mut browser = world.client();
        let callback = browser.leave(&world.google, "1").await;
        waiting.push((browser, callback));
    }
    world
        .google
        .misbehave(Misbehaviour::Slow(Duration::from_secs(10)));
    let before = world.google.calls();
    let mut hanging = Vec::new();
    for (browser, callback) in &waiting {
        hanging.push(asks(browser, Method::GET, callback, None).await);
    }
    let calls = world.google.calls();
    assert_eq!(calls.token, before.token + 2);

    assert_eq!(alice.refresh(None).await.status, 200);
    let jar = bob.jar.clone();
    let refused = tokio::time::timeout(Duration::from_secs(5), bob.get(&callback, None));
    let refused = refused.await.expect("it is refused at once");
    assert_eq!(
        (refused.status.as_u16(), refused.location()),
        (
            303,
            format!("{DEVELOPMENT}/sign-in?error=provider_unavailable")
        )
    );
    assert_eq!(bob.jar, jar, "the attempt is not over");
    let refused = alice.get(&link, None).await;
    assert_eq!(
        refused.location(),
        format!("{DEVELOPMENT}/settings?tab=security&error=provider_unavailable")
    );
    let body = |reply: Reply| (reply.headers["retry-after"].clone(), reply.refusal());
    let refusal = (
        "1".parse().unwrap(),
        (503, "provider_unavailable".to_owned()),
    );
    let begun = bob.get("/api/auth/social/google", None).await;
    assert_eq!(body(begun), refusal);
    let linking = alice.post("/api/auth/social/google/link", Some(&token), Value::Null);
    assert_eq!(body(linking.await), refusal);
    assert_eq!(world.google.calls(), calls);

    let elsewhere = world.client().sign_in_by(&world.linkedin, "1").await;
    assert_eq!(elsewhere.location(), format!("{DEVELOPMENT}/"));
    assert!(hanging.iter().all(|asking| !asking.is_finished()));

    world.google.behave();
    world.test.clock.advance(Duration::from_secs(10));
    for asking in hanging {
        assert_eq!(asking.await.unwrap().status, 303);
    }
    assert_eq!(
        bob.get(&callback, None).await.location(),
        format!("{DEVELOPMENT}/")
    );
}

#[tokio::test]
async fn a_callback_takes_no_place_of_the_others() {
    let world = narrow().await;
    let mut alice = world.client();
    alice.token("alice@example.com").await;
    world.google.add_person(Person::new("1", "bob@example.com"));
    let mut bob = world.client();
    let callback = bob.leave(&world.google, "1").await;
    world.faulty.fault("SessionStore::rotate", Fault::Hangs);
    for _ in 0..2 {
        asks(&alice, Method::POST, "/api/auth/refresh", None).await;
    }
    is_refused_at_once(alice.refresh(None)).await;
    assert_eq!(
        bob.get(&callback, None).await.location(),
        format!("{DEVELOPMENT}/")
    );
}

#[tokio::test]
async fn who_hangs_up_gives_the_place_back() {
    let world = narrow().await;
    let mut client = world.client();
    client.token("a@example.com").await;
    world.faulty.fault("SessionStore::rotate", Fault::Hangs);
    for _ in 0..20 {
        let mut impatient = client.clone();
        let within = Duration::from_millis(1);
        let gone = tokio::time::timeout(within, impatient.refresh(None)).await;
        assert!(gone.is_err());
    }
    world.faulty.heal();
    assert_eq!(client.refresh(None).await.status, 200);
    let mut broken = client.clone();
    for _ in 0..20 {
        let panicked = broken.get("/api/panic", None).await;
        assert_eq!(panicked.status, 500);
    }
    assert_eq!(client.refresh(None).await.status, 200);
}

/// A check for a handler of the application's own takes a place while it goes on, and not for as long
/// as that handler takes.
#[tokio::test]
async fn a_check_alone_is_admitted_too() {
    let world = narrow().await;
    let mut client = world.client();
    let key = new_key(&mut client, "a").await;
    let token = client.refreshed().await;
    let on = Connection {
        peer: ([127, 0, 0, 1], 40_000).into(),
        tls: false,
    };
    let head = |credential: &str| {
        let request = http::Request::get("/mine").header("host", "127.0.0.1:8080");
        let request = request.header("authorization", format!("Bearer {credential}"));
        request.body(()).unwrap().into_parts().0
    };
    for _ in 0..10 {
        assert!(world.auth.api_key(&head(&key), on).await.is_ok());
        assert!(world.auth.session(&head(&token), on).await.is_ok());
    }
    world.faulty.fault("SessionStore::rotate", Fault::Hangs);
    for _ in 0..2 {
        asks(&client, Method::POST, "/api/auth/refresh", None).await;
    }
    let head = head(&token);
    let asking = async {
        world
            .auth
            .session(&head, on)
            .await
            .unwrap_err()
            .into_response()
    };
    let refused = tokio::time::timeout(Duration::from_secs(5), asking).await;
    assert_eq!(refused.unwrap().status(), 503);
}
