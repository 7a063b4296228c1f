//! Providers that misbehave, in every way that has been reported of one.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{OTHER, Site, alice, client, roots, sign_in};
use ps_oauth::{GOOGLE, Profile, Provider, SocialError};
use ps_testkit::openid::{
    Algorithm, EmailVerified, FakeProvider, Misbehaviour, OldKeys, Person, Quirks,
};

const PROVIDERS: [&str; 3] = ["google", "linkedin", "other"];

/// One round trip, the provider misbehaving from the moment at which the browser is back.
async fn trip(site: &Site, provider: &str, how: Misbehaviour) -> Result<Profile, SocialError> {
    site.fake(provider).behave();
    let trip = site.go(provider, &alice(), sign_in()).await;
    site.fake(provider).misbehave(how);
    site.complete(&trip).await
}

async fn is_well(site: &Site, provider: &str) {
    site.fake(provider).behave();
    let profile = site.profile(provider, &alice()).await;
    assert_eq!(profile.identity().subject, alice().subject);
}

// OA4, OA7, OA8, OA9, OA10
#[tokio::test]
async fn no_id_token_that_is_wrong_is_taken() {
    for provider in PROVIDERS {
        let site = Site::new();
        is_well(&site, provider).await;
        for how in Misbehaviour::IN_ID_TOKEN {
            let told = trip(&site, provider, *how).await;
            // LinkedIn echoes no nonce even when it is well.
            if provider == "linkedin" && *how == Misbehaviour::MissingNonce {
                assert!(told.is_ok());
                continue;
            }
            let error = told.expect_err(&format!("{provider} {how:?}"));
            assert!(
                matches!(error, SocialError::IdTokenInvalid(_)),
                "{provider} {how:?}: {error:?}"
            );
            assert_eq!(site.fake(provider).calls().elsewhere, 0, "{how:?}");
        }
        is_well(&site, provider).await;
    }
}

