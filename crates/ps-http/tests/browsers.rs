//! Known browsers over HTTP: what strangers cannot take from them, and what their cookie is worth.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{Client, Reply, World, faulty::Fault};
use http::Method;
use ps_core::{Ambient, EmailAddress, RootSecret, RootSecrets};
use ps_http::{Edge, KnownBrowsers, Notices, Origin, PlainNotices};
use ps_memory::MemoryStore;
use ps_testkit::{Mailbox, openid::Person};
use serde_json::{Value, json};

const ASK: &str = "/api/auth/magic-code";
const VERIFY: &str = "/api/auth/magic-code/verify";
const LOGIN: &str = "/api/auth/login";
const GOOD: &str = "correct horse battery";
const ALICE: &str = "alice@example.com";
const NOBODY: &str = "nobody@example.com";
const DEVICE: &str = "__Host-ps_device";
const HOUR: Duration = Duration::from_secs(3_600);
const DAYS: Duration = Duration::from_secs(24 * 3_600);

/// In production, with the limits of networks.
async fn production() -> Arc<World> {
    let origin = Origin::parse(common::PRODUCTION).unwrap();
    World::with(Edge::new(origin).unwrap(), true).await
}

fn stranger(world: &Arc<World>, network: u8) -> Client {
    let mut client = world.client();
    client.peer = IpAddr::from([203, 0, 113, network]);
    client
}

async fn login(client: &mut Client, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    client.post(LOGIN, None, body).await
}

/// Asks for a code and signs in with it.
async fn sign_in(client: &mut Client, email: &str) -> Reply {
    let to = EmailAddress::parse(email).unwrap();
    let mails = client.world.letters_to(&to).len();
    let asked = client.ask(ASK, email).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let code = client.world.code(email, mails + 1).await;
    let body = json!({ "code": code, "email": email });
    client.post(VERIFY, None, body).await
}

/// Signs up with a password, and answers the browser and its access token.
async fn with_password(world: &Arc<World>, email: &str) -> (Client, String) {
    let mut client = world.client();
    let token = client.token(email).await;
    let body = json!({ "new_password": GOOD });
    let set = client.call(Method::PUT, "/api/auth/password", Some(&token), body);
    assert_eq!(set.await.status, 204);
    (client, token)
}

/// Strangers use up the mails of an address, from as many networks as it takes.
async fn flood(world: &Arc<World>, email: &str) {
    let mut mails = 0;
    for network in 1..=7 {
        for _ in 0..6 {
            let asked = stranger(world, network).ask(ASK, email).await;
            mails += u32::from(asked.status == 202);
        }
    }
    assert_eq!(mails, 30, "thirty a day, five an hour from one network");
}

/// Whether the browser is known for the address, by what it can do when strangers have used it up.
async fn is_known(client: &mut Client, email: &str) -> bool {
    client.jar.remove("__Host-ps_challenge");
    match client.ask(ASK, email).await.status.as_u16() {
        202 => true,
        429 => false,
        other => panic!("{other}"),
    }
}

fn limited() -> (u16, String) {
    (429, "rate_limited".to_owned())
}

// MC10, MC12
#[tokio::test]
async fn strangers_who_use_up_the_mails_of_an_address_do_not_block_its_owners_browser() {
    let world = production().await;
    let mut alice = world.client();
    alice.sign_up(ALICE).await;
    let mut answers = Vec::new();
    for email in [ALICE, NOBODY] {
        flood(&world, email).await;
        let refused = stranger(&world, 99).ask(ASK, email).await;
        assert_eq!(refused.refusal(), limited());
        // A day and a code's life.
        let policy = r#""mails-a-day";q=30;w=87000"#;
        assert_eq!(refused.headers["ratelimit-policy"], policy);
        let names: Vec<String> = refused.headers.keys().map(ToString::to_string).collect();
        answers.push((refused.body, names));
    }
    assert_eq!(answers[0], answers[1], "known and unknown addresses alike");
    // From wherever she is, a stranger's network too.
    alice.peer = [203, 0, 113, 1].into();
    let signed_in = sign_in(&mut alice, ALICE).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    // A lane is a lane: five unanswered mails an hour.
    for mails in 0..6 {
        assert_eq!(is_known(&mut alice, ALICE).await, mails < 5, "{mails}");
    }
    // What she is known for is one address.
    assert_eq!(alice.ask(ASK, NOBODY).await.refusal(), limited());
}

