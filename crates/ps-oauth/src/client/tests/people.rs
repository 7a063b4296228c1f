//! What is told of who has signed in.

use super::*;
use crate::GOOGLE;

#[tokio::test]
async fn who_has_signed_in_is_told() {
    let world = World::discovered();
    let profile = world.prove().await.unwrap();
    let identity = profile.identity();
    assert_eq!(identity.provider, "id");
    assert_eq!(identity.issuer, ISSUER);
    assert_eq!(identity.subject, "person-1");
    assert_eq!(profile.email().unwrap().as_str(), "alice@example.com");
    assert!(profile.is_verified() && !profile.is_authoritative());
    assert_eq!(profile.verified_at(), world.at.clock.now());
}

// OA7, OA12
#[tokio::test]
async fn both_forms_of_an_issuer_are_one_identity() {
    let world = World::new(GOOGLE.at(ISSUER));
    let mut claims = world.claims();
    let one = world.prove().await.unwrap();
    claims["iss"] = json!("id.example");
    world.grants(&RSA.token("1", &claims));
    let other = world.prove().await.unwrap();
    assert_eq!(one.identity(), other.identity());
    claims["iss"] = json!("https://id.example.evil");
    world.grants(&RSA.token("1", &claims));
    assert_eq!(world.refusal().await, InvalidIdToken::Issuer);
}

// OA20
#[tokio::test]
async fn google_speaks_for_its_own_mailboxes() {
    let world = World::new(GOOGLE.at(ISSUER));
    let table = [
        (json!("a@gmail.com"), json!(true), json!(null), true),
        (json!("A@GMAIL.com"), json!(true), json!(null), true),
        (json!("a@gmail.com"), json!(false), json!(null), false),
        (
            json!("a@example.com"),
            json!(true),
            json!("example.com"),
            true,
        ),
        (
            json!("a@example.com"),
            json!(false),
            json!("example.com"),
            false,
        ),
        (json!("a@example.com"), json!(true), json!(""), false),
        (json!("a@example.com"), json!(true), json!(null), false),
        (json!("a@googlemail.com"), json!(true), json!(null), false),
        (
            json!("a@gmail.com, b@example.com"),
            json!(true),
            json!("x.example"),
            false,
        ),
        (json!(null), json!(true), json!("example.com"), false),
    ];
    for (email, verified, hd, own) in table {
        let mut claims = world.claims();
        claims["email"] = email;
        claims["email_verified"] = verified;
        claims["hd"] = hd;
        world.grants(&RSA.token("1", &claims));
        let profile = world.prove().await.unwrap();
        assert_eq!(profile.is_authoritative(), own, "{claims}");
        assert_eq!(profile.proof().is_some(), profile.is_verified(), "{claims}");
    }
}

// OA20
#[tokio::test]
async fn a_required_domain_is_asked_for_and_checked() {
    let mut world = World::new(GOOGLE.at(ISSUER));
    world.client = world.client.with_hosted_domain("example.com");
    let url = world
        .client
        .authorize_url(&SECRETS, &world.at.ambient())
        .await
        .unwrap();
    assert!(query(&url).contains(&("hd".to_owned(), "example.com".to_owned())));
    assert_eq!(world.refusal().await, InvalidIdToken::HostedDomain);
    let mut claims = world.claims();
    claims["hd"] = json!("example.com");
    world.grants(&RSA.token("1", &claims));
    assert!(world.prove().await.is_ok());
}

// OA24
#[tokio::test]
async fn an_address_that_the_token_lacks_is_asked_for() {
    let world = World::discovered();
    let mut with_userinfo = metadata();
    with_userinfo["userinfo_endpoint"] = json!("https://id.example/userinfo");
    world.site.serve(DISCOVERY, with_userinfo.to_string());
    let userinfo = json!({ "sub": "person-1", "email": "b@example.com", "email_verified": true });
    world.site.serve("/userinfo", userinfo.to_string());
    let profile = world.prove().await.unwrap();
    assert_eq!(profile.email().unwrap().as_str(), "alice@example.com");
    assert_eq!(world.site.calls("/userinfo"), 0);

    let mut claims = world.claims();
    claims.as_object_mut().unwrap().remove("email");
    world.grants(&RSA.token("1", &claims));
    let profile = world.prove().await.unwrap();
    assert_eq!(profile.email().unwrap().as_str(), "b@example.com");
    let (request, at_most) = world.site.last("/userinfo");
    assert_eq!(request.headers()["authorization"], "Bearer at-1");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(at_most, 64 * 1024);

    // The token's own `email_verified` says nothing of an address that is not the token's.
    world
        .site
        .serve("/userinfo", r#"{"sub":"person-1","email":"c@example.com"}"#);
    assert!(!world.prove().await.unwrap().is_verified());

    world
        .site
        .serve("/userinfo", r#"{"sub":"person-2","email":"b@example.com"}"#);
    assert_eq!(world.refusal().await, InvalidIdToken::Userinfo);
    world
        .site
        .answer("/userinfo", Answer::With(403, String::new()));
    assert!(matches!(
        world.prove().await,
        Err(ProviderError::Refused(_))
    ));
    for (answer, _) in faults() {
        world.site.answer("/userinfo", answer.clone());
        let outage = world.prove().await.unwrap_err();
        assert!(
            matches!(outage, ProviderError::Unavailable(_)),
            "{answer:?} {outage}"
        );
    }
}