// OA23
#[tokio::test]
async fn an_exchange_that_fails_is_not_tried_again() {
    for provider in PROVIDERS {
        for how in [
            Misbehaviour::NotJson,
            Misbehaviour::Redirect,
            Misbehaviour::Reset,
            Misbehaviour::ServerError,
            Misbehaviour::TooLong,
            Misbehaviour::WrongTokenType,
        ] {
            let site = Site::new();
            let error = trip(&site, provider, how).await.unwrap_err();
            let unavailable = matches!(error, SocialError::ProviderUnavailable(_));
            assert!(unavailable, "{provider} {how:?}: {error:?}");
            let calls = site.fake(provider).calls();
            assert_eq!((calls.token, calls.jwks, calls.elsewhere), (1, 0, 0));
            is_well(&site, provider).await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_does_not_say_who_it_is_says_nothing() {
    let site = Site::new();
    let missing = trip(&site, "other", Misbehaviour::MissingIdToken).await;
    assert!(matches!(missing, Err(SocialError::IdTokenInvalid(_))));
    assert!(trip(&site, "other", Misbehaviour::NoKid).await.is_ok());
}

// OA7
#[tokio::test]
async fn metadata_that_is_not_the_issuers_own_is_not_used() {
    for how in [
        Misbehaviour::NotJson,
        Misbehaviour::PlainEndpoints,
        Misbehaviour::Redirect,
        Misbehaviour::ServerError,
        Misbehaviour::TooLong,
        Misbehaviour::WrongDiscoveryIssuer,
    ] {
        let site = Site::new();
        site.other.misbehave(how);
        for _ in 0..5 {
            let begun = site.logins.begin("other", sign_in(), common::path("/"));
            let unavailable = matches!(begun.await, Err(SocialError::ProviderUnavailable(_)));
            assert!(unavailable, "{how:?}");
        }
        let calls = site.other.calls();
        assert_eq!((calls.discovery, calls.elsewhere), (1, 0), "{how:?}");
        site.other.behave();
        site.around.clock.advance(Duration::from_secs(30));
        is_well(&site, "other").await;
    }
}

// OA11
#[tokio::test]
async fn keys_that_cannot_be_had_are_asked_for_once_in_30_seconds() {
    for how in [Misbehaviour::EmptyJwks, Misbehaviour::JwksFails] {
        let site = Site::new();
        for _ in 0..10 {
            let error = trip(&site, "google", how).await.unwrap_err();
            assert!(matches!(error, SocialError::ProviderUnavailable(_)));
        }
        assert_eq!(site.google.calls().jwks, 1, "{how:?}");
        site.around.clock.advance(Duration::from_secs(30));
        is_well(&site, "google").await;
        // From here on the good keys are there, and stay.
        site.around.clock.advance(Duration::from_secs(3600));
        for _ in 0..10 {
            assert!(trip(&site, "google", how).await.is_ok(), "{how:?}");
        }
        assert_eq!(site.google.calls().jwks, 3, "{how:?}");
    }
}

// OA11
#[tokio::test]
async fn unknown_keys_disturb_nobody() {
    let site = Site::new();
    is_well(&site, "google").await;
    site.around.clock.advance(Duration::from_secs(30));
    for _ in 0..20 {
        let error = trip(&site, "google", Misbehaviour::UnknownKid).await;
        assert!(matches!(error, Err(SocialError::IdTokenInvalid(_))));
        is_well(&site, "google").await;
    }
    assert_eq!(site.google.calls().jwks, 2);
}

// OA11
#[tokio::test]
async fn new_keys_are_found_when_they_are_needed() {
    for old in [OldKeys::Leave, OldKeys::Stay] {
        let site = Site::new();
        is_well(&site, "google").await;
        site.google.rotate_keys(old);
        site.around.clock.advance(Duration::from_secs(30));
        is_well(&site, "google").await;
        is_well(&site, "google").await;
        assert_eq!(site.google.calls().jwks, 2);
    }
}

// OA13
#[tokio::test]
async fn an_address_is_verified_where_that_is_said_and_nowhere_else() {
    let good = [EmailVerified::True, EmailVerified::TrueText];
    for provider in PROVIDERS {
        let site = Site::new();
        for email_verified in good.into_iter().chain(EmailVerified::UNVERIFIED) {
            let person = Person {
                email_verified,
                ..alice()
            };
            let profile = site.profile(provider, &person).await;
            let verified = good.contains(&email_verified);
            assert_eq!(profile.is_verified(), verified, "{email_verified:?}");
            assert_eq!(profile.proof().is_some(), verified);
            let own = verified && provider == "google";
            assert_eq!(profile.is_authoritative(), own, "{provider}");
        }
    }
}

// OA24
#[tokio::test]
async fn somebody_without_an_address_is_somebody() {
    for provider in PROVIDERS {
        let site = Site::new();
        let person = Person {
            email: None,
            ..alice()
        };
        let profile = site.profile(provider, &person).await;
        assert_eq!((profile.email(), profile.proof()), (None, None));
        let calls = site.fake(provider).calls();
        assert_eq!((calls.userinfo, calls.elsewhere), (1, 0));

        let trip = site.go(provider, &person, sign_in()).await;
        site.fake(provider)
            .misbehave(Misbehaviour::UserinfoOfAnother);
        let error = site.complete(&trip).await.unwrap_err();
        assert!(matches!(error, SocialError::IdTokenInvalid(_)), "{error:?}");
    }
}

/// A site with one provider, which was made for a test.
fn site_with(provider: Provider, make: impl FnOnce(FakeProvider) -> FakeProvider) -> Site {
    let mut site = Site::new();
    let (clock, random) = (site.around.clock.clone(), site.around.random.clone());
    let fake = FakeProvider::new(provider.issuer(), Arc::new(clock), Arc::new(random));
    let callback = format!(
        "https://app.example/api/auth/social/{}/callback",
        provider.name()
    );
    let id = format!("client-at-{}", provider.name());
    let fake = make(fake).with_client(id, "s3cret", callback);
    site.logins = site.node(&roots([1]), [client(provider, &fake)]);
    site.other = fake.clone();
    site.google = fake;
    site
}

// OA7, OA12
#[tokio::test]
async fn both_forms_of_googles_issuer_are_one_person() {
    let mut identities = Vec::new();
    for schemeless_issuer in [false, true] {
        let quirks = Quirks {
            schemeless_issuer,
            ..Quirks::GOOGLE
        };
        let site = site_with(GOOGLE, |fake| fake.with_quirks(quirks));
        identities.push(site.profile("google", &alice()).await.identity().clone());
    }
    assert_eq!(identities[0], identities[1]);
    let strict = Provider::openid("other", "Other", OTHER);
    let quirks = Quirks {
        schemeless_issuer: true,
        ..Quirks::NONE
    };
    let site = site_with(strict, |fake| fake.with_quirks(quirks));
    let trip = site.go("other", &alice(), sign_in()).await;
    let error = site.complete(&trip).await;
    assert!(matches!(error, Err(SocialError::IdTokenInvalid(_))));
}

// OA9
#[tokio::test]
async fn a_provider_signs_by_its_own_algorithms() {
    let elliptic = |fake: FakeProvider| fake.with_algorithm(Algorithm::Es256);
    let site = site_with(Provider::openid("other", "Other", OTHER), elliptic);
    is_well(&site, "other").await;
    let site = site_with(GOOGLE, |fake| elliptic(fake.with_quirks(Quirks::GOOGLE)));
    let trip = site.go("google", &alice(), sign_in()).await;
    let error = site.complete(&trip).await;
    assert!(matches!(error, Err(SocialError::IdTokenInvalid(_))));
}

// OA20
#[tokio::test]
async fn only_people_of_the_required_workspace_come_in() {
    let mut site = Site::new();
    let workspace = client(GOOGLE, &site.google).with_hosted_domain("example.com");
    site.logins = site.node(&roots([1]), [workspace]);
    let of = |domain: Option<&str>| Person {
        hosted_domain: domain.map(str::to_owned),
        ..Person::new("1002", "bob@example.com")
    };
    let profile = site.profile("google", &of(Some("example.com"))).await;
    assert!(profile.is_authoritative());
    for stranger in [None, Some("evil.example"), Some("")] {
        let trip = site.go("google", &of(stranger), sign_in()).await;
        let error = site.complete(&trip).await;
        assert!(
            matches!(error, Err(SocialError::IdTokenInvalid(_))),
            "{stranger:?}"
        );
    }
}