// MC12
#[tokio::test]
async fn strangers_who_guess_at_a_password_do_not_block_its_owners_browser() {
    let world = production().await;
    let (mut alice, _) = with_password(&world, ALICE).await;
    for network in 1..=10 {
        let wrong = login(&mut stranger(&world, network), ALICE, "a wrong guess").await;
        assert_eq!(wrong.refusal(), (401, "credentials_invalid".to_owned()));
    }
    for email in [ALICE, NOBODY] {
        for _ in 0..10 {
            login(&mut stranger(&world, 20), email, "a wrong guess").await;
        }
        let refused = login(&mut stranger(&world, 30), email, GOOD).await;
        assert_eq!(refused.refusal(), limited(), "{email}");
    }
    let session = login(&mut alice, ALICE, GOOD).await;
    assert_eq!(session.status, 200);
    let body = json!({ "new_password": "another good one", "current_password": GOOD });
    let token = session.text("access_token");
    let changed = alice.call(Method::PUT, "/api/auth/password", Some(&token), body);
    assert_eq!(changed.await.status, 204);
    // Her browser has ten of its own and no more.
    for _ in 0..10 {
        let wrong = login(&mut alice, ALICE, "a wrong guess").await;
        assert_eq!(wrong.refusal(), (401, "credentials_invalid".to_owned()));
    }
    let refused = login(&mut alice, ALICE, "another good one").await;
    assert_eq!(refused.refusal(), limited());
    // And the code to the mailbox still works, for a browser that nobody knows too.
    assert_eq!(sign_in(&mut stranger(&world, 40), ALICE).await.status, 200);
}

// MC11, MC12: whoever knows a password for a while keeps the cookie of every sign-in.
#[tokio::test]
async fn many_cookies_of_one_address_are_worth_no_more_than_one() {
    let world = production().await;
    with_password(&world, ALICE).await;
    let mut hoard = Vec::new();
    for network in 1..=20 {
        let mut thief = stranger(&world, network);
        assert_eq!(login(&mut thief, ALICE, GOOD).await.status, 200);
        world.test.clock.advance(Duration::from_secs(1));
        hoard.push(thief);
    }
    let (mut guesses, mut mails) = (0, 0);
    for thief in &mut hoard {
        for _ in 0..3 {
            let guessed = login(thief, ALICE, "a wrong guess").await;
            guesses += u32::from(guessed.status == 401);
            mails += u32::from(is_known(thief, ALICE).await);
        }
    }
    assert_eq!((guesses, mails), (10, 5), "an hour, all of them together");
    // The owner is a stranger meanwhile, and nothing of strangers is used up.
    let mut owner = stranger(&world, 99);
    assert_eq!(sign_in(&mut owner, ALICE).await.status, 200);
    let mut owner = stranger(&world, 99);
    assert_eq!(login(&mut owner, ALICE, GOOD).await.status, 200);
}

