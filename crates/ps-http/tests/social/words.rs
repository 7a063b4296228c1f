//! What a provider says, and must not be believed.

use std::time::Duration;

use ps_testkit::openid::{EmailVerified, Misbehaviour, OldKeys, Person};

use crate::common::{Reply, World};

fn error(reply: &Reply) -> String {
    let location = reply.location();
    let (_, code) = location
        .split_once("/sign-in?error=")
        .unwrap_or(("", &location));
    code.to_owned()
}

// OA4, OA7, OA8, OA9, OA10
#[tokio::test]
async fn a_bad_id_token_signs_nobody_in() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    for how in Misbehaviour::IN_ID_TOKEN {
        world.google.misbehave(*how);
        let refused = alice.sign_in_by(&world.google, "1").await;
        assert_eq!(error(&refused), "id_token_invalid", "{how:?}");
        assert!(refused.cookies().is_empty(), "{how:?}");
        world.google.behave();
        let landed = alice.sign_in_by(&world.google, "1").await;
        assert_eq!(landed.location(), "http://127.0.0.1:8080/", "after {how:?}");
    }
}

// OA4: LinkedIn echoes no nonce, but a wrong one is wrong there too
#[tokio::test]
async fn linkedins_tokens_are_judged_by_the_same_rules() {
    let world = World::development().await;
    world
        .linkedin
        .add_person(Person::new("x", "alice@example.com"));
    let mut alice = world.client();
    for how in Misbehaviour::IN_ID_TOKEN {
        world.linkedin.misbehave(*how);
        let reply = alice.sign_in_by(&world.linkedin, "x").await;
        if *how == Misbehaviour::MissingNonce {
            assert_eq!(reply.location(), "http://127.0.0.1:8080/");
        } else {
            assert_eq!(error(&reply), "id_token_invalid", "{how:?}");
            assert!(reply.cookies().is_empty(), "{how:?}");
        }
    }
}

// OA23
#[tokio::test]
async fn a_provider_out_of_order_signs_nobody_in_and_says_so() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    for how in [
        Misbehaviour::NotJson,
        Misbehaviour::Redirect,
        Misbehaviour::Reset,
        Misbehaviour::ServerError,
        Misbehaviour::TooLong,
    ] {
        let callback = alice.leave(&world.google, "1").await;
        let calls = world.google.calls().token;
        world.google.misbehave(how);
        let refused = alice.get(&callback, None).await;
        assert_eq!(error(&refused), "provider_unavailable", "{how:?}");
        assert!(refused.cookies().is_empty(), "{how:?}");
        assert!(
            world.google.calls().token <= calls + 1,
            "{how:?}: a code is exchanged once"
        );
        world.google.behave();
        // Nothing was spent by us: whether the code still works is the provider's to say.
        let landed = alice.sign_in_by(&world.google, "1").await;
        assert_eq!(landed.location(), "http://127.0.0.1:8080/", "after {how:?}");
    }
}

// OA13, OA14
#[tokio::test]
async fn an_address_is_verified_only_by_true() {
    for (said, verified) in EmailVerified::UNVERIFIED
        .map(|said| (said, false))
        .into_iter()
        .chain([(EmailVerified::True, true), (EmailVerified::TrueText, true)])
    {
        let world = World::development().await;
        let person = |address: &str| Person {
            email_verified: said,
            ..Person::new(format!("1{address}"), address)
        };
        let (new, taken) = ("new@example.com", "taken@example.com");
        world.client().token(taken).await;
        for address in [new, taken] {
            world.google.add_person(person(address));
            let mut browser = world.client();
            let reply = browser
                .sign_in_by(&world.google, &format!("1{address}"))
                .await;
            if verified {
                assert_eq!(reply.location(), "http://127.0.0.1:8080/", "{said:?}");
            } else {
                assert_eq!(error(&reply), "email_unverified", "{said:?} {address}");
                assert!(reply.cookies().is_empty());
            }
        }
    }
}

#[tokio::test]
async fn without_an_address_nobody_is_registered() {
    let world = World::development().await;
    for address in [None, Some("no address"), Some("a@b"), Some("")] {
        world.google.add_person(Person {
            email: address.map(str::to_owned),
            ..Person::new("1", "x@example.com")
        });
        let refused = world.client().sign_in_by(&world.google, "1").await;
        assert_eq!(error(&refused), "email_unverified", "{address:?}");
    }
}

// OA11
#[tokio::test]
async fn ten_thousand_unknown_keys_cost_one_fetch() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    world.test.clock.advance(Duration::from_secs(31));
    let fetched = world.google.calls().jwks;
    for round in 0..500 {
        world.google.misbehave(Misbehaviour::UnknownKid);
        let refused = alice.sign_in_by(&world.google, "1").await;
        assert_eq!(error(&refused), "id_token_invalid");
        if round % 100 == 0 {
            world.google.behave();
            let landed = alice.sign_in_by(&world.google, "1").await;
            assert_eq!(landed.location(), "http://127.0.0.1:8080/");
        }
    }
    assert!(
        world.google.calls().jwks - fetched <= 1,
        "{:?}",
        world.google.calls()
    );
}

// OA11
#[tokio::test]
async fn a_rotated_key_is_found_by_itself() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    world.test.clock.advance(Duration::from_secs(31));
    world.google.rotate_keys(OldKeys::Stay);
    let landed = alice.sign_in_by(&world.google, "1").await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
    world.google.misbehave(Misbehaviour::JwksFails);
    world.test.clock.advance(Duration::from_secs(2 * 3_600));
    let landed = alice.sign_in_by(&world.google, "1").await;
    assert_eq!(
        landed.location(),
        "http://127.0.0.1:8080/",
        "keys outlive an outage"
    );
}

// OA23: codes that no provider takes are failures of the network that brings them
#[tokio::test]
async fn a_network_brings_a_hundred_bad_codes_an_hour() {
    let world = World::limited().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    let _passing = world.time_passes(Duration::from_millis(50));
    let mut mallory = world.client();
    let mut asked = 0;
    for round in 0..120 {
        let callback = mallory.leave(&world.google, "1").await;
        let bad = callback.replace("code=4", &format!("code=bad{round}"));
        assert_ne!(bad, callback);
        let refused = mallory.get(&bad, None).await;
        if error(&refused) == "provider_error" {
            asked += 1;
        } else {
            assert_eq!(error(&refused), "provider_unavailable");
        }
    }
    let calls = world.google.calls().token;
    assert_eq!(calls, 100, "nobody is asked about the rest");
    assert_eq!(asked, 100);
}

// The owner of a new account is told.
// OA19
#[tokio::test]
async fn a_new_account_is_told_to_its_owner() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    world.client().sign_in_by(&world.google, "1").await;
    let to = ps_core::EmailAddress::parse("alice@example.com").unwrap();
    let told = async {
        loop {
            if let Some(mail) = world.mailbox.messages_to(&to).first() {
                break mail.subject.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let subject = tokio::time::timeout(Duration::from_secs(10), told)
        .await
        .unwrap();
    assert!(subject.starts_with("Welcome to"), "{subject}");
}
