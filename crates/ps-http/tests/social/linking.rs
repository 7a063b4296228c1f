//! Linking from the settings, unlinking, and who is told.

use std::time::Duration;

use ps_core::EmailAddress;
use ps_testkit::openid::{EmailVerified, Misbehaviour, Person};
use serde_json::json;

use crate::common::{Client, World};

const SETTINGS: &str = "http://127.0.0.1:8080/settings?tab=security";

async fn world() -> std::sync::Arc<World> {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("1", "alice@example.com"));
    world
        .linkedin
        .add_person(Person::new("x", "private@example.org"));
    world
}

async fn identities(browser: &mut Client, token: &str) -> Vec<String> {
    let reply = browser
        .get("/api/auth/identities", Some(token))
        .await
        .json();
    let list = reply["identities"].as_array().unwrap().clone();
    list.iter()
        .map(|one| one["provider"].as_str().unwrap().to_owned())
        .collect()
}

/// The subjects of an account's mails, once there are this many.
async fn subjects(world: &World, to: &str, mails: usize) -> Vec<String> {
    let to = EmailAddress::parse(to).unwrap();
    let waiting = async {
        loop {
            let messages = world.mailbox.messages_to(&to);
            if messages.len() >= mails {
                return messages.iter().map(|mail| mail.subject.clone()).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
}

// OA17, OA19
#[tokio::test]
async fn an_owner_links_and_unlinks_and_is_told() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    let linked = alice.link(&world.linkedin, "x", &token).await;
    assert_eq!(
        (linked.status.as_u16(), linked.location()),
        (303, SETTINGS.to_owned())
    );
    assert!(linked.cookies().is_empty(), "no new session: {linked:?}");
    world.test.clock.advance(Duration::from_secs(1));
    alice.link(&world.google, "1", &token).await;
    assert_eq!(identities(&mut alice, &token).await, ["linkedin", "google"]);

    let mut elsewhere = world.client();
    elsewhere.sign_in_by(&world.linkedin, "x").await;
    let session = elsewhere.refresh(None).await;
    assert_eq!(session.json()["account"]["email"], "alice@example.com");

    let unlinked = alice
        .delete("/api/auth/social/linkedin", Some(&token))
        .await;
    assert_eq!(unlinked.status, 204);
    assert_eq!(identities(&mut alice, &token).await, ["google"]);
    let again = alice
        .delete("/api/auth/social/linkedin", Some(&token))
        .await;
    assert_eq!(again.refusal(), (404, "provider_not_linked".to_owned()));
    let told = subjects(&world, "alice@example.com", 5).await;
    assert!(told[1].contains("LinkedIn now"), "{told:?}");
    assert!(told[2].contains("Google now"), "{told:?}");
    assert!(told[3].contains("New sign-in"), "{told:?}");
    assert!(told[4].contains("LinkedIn no longer"), "{told:?}");
}

// OA18
#[tokio::test]
async fn the_last_way_in_stays() {
    let world = world().await;
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    let token = alice.refreshed().await;
    let refused = alice.delete("/api/auth/social/google", Some(&token)).await;
    assert_eq!(refused.refusal(), (409, "last_sign_in_method".to_owned()));
    assert!(
        refused.text("error").contains("set a password"),
        "{refused:?}"
    );
    let body = json!({ "new_password": "correct horse battery" });
    let set = alice
        .call(http::Method::PUT, "/api/auth/password", Some(&token), body)
        .await;
    assert_eq!(set.status, 204);
    let unlinked = alice.delete("/api/auth/social/google", Some(&token)).await;
    assert_eq!(unlinked.status, 204);
    let reply = alice.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(reply, json!({ "identities": [], "has_password": true }));
}

// OA18: 1 000 rounds of two unlinks at once never leave an account without a way in
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_unlinks_at_once_leave_one_way_in() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    for round in 0..1_000 {
        for (provider, subject) in [(&world.google, "1"), (&world.linkedin, "x")] {
            alice.link(provider, subject, &token).await;
        }
        let unlinking = ["google", "linkedin"].map(|name| {
            let (mut browser, token) = (alice.clone(), token.clone());
            tokio::spawn(async move {
                let path = format!("/api/auth/social/{name}");
                browser.delete(&path, Some(&token)).await.status.as_u16()
            })
        });
        let mut answers = Vec::new();
        for one in unlinking {
            answers.push(one.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, [204, 409], "round {round}");
        assert_eq!(
            identities(&mut alice, &token).await.len(),
            1,
            "round {round}"
        );
    }
}

// OA18: an unlink against a link of the other provider
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn link_against_unlink_leaves_a_way_in() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    for round in 0..200 {
        alice.link(&world.google, "1", &token).await;
        let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
        let (mut linking, mut unlinking) = (alice.clone(), alice.clone());
        let with = token.clone();
        let link = tokio::spawn(async move { linking.get(&callback, None).await });
        let unlink = tokio::spawn(async move {
            unlinking
                .delete("/api/auth/social/google", Some(&with))
                .await
        });
        assert_eq!(link.await.unwrap().location(), SETTINGS, "round {round}");
        let status = unlink.await.unwrap().status;
        assert!(status == 204 || status == 409, "round {round}: {status}");
        assert!(
            !identities(&mut alice, &token).await.is_empty(),
            "round {round}"
        );
        alice.link(&world.google, "1", &token).await;
        alice
            .delete("/api/auth/social/linkedin", Some(&token))
            .await;
    }
}

#[tokio::test]
async fn what_the_owner_removed_is_linked_again_by_the_owner_only() {
    let world = world().await;
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    let token = alice.refreshed().await;
    alice.link(&world.linkedin, "x", &token).await;
    alice.delete("/api/auth/social/google", Some(&token)).await;
    let refused = world.client().sign_in_by(&world.google, "1").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=identity_removed"
    );
    assert!(refused.cookies().is_empty());
    assert_eq!(
        alice.link(&world.google, "1", &token).await.location(),
        SETTINGS
    );
    let landed = world.client().sign_in_by(&world.google, "1").await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
}