// MC12, MC13
#[tokio::test]
async fn strangers_in_its_own_network_do_not_block_a_known_browser() {
    let world = production().await;
    let (mut alice, _) = with_password(&world, ALICE).await;
    let mut other = world.client();
    for _ in 0..100 {
        let body = json!({ "code": "000000", "challenge": "0123456789012345678901" });
        assert_eq!(other.post(VERIFY, None, body).await.status, 401);
    }
    for place in 0..300 {
        other
            .ask(ASK, &format!("somebody{place}@example.com"))
            .await;
    }
    assert_eq!(other.ask(ASK, ALICE).await.refusal(), limited());
    assert_eq!(login(&mut other, ALICE, GOOD).await.refusal(), limited());
    assert_eq!(sign_in(&mut alice, ALICE).await.status, 200);
    assert_eq!(login(&mut alice, ALICE, GOOD).await.status, 200);
    // Exempt is who says for which address. Its guesses count for no network, and are few.
    assert_eq!(alice.ask(ASK, NOBODY).await.refusal(), limited());
    assert_eq!(login(&mut alice, NOBODY, GOOD).await.refusal(), limited());
    assert_eq!(alice.ask(ASK, ALICE).await.status, 202);
    for email in [None, Some(NOBODY)] {
        let body = json!({ "code": "000000", "email": email });
        assert_eq!(alice.post(VERIFY, None, body).await.refusal(), limited());
    }
    let body = json!({ "code": "000000", "email": ALICE });
    let wrong = alice.post(VERIFY, None, body).await;
    assert_eq!(wrong.refusal(), (401, "code_invalid".to_owned()));
}

// MC12
#[tokio::test]
async fn what_is_forged_foreign_expired_or_garbled_makes_nobody_known() {
    let world = production().await;
    let (mut alice, mut bob) = (world.client(), world.client());
    alice.sign_up(ALICE).await;
    bob.sign_up("bob@example.com").await;
    let (good, bobs) = (alice.jar[DEVICE].clone(), bob.jar[DEVICE].clone());
    flood(&world, ALICE).await;
    let asked_with = async |value: &str| {
        let mut client = stranger(&world, 1);
        client.jar.insert(DEVICE.to_owned(), value.to_owned());
        is_known(&mut client, ALICE).await
    };
    assert!(asked_with(&good).await);
    let forged = if good.ends_with('A') { 'B' } else { 'A' };
    for stranger in [
        "",
        "garbage",
        &bobs,
        &good[1..],
        &format!("{}{forged}", &good[..good.len() - 1]),
        &format!("{}{}", &bobs[..28], &good[28..]),
        &format!("%{good}"),
        &"A.".repeat(4_000),
    ] {
        assert!(!asked_with(stranger).await, "{stranger}");
    }
    assert!(asked_with(&format!("garbage.{good}")).await);
    // Under a name that is not in force here it is not read.
    let mut other = stranger(&world, 1);
    other.jar.insert("ps_device".to_owned(), good.clone());
    assert!(!is_known(&mut other, ALICE).await);
    world
        .test
        .clock
        .advance(DAYS * 180 - Duration::from_millis(1));
    flood(&world, ALICE).await;
    let mut client = stranger(&world, 1);
    client.jar.insert(DEVICE.to_owned(), good);
    assert!(is_known(&mut client, ALICE).await);
    world.test.clock.advance(Duration::from_millis(1));
    assert!(!is_known(&mut client, ALICE).await, "180 days are over");
}

// MC12
#[tokio::test]
async fn a_browser_is_known_for_the_last_four_of_five_addresses() {
    let world = production().await;
    let mut browser = world.client();
    let people: Vec<String> = (0..5).map(|n| format!("person{n}@example.com")).collect();
    for person in &people {
        browser.sign_up(person).await;
        world.test.clock.advance(Duration::from_secs(1));
    }
    for (number, person) in people.iter().enumerate() {
        flood(&world, person).await;
        world.test.clock.advance(HOUR); // for the networks
        assert_eq!(is_known(&mut browser, person).await, number > 0, "{person}");
    }
}

