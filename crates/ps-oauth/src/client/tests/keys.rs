//! Whose signature counts, and how often a provider is asked for its keys.

use futures_util::FutureExt;

use super::*;
use crate::{
    GOOGLE,
    testing::{EC, NOW, STRANGER, base64url},
};

// OA9
#[tokio::test]
async fn only_the_providers_keys_and_algorithms_count() {
    let world = World::discovered();
    world
        .site
        .serve("/jwks", key_set(&[("1", &RSA), ("2", &EC)]));
    world.grants_by("2", &EC);
    assert!(world.prove().await.is_ok());
    world.grants_by("1", &STRANGER);
    assert_eq!(world.refusal().await, InvalidIdToken::Signature);
    world.grants_by("9", &STRANGER);
    assert_eq!(world.refusal().await, InvalidIdToken::UnknownKey);

    // Google signs by RS256, so a good ES256 signature by a key that it publishes is not taken.
    let world = World::new(GOOGLE.at(ISSUER));
    world
        .site
        .serve("/jwks", key_set(&[("1", &RSA), ("2", &EC)]));
    world.grants_by("2", &EC);
    assert_eq!(world.refusal().await, InvalidIdToken::Algorithm);
}

// OA9: refused without asking anybody for keys.
#[tokio::test]
async fn an_unsigned_token_is_not_looked_at() {
    let world = World::discovered();
    let claims = world.claims().to_string();
    for alg in ["none", "HS256"] {
        let header = json!({ "alg": alg, "jku": "https://id.example/evil" }).to_string();
        world.grants(&format!("{}.{}.", base64url(header), base64url(&claims)));
        assert_eq!(world.refusal().await, InvalidIdToken::Algorithm);
    }
    assert_eq!(
        (world.site.calls("/jwks"), world.site.calls("/evil")),
        (0, 0)
    );
}

// OA10: judged by the time at which the token is here, by our clock.
#[tokio::test]
async fn a_token_is_judged_by_our_clock() {
    let world = World::discovered();
    assert!(world.prove().await.is_ok());
    world.after(359);
    assert!(world.prove().await.is_ok());
    world.after(1);
    assert_eq!(world.refusal().await, InvalidIdToken::Expired);
    assert_eq!(
        world.at.clock.now(),
        Timestamp::from_seconds(NOW as i64 + 360)
    );
}

// OA11
#[tokio::test]
async fn ten_thousand_unknown_keys_make_one_fetch_in_30_seconds() {
    let world = World::discovered();
    let good = RSA.token("1", &world.claims());
    let header = |kid| json!({ "alg": "RS256", "kid": format!("{kid:x}") }).to_string();
    let signed = |kid: u32| format!("{}.e30.AAAA", base64url(header(0x1000_0000 + kid)));
    world.prove().await.unwrap();
    assert_eq!(world.site.calls("/jwks"), 1);
    world.after(30);
    for kid in 0..10_000 {
        world.grants(&signed(kid));
        assert_eq!(world.refusal().await, InvalidIdToken::UnknownKey);
        if kid % 1000 == 0 {
            world.grants(&good);
            world.prove().await.unwrap();
        }
    }
    assert_eq!(world.site.calls("/jwks"), 2);
    // The same while the provider's keys cannot be had: those that are known go on.
    world.after(30);
    for answer in [
        Answer::Broken,
        Answer::With(200, r#"{"keys":[]}"#.to_owned()),
    ] {
        world.site.answer("/jwks", answer);
        for kid in 0..100 {
            world.grants(&signed(kid));
            assert_eq!(world.refusal().await, InvalidIdToken::UnknownKey);
            world.grants(&good);
            world.prove().await.unwrap();
        }
    }
    assert_eq!(world.site.calls("/jwks"), 3);
}

// OA11
#[tokio::test]
async fn without_keys_nobody_signs_in_and_the_provider_is_left_in_peace() {
    let faults = faults().into_iter().map(|(answer, _)| answer);
    let empty = Answer::With(200, r#"{"keys":[]}"#.to_owned());
    for answer in faults.chain([empty]) {
        let world = World::discovered();
        world.site.answer("/jwks", answer);
        for second in 0..30 {
            let outage = world.prove().await.unwrap_err();
            assert!(
                matches!(outage, ProviderError::Unavailable(_)),
                "{second} {outage}"
            );
            world.after(1);
        }
        assert_eq!(world.site.calls("/jwks"), 1);
        assert_eq!(world.site.last("/jwks").1, 256 * 1024);
        world.site.serve("/jwks", key_set(&[("1", &RSA)]));
        assert!(world.prove().await.is_ok());
    }
}

// OA11
#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let world = World::discovered();
    world.prove().await.unwrap();
    world.site.serve("/jwks", key_set(&[("2", &EC)]));
    world.after(30);
    world.grants_by("2", &EC);
    assert!(world.prove().await.is_ok());
    world.grants_by("1", &RSA);
    assert_eq!(world.refusal().await, InvalidIdToken::UnknownKey);
    assert_eq!(world.site.calls("/jwks"), 2);
}

// OA11: a provider that starts anew may give another key the old name
#[tokio::test]
async fn a_key_replaced_under_its_own_name_is_found() {
    let world = World::discovered();
    world.prove().await.unwrap();
    world.site.serve("/jwks", key_set(&[("1", &STRANGER)]));
    world.grants_by("1", &STRANGER);
    assert_eq!(world.refusal().await, InvalidIdToken::Signature);
    world.after(30);
    assert!(world.prove().await.is_ok());
    assert_eq!(world.site.calls("/jwks"), 2);
}

// OA11: good keys outlive a bad answer, by a day.
#[tokio::test]
async fn keys_are_used_while_the_provider_does_not_publish_any() {
    let world = World::discovered();
    world.prove().await.unwrap();
    world
        .site
        .serve("/jwks", r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#);
    for (seconds, good) in [(3_600, true), (82_799, true), (1, false)] {
        world.after(seconds);
        world.grants_by("1", &RSA);
        assert_eq!(world.prove().await.is_ok(), good, "{seconds}");
    }
}

// A caller that hangs up, and those who wait with it.
#[tokio::test]
async fn a_provider_that_hangs_holds_up_nobody_who_does_not_need_it() {
    let world = World::discovered();
    world.prove().await.unwrap();
    world.site.answer("/jwks", Answer::Silence);
    world.after(30);
    world.grants_by("9", &RSA);
    for _ in 0..10 {
        assert!(world.prove().now_or_never().is_none());
    }
    world.grants_by("1", &RSA);
    assert!(world.prove().now_or_never().unwrap().is_ok());
    assert_eq!(world.site.calls("/jwks"), 2);
}