// OA17
#[tokio::test]
async fn an_identity_opens_one_account() {
    let world = world().await;
    let (mut alice, mut bob) = (world.client(), world.client());
    let (alices, bobs) = (
        alice.token("alice@example.com").await,
        bob.token("bob@example.com").await,
    );
    alice.link(&world.linkedin, "x", &alices).await;
    let refused = bob.link(&world.linkedin, "x", &bobs).await;
    assert_eq!(
        refused.location(),
        format!("{SETTINGS}&error=identity_in_use")
    );
    assert_eq!(identities(&mut alice, &alices).await, ["linkedin"]);
    assert!(identities(&mut bob, &bobs).await.is_empty());
}

// OA12
#[tokio::test]
async fn one_subject_at_two_providers_is_two_people() {
    let world = World::development().await;
    world
        .google
        .add_person(Person::new("same", "alice@example.com"));
    world
        .linkedin
        .add_person(Person::new("same", "mallory@example.com"));
    let (mut alice, mut mallory) = (world.client(), world.client());
    alice.sign_in_by(&world.google, "same").await;
    mallory.sign_in_by(&world.linkedin, "same").await;
    let of = |reply: crate::common::Reply| reply.json()["account"]["email"].clone();
    assert_eq!(of(alice.refresh(None).await), "alice@example.com");
    assert_eq!(of(mallory.refresh(None).await), "mallory@example.com");
}

// OA12, OA26
#[tokio::test]
async fn the_address_at_the_provider_may_change() {
    let world = world().await;
    let mut alice = world.client();
    alice.sign_in_by(&world.google, "1").await;
    let before = alice.refresh(None).await.json()["account"].clone();
    world.client().token("victim@example.com").await;
    for address in ["victim@example.com", "new@example.com"] {
        world.google.add_person(Person::new("1", address));
        alice.sign_in_by(&world.google, "1").await;
        let after = alice.refresh(None).await.json()["account"].clone();
        assert_eq!(after, before, "{address}");
    }
}

// OA17: the session that wished it must still be there, and the account the same
#[tokio::test]
async fn a_link_dies_with_its_session() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
    alice
        .clone()
        .post("/api/auth/logout", Some(&token), json!(null))
        .await;
    let calls = world.linkedin.calls();
    let refused = alice.get(&callback, None).await;
    assert_eq!(
        refused.location(),
        format!("{SETTINGS}&error=session_invalid")
    );
    assert_eq!(world.linkedin.calls(), calls);

    let token = alice.token("alice@example.com").await;
    let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
    // The same session, but the account was overturned in between.
    alice.delete("/api/auth/sessions", Some(&token)).await;
    let refused = alice.get(&callback, None).await;
    assert_eq!(
        refused.location(),
        format!("{SETTINGS}&error=session_invalid")
    );
    assert!(identities(&mut alice, &token).await.is_empty());
}