// MC12: what a cookie says that is older than the first proof of the mailbox is of somebody else.
#[tokio::test]
async fn a_claim_makes_every_older_cookie_worthless() {
    // Two sites of one secret: here somebody had the address before it was anybody's there.
    let here = production().await;
    let mut earlier = here.client();
    earlier.sign_up(ALICE).await;
    let planted = |world: &Arc<World>| {
        let mut client = stranger(world, 1);
        client.jar.clone_from(&earlier.jar);
        client
    };
    let there = production().await;
    flood(&there, ALICE).await;
    assert!(!is_known(&mut planted(&there), ALICE).await, "no account");
    let address = EmailAddress::parse(ALICE).unwrap();
    there
        .store
        .import_user(&address, there.test.ambient().clock.now());
    assert!(!is_known(&mut planted(&there), ALICE).await, "nobody's yet");
    for (later, known) in [(0, true), (1, false)] {
        let there = production().await;
        there.test.clock.advance(Duration::from_millis(later));
        let mut owner = there.client();
        owner.sign_up(ALICE).await;
        flood(&there, ALICE).await;
        assert!(is_known(&mut owner, ALICE).await);
        let found = is_known(&mut planted(&there), ALICE).await;
        assert_eq!(found, known, "{later} ms before the claim");
    }
}

// MC12
#[tokio::test]
async fn the_cookie_is_set_by_signing_in_and_by_nothing_else() {
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=15552000";
    let world = production().await;
    world.google.add_person(Person::new("1", ALICE));
    let (mut alice, token) = with_password(&world, ALICE).await;
    let mut by_password = world.client();
    let mut by_google = world.client();
    let answers = [
        world.client().sign_up("new@example.com").await,
        sign_in(&mut world.client(), ALICE).await,
        login(&mut by_password, ALICE, GOOD).await,
        by_google.sign_in_by(&world.google, "1").await,
    ];
    for answer in answers {
        let cookies = answer.cookies();
        let set: Vec<_> = cookies
            .iter()
            .filter(|one| one.starts_with(DEVICE))
            .collect();
        assert_eq!(set.len(), 1, "{answer:?}");
        assert!(set[0].ends_with(attributes), "{set:?}");
        let value = set[0][DEVICE.len() + 1..].strip_suffix(attributes).unwrap();
        assert!(!String::from_utf8_lossy(&answer.body).contains(value));
        assert_eq!(value.len(), 80);
    }
    let before = alice.jar[DEVICE].clone();
    let others = [
        alice.ask(ASK, ALICE).await,
        alice.post(VERIFY, None, json!({ "code": "000000" })).await,
        login(&mut alice, ALICE, "a wrong guess").await,
        alice.refresh(None).await,
        alice.get("/api/auth/session", Some(&token)).await,
        alice.post("/api/auth/logout", None, Value::Null).await,
        alice.refresh(None).await,
    ];
    for answer in others {
        assert!(!answer.cookies().concat().contains("device"), "{answer:?}");
    }
    assert_eq!(alice.jar[DEVICE], before, "signing out forgets no browser");
    let world = World::development().await;
    let answer = world.client().sign_up(ALICE).await;
    let device = answer
        .cookies()
        .into_iter()
        .find(|one| one.starts_with("ps_device="));
    let expected = "; Path=/; HttpOnly; SameSite=Strict; Max-Age=15552000";
    assert!(device.unwrap().ends_with(expected));
}

// MC12
#[tokio::test]
async fn the_cookie_opens_nothing() {
    let world = production().await;
    let mut alice = world.client();
    alice.sign_up(ALICE).await;
    let device = alice.jar[DEVICE].clone();
    let mut thief = stranger(&world, 1);
    thief.jar.insert(DEVICE.to_owned(), device.clone());
    for token in [None, Some(device.as_str())] {
        for path in ["/api/auth/session", "/api/auth/sessions", "/api/keys"] {
            let refused = thief.get(path, token).await;
            assert_eq!(refused.status, 401, "{path}");
        }
    }
    assert_eq!(thief.refresh(None).await.status, 401);
    for name in [
        "__Host-ps_refresh",
        "__Host-ps_challenge",
        "__Host-ps_attempt_google",
    ] {
        let mut thief = stranger(&world, 1);
        thief.jar.insert(name.to_owned(), device.clone());
        assert_eq!(thief.refresh(None).await.status, 401);
        let body = json!({ "code": "000000" });
        assert!([400, 401].contains(&thief.post(VERIFY, None, body).await.status.as_u16()));
        let called = "/api/auth/social/google/callback?code=x&state=y";
        let landed = thief.get(called, None).await;
        assert!(landed.location().ends_with("error=attempt_invalid"));
    }
    // And what opens something makes nobody known.
    flood(&world, ALICE).await;
    let mut other = stranger(&world, 1);
    other
        .jar
        .insert(DEVICE.to_owned(), alice.jar["__Host-ps_refresh"].clone());
    assert!(!is_known(&mut other, ALICE).await);
    // Sent twice it is refused, as every cookie of ours.
    let request = http::Request::post(ASK)
        .header("content-type", "application/json")
        .header("cookie", format!("{DEVICE}={device}; {DEVICE}={device}"))
        .body(json!({ "email": ALICE }).to_string().into());
    let twice = world.client().send(request.unwrap()).await;
    assert_eq!(twice.refusal(), (400, "header_invalid".to_owned()));
}

