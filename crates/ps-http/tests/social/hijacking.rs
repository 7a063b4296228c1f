//! Accounts that were made before their owner came ("Pre-hijacked accounts", USENIX Security 2022),
//! and what provider sign-in makes of them. Each attacker loses, each owner gets in.
//!
//! The paper's five: the *classic-federated merge*, the *unexpired session*, the *trojan identifier*,
//! the *unexpired email change*, and the *non-verifying provider*. There is no email change here, so
//! the fourth is that a host's own form made the account.

use std::{sync::Arc, time::Duration};

use ps_core::{AccountId, Accounts, EmailAddress, Users, VerifiedEmail};
use ps_oauth::{Identity, IdentityStore, LinkedIdentity, Removed};
use ps_password::{PasswordHash, PasswordStore};
use ps_testkit::openid::{EmailVerified, Person};
use serde_json::json;

use crate::common::{Client, World};

const OWNER: &str = "owner@gmail.com";

/// What a host's own sign-up form leaves behind: a user whose mailbox nobody has proven.
async fn planted(world: &World, address: &str) -> AccountId {
    let address = EmailAddress::parse(address).unwrap();
    let now = world.test.ambient().clock.now();
    #[expect(
        clippy::disallowed_methods,
        reason = "the host registers without a proof"
    )]
    let proof = VerifiedEmail::danger_proven(address, now);
    let planting = world.store.register(&proof, now);
    let user = planting.await.unwrap().into_user();
    // Long ago, so that nobody takes it for a sign-in under way.
    world.test.clock.advance(Duration::from_secs(3_600));
    world.follower.poll().await.unwrap();
    user.id
}

async fn plant_password(world: &World, account: &AccountId, password: &str) {
    let new = ps_password::NewPassword::parse(password.to_owned()).unwrap();
    let under = world.store.standing(account).await.unwrap().version;
    let address = EmailAddress::parse(OWNER).unwrap();
    let change = ps_password::Change {
        account,
        address: &address,
        keep: None,
        under,
        authenticated_at: world.test.ambient().clock.now(),
        by_mailbox_or_provider: false,
        current: None,
    };
    let requester = ps_core::Requester::new([198, 51, 100, 1].into());
    world
        .passwords
        .change(change, &new, &requester)
        .await
        .unwrap();
}

async fn plant_identity(world: &World, account: &AccountId, provider: &str, subject: &str) {
    let under = world.store.standing(account).await.unwrap().version;
    let issuer = match provider {
        "google" => world.google.issuer(),
        _ => world.linkedin.issuer(),
    };
    let linked = LinkedIdentity {
        identity: Identity {
            provider: provider.to_owned(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        },
        account: account.clone(),
        email: None,
        linked_at: world.test.ambient().clock.now(),
        removed_at: None,
    };
    let store: &dyn IdentityStore = &*world.store;
    store.link(&linked, Removed::Stays, under).await.unwrap();
}

async fn owner_signs_in(world: &Arc<World>) -> (Client, AccountId) {
    world.google.add_person(Person::new("owner", OWNER));
    let mut owner = world.client();
    let landed = owner.sign_in_by(&world.google, "owner").await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
    let session = owner.refresh(None).await;
    assert_eq!(session.json()["account"]["email"], OWNER);
    let id = AccountId::new(session.json()["account"]["id"].as_str().unwrap()).unwrap();
    (owner, id)
}

// OA15: classic-federated merge
#[tokio::test]
async fn a_planted_password_dies_with_the_first_proof() {
    let world = World::development().await;
    let account = planted(&world, OWNER).await;
    plant_password(&world, &account, "the attacker knows it").await;
    let login = json!({ "email": OWNER, "password": "the attacker knows it" });
    let mut attacker = world.client();
    let refused = attacker.post("/api/auth/login", None, login.clone()).await;
    assert_eq!(
        refused.refusal(),
        (401, "credentials_invalid".to_owned()),
        "unproven"
    );
    let (mut owner, id) = owner_signs_in(&world).await;
    assert_eq!(id, account);
    let refused = attacker.post("/api/auth/login", None, login).await;
    assert_eq!(refused.refusal(), (401, "credentials_invalid".to_owned()));
    let store: &dyn PasswordStore = &*world.store;
    assert_eq!(store.find(&account).await.unwrap(), None::<PasswordHash>);
    let token = owner.refreshed().await;
    let reply = owner.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(reply["has_password"], false);
}

// OA15: trojan identifier
#[tokio::test]
async fn a_planted_identity_dies_with_the_first_proof() {
    let world = World::development().await;
    let account = planted(&world, OWNER).await;
    plant_identity(&world, &account, "linkedin", "attacker").await;
    world
        .linkedin
        .add_person(Person::new("attacker", "attacker@example.com"));
    let refused = world.client().sign_in_by(&world.linkedin, "attacker").await;
    assert!(refused.cookies().is_empty(), "unproven: {refused:?}");
    let (_, id) = owner_signs_in(&world).await;
    assert_eq!(id, account);
    let mut attacker = world.client();
    attacker.sign_in_by(&world.linkedin, "attacker").await;
    let theirs = attacker.refresh(None).await;
    assert_eq!(theirs.json()["account"]["email"], "attacker@example.com");
}

// OA15: unexpired session. There is none to begin with: an account whose mailbox is unproven gets
// none, and the claim ends whatever a host's import had left.
#[tokio::test]
async fn an_account_nobody_has_proven_gives_no_session() {
    let world = World::development().await;
    let account = planted(&world, OWNER).await;
    world.linkedin.add_person(Person::new("owner?", OWNER));
    // LinkedIn's word for a mailbox at gmail.com is hearsay.
    let refused = world.client().sign_in_by(&world.linkedin, "owner?").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=code_needed"
    );
    assert!(refused.cookies().is_empty());
    let standing = world.store.standing(&account).await.unwrap();
    assert_eq!(standing.proven_at, None);
    // By a code the owner gets in, and from then on by LinkedIn too.
    let mut owner = world.client();
    owner.token(OWNER).await;
    let landed = world.client().sign_in_by(&world.linkedin, "owner?").await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
}