// OA17: an attacker who has somebody follow his link's callback links nothing
#[tokio::test]
async fn another_browser_completes_no_link() {
    let world = world().await;
    let (mut alice, mut mallory) = (world.client(), world.client());
    let token = mallory.token("mallory@example.com").await;
    let callback = mallory.leave_to_link(&world.google, "1", &token).await;
    let refused = alice.get(&callback, None).await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=attempt_invalid"
    );
    assert!(identities(&mut mallory, &token).await.is_empty());
}

#[tokio::test]
async fn a_links_callback_delivered_twice_is_no_error() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
    for _ in 0..2 {
        assert_eq!(alice.get(&callback, None).await.location(), SETTINGS);
    }
    assert_eq!(subjects(&world, "alice@example.com", 2).await.len(), 2);
}

// OA1: a wish is heard once; what its owner removes afterwards stays removed
#[tokio::test]
async fn an_old_wish_does_not_undo_an_unlinking() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    alice.link(&world.google, "1", &token).await;
    world.test.clock.advance(Duration::from_secs(1));
    let old = alice.leave_to_link(&world.linkedin, "x", &token).await;
    let mut before = alice.clone();
    let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
    assert_eq!(alice.get(&callback, None).await.location(), SETTINGS);
    world.test.clock.advance(Duration::from_secs(1));
    alice
        .delete("/api/auth/social/linkedin", Some(&token))
        .await;
    let refused = before.get(&old, None).await;
    assert_eq!(refused.location(), format!("{SETTINGS}&error=attempt_used"));
    assert_eq!(identities(&mut alice, &token).await, ["google"]);
    // A new wish is heard.
    world.test.clock.advance(Duration::from_secs(1));
    alice.link(&world.linkedin, "x", &token).await;
    assert_eq!(identities(&mut alice, &token).await.len(), 2);
}

// OA14: an unverified address may be linked by its owner, and is not shown as if it were verified
#[tokio::test]
async fn an_unverified_address_is_not_shown() {
    let world = world().await;
    world.google.add_person(Person {
        email_verified: EmailVerified::False,
        ..Person::new("2", "victim@example.com")
    });
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    assert_eq!(
        alice.link(&world.google, "2", &token).await.location(),
        SETTINGS
    );
    let reply = alice.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(reply["identities"][0]["email"], json!(null));
}

#[tokio::test]
async fn what_fails_at_the_provider_ends_on_the_settings() {
    let world = world().await;
    let mut alice = world.client();
    let token = alice.token("alice@example.com").await;
    for (how, code) in [
        (Misbehaviour::WrongAudience, "id_token_invalid"),
        (Misbehaviour::ServerError, "provider_unavailable"),
    ] {
        let callback = alice.leave_to_link(&world.linkedin, "x", &token).await;
        world.linkedin.misbehave(how);
        let refused = alice.get(&callback, None).await;
        assert_eq!(refused.location(), format!("{SETTINGS}&error={code}"));
        world.linkedin.behave();
    }
    // Called off: the attempt is over, and the page is the one that it was begun on.
    let body = json!({ "return_to": "/settings?tab=security" });
    let begun = alice
        .post("/api/auth/social/linkedin/link", Some(&token), body)
        .await;
    let denied = world.linkedin.deny(&begun.text("authorize_url")).unwrap();
    let refused = alice.get(&world.path_of(&denied), None).await;
    assert_eq!(
        refused.location(),
        format!("{SETTINGS}&error=access_denied")
    );
}

#[tokio::test]
async fn linking_takes_a_session_and_a_known_provider() {
    let world = world().await;
    let mut alice = world.client();
    let link = "/api/auth/social/linkedin/link";
    let refused = alice.post(link, None, json!({})).await;
    assert_eq!(refused.refusal(), (401, "session_required".to_owned()));
    let token = alice.token("alice@example.com").await;
    let refused = alice
        .post("/api/auth/social/myspace/link", Some(&token), json!({}))
        .await;
    assert_eq!(refused.refusal(), (404, "provider_unknown".to_owned()));
    let refused = alice
        .post(link, Some(&token), json!({ "return_to": "//evil" }))
        .await;
    assert_eq!(refused.refusal(), (400, "return_to_invalid".to_owned()));
    let refused = alice
        .post(link, Some(&token), json!({ "account": "victim" }))
        .await;
    assert_eq!(refused.refusal(), (400, "validation_failed".to_owned()));
    let begun = alice.post(link, Some(&token), json!(null)).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let refused = alice.delete("/api/auth/social/google", Some(&token)).await;
    assert_eq!(refused.refusal(), (404, "provider_not_linked".to_owned()));
}