// MC12: the cookie is strict, so it does not come with the callback; the attempt carries it.
#[tokio::test]
async fn a_social_sign_in_keeps_what_the_browser_was_known_for() {
    let world = production().await;
    world.google.add_person(Person::new("1", "bob@example.com"));
    let mut browser = world.client();
    browser.sign_up(ALICE).await;
    let callback = browser.leave(&world.google, "1").await;
    browser.jar.remove(DEVICE);
    browser.jar.remove("__Host-ps_refresh");
    let landed = browser.get(&callback, None).await;
    assert_eq!(landed.status, 303);
    // What is delivered twice is answered alike, for the first answer may have been lost.
    let first = browser.jar.remove(DEVICE).unwrap();
    browser.get(&callback, None).await;
    assert_eq!(browser.jar[DEVICE], first);
    for email in [ALICE, "bob@example.com"] {
        flood(&world, email).await;
        assert!(is_known(&mut browser, email).await, "{email}");
        world.test.clock.advance(HOUR);
    }
}

#[tokio::test]
#[should_panic(expected = "before anybody signs in")]
async fn browsers_are_not_known_by_half() {
    let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
    let roots = RootSecrets::new([root]).unwrap();
    World::development_with(|auth| {
        let letters = Arc::new(PlainNotices::new("Example"));
        let notices = Notices::new(Arc::new(Mailbox::default()), letters, Ambient::default());
        let limiter = Arc::new(MemoryStore::default());
        auth.with_known_browsers(KnownBrowsers::new(&roots, limiter, notices))
    })
    .await;
}

// MC23
#[tokio::test]
async fn the_owner_is_told_of_a_sign_in_with_a_new_browser_once_and_not_of_the_first() {
    let world = production().await;
    let (mut alice, _) = with_password(&world, ALICE).await;
    world.google.add_person(Person::new("1", ALICE));
    alice.sign_in_by(&world.google, "1").await;
    let usual = world.notices_to(ALICE).await;
    let expected = ["Your password for", "Google now signs you in"];
    assert!(
        usual
            .iter()
            .zip(expected)
            .all(|(told, words)| told.contains(words)),
        "{usual:?}"
    );
    assert_eq!(usual.len(), 2, "{usual:?}");
    // Her own browser, in every way.
    sign_in(&mut alice, ALICE).await;
    login(&mut alice, ALICE, GOOD).await;
    let callback = alice.leave(&world.google, "1").await;
    let device = alice.jar.remove(DEVICE);
    alice.get(&callback, None).await;
    assert!(device.is_some() && alice.jar.contains_key(DEVICE));
    assert_eq!(world.notices_to(ALICE).await.len(), 2);
    // Others, each once: the next time they are known.
    let mut told = 2;
    for way in 0..3 {
        let mut other = stranger(&world, way);
        for _ in 0..2 {
            let status = match way {
                0 => sign_in(&mut other, ALICE).await.status,
                1 => login(&mut other, ALICE, GOOD).await.status,
                _ => {
                    let callback = other.leave(&world.google, "1").await;
                    let landed = other.get(&callback, None).await;
                    other.get(&callback, None).await;
                    landed.status
                }
            };
            assert!([200, 303].contains(&status.as_u16()), "{way}: {status}");
        }
        told += 1;
        let notices = world.notices_to(ALICE).await;
        assert_eq!(notices.len(), told, "{way}: {notices:?}");
        assert!(notices.last().unwrap().starts_with("New sign-in to"));
    }
    // A new account is no news to whoever has just made it, in whatever way.
    world.google.add_person(Person::new("2", "new@gmail.com"));
    world.client().sign_in_by(&world.google, "2").await;
    let told = world.notices_to("new@gmail.com").await;
    assert!(
        told.len() == 1 && told[0].starts_with("Welcome"),
        "{told:?}"
    );
    let address = EmailAddress::parse("old@example.com").unwrap();
    world
        .store
        .import_user(&address, world.test.ambient().clock.now());
    world.client().sign_up("old@example.com").await;
    assert!(world.notices_to("old@example.com").await.is_empty());
}