// OA15, OA14: non-verifying provider
#[tokio::test]
async fn an_unverified_address_takes_no_account_and_plants_none() {
    let world = World::development().await;
    world.google.add_person(Person {
        email_verified: EmailVerified::FalseText,
        ..Person::new("attacker", OWNER)
    });
    // Before the owner comes: nothing is planted.
    let refused = world.client().sign_in_by(&world.google, "attacker").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=email_unverified"
    );
    let address = EmailAddress::parse(OWNER).unwrap();
    assert_eq!(world.store.find_by_email(&address).await.unwrap(), None);
    let (mut owner, _) = owner_signs_in(&world).await;
    // And after: nothing is taken.
    let refused = world.client().sign_in_by(&world.google, "attacker").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=email_unverified"
    );
    let token = owner.refreshed().await;
    let reply = owner.get("/api/auth/identities", Some(&token)).await.json();
    assert_eq!(reply["identities"].as_array().unwrap().len(), 1);
}

// OA15: the account of a host's own form, claimed by code while the attacker's link is under way
#[tokio::test]
async fn a_link_under_way_does_not_outlive_the_claim() {
    let world = World::development().await;
    let account = planted(&world, OWNER).await;
    let under = world.store.standing(&account).await.unwrap().version;
    owner_signs_in(&world).await;
    let late = LinkedIdentity {
        identity: Identity {
            provider: "linkedin".to_owned(),
            issuer: world.linkedin.issuer().to_owned(),
            subject: "attacker".to_owned(),
        },
        account: account.clone(),
        email: None,
        linked_at: world.test.ambient().clock.now(),
        removed_at: None,
    };
    let store: &dyn IdentityStore = &*world.store;
    let linked = store.link(&late, Removed::IsLifted, under).await.unwrap();
    assert_eq!(linked, ps_oauth::Linked::AccountChanged);
}

// OA20: Google knows who reads a mailbox only where it hosts it
#[tokio::test]
async fn a_third_partys_address_at_google_needs_a_code() {
    let world = World::development().await;
    planted(&world, "owner@example.com").await;
    world
        .google
        .add_person(Person::new("1", "owner@example.com"));
    let refused = world.client().sign_in_by(&world.google, "1").await;
    assert_eq!(
        refused.location(),
        "http://127.0.0.1:8080/sign-in?error=code_needed"
    );

    planted(&world, "owner@hosted.example").await;
    world.google.add_person(Person {
        hosted_domain: Some("hosted.example".to_owned()),
        ..Person::new("2", "owner@hosted.example")
    });
    let landed = world.client().sign_in_by(&world.google, "2").await;
    assert_eq!(landed.location(), "http://127.0.0.1:8080/");
}