// MC23
#[tokio::test]
async fn the_owner_is_told_of_a_sign_in_after_three_that_failed() {
    let world = production().await;
    let (mut alice, _) = with_password(&world, ALICE).await;
    let told = world.notices_to(ALICE).await.len();
    let count = async || world.notices_to(ALICE).await.len() - told;
    for network in 1..=2 {
        login(&mut stranger(&world, network), ALICE, "a wrong guess").await;
    }
    login(&mut alice, ALICE, GOOD).await;
    assert_eq!(count().await, 0, "two are a slip");
    // A wrong code counts as much as a wrong password.
    let mut other = stranger(&world, 3);
    other.ask(ASK, ALICE).await;
    let body = json!({ "code": "0000000" });
    assert_eq!(other.post(VERIFY, None, body).await.status, 401);
    login(&mut alice, ALICE, GOOD).await;
    assert_eq!(count().await, 1);
    sign_in(&mut alice, ALICE).await;
    assert_eq!(count().await, 1, "the same failures are told once");
    world.test.clock.advance(HOUR);
    login(&mut alice, ALICE, GOOD).await;
    assert_eq!(count().await, 1, "they are over");
    for network in 1..=3 {
        login(&mut stranger(&world, network), ALICE, "a wrong guess").await;
    }
    let mut new = stranger(&world, 9);
    login(&mut new, ALICE, GOOD).await;
    assert_eq!(count().await, 2, "one mail tells both");
    let to = EmailAddress::parse(ALICE).unwrap();
    let mails = world.mailbox.messages_to(&to);
    let text = &mails.last().unwrap().text;
    assert!(
        text.contains("a browser that had not done so before and after several"),
        "{text}"
    );
}

// MC23
#[tokio::test]
async fn whoever_can_sign_in_cannot_flood_the_owner_with_notices() {
    let world = World::production().await;
    with_password(&world, ALICE).await;
    let told = world.notices_to(ALICE).await.len();
    for (hours, mails) in [(0, 5), (1, 10), (2, 10), (24, 15)] {
        for _ in 0..12 {
            assert_eq!(login(&mut world.client(), ALICE, GOOD).await.status, 200);
        }
        assert_eq!(world.notices_to(ALICE).await.len() - told, mails, "{hours}");
        world
            .test
            .clock
            .advance(if hours == 2 { HOUR * 22 } else { HOUR });
    }
}

// MC23: who cannot be counted signs in all the same, and the owner is told rather than not.
#[tokio::test]
async fn a_sign_in_does_not_depend_on_what_is_only_counted() {
    let world = World::production().await;
    world.client().sign_up(ALICE).await;
    let mut client = world.client();
    client.ask(ASK, ALICE).await;
    let code = world.code(ALICE, 2).await;
    world.faulty.fault("Limiter::hit", Fault::Fails);
    let body = json!({ "code": code });
    assert_eq!(client.post(VERIFY, None, body).await.status, 200);
    assert!(world.faulty.heal() > 0);
    assert_eq!(world.notices_to(ALICE).await.len(), 1);
}
