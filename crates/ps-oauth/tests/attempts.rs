//! The round trip: what comes back has to be what went out, in the same browser, once.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{
    MILLISECOND, MINUTE, Site, Trip, alice, browser, client, path, proof, roots, sign_in,
};
use proptest::prelude::*;
use ps_core::{AccountVersion, Outcome, Refusal, SessionId, SystemRandom};
use ps_oauth::{Carried, GOOGLE, Intent, SocialError};
use ps_testkit::openid::{Misbehaviour, Person};

/// A callback that must not be read: no attempt, so nothing that says whose it is.
#[track_caller]
fn refused(site: &Site, trip: &Trip, why: Refusal) {
    let error = site.read(trip).unwrap_err();
    assert!(
        matches!(error.why, SocialError::AttemptInvalid),
        "{error:?}"
    );
    assert!(error.attempt.is_none(), "{error:?}");
    assert_eq!(site.outcomes(), [Outcome::SocialRefused(why)]);
}

/// A callback that is over, though it is this browser's.
#[track_caller]
fn over(site: &Site, trip: &Trip, why: Refusal) -> SocialError {
    let error = site.read(trip).unwrap_err();
    let attempt = error.attempt.unwrap();
    assert_eq!(attempt.return_to().as_str(), "/settings");
    assert_eq!(attempt.intent(), &sign_in());
    assert_eq!(site.outcomes(), [Outcome::SocialRefused(why)]);
    error.why
}

#[tokio::test]
async fn somebody_comes_back_from_every_provider() {
    let site = Site::new();
    for provider in ["google", "linkedin", "other"] {
        let intent = Intent::SignIn {
            replaces: Some([9; 32]),
            carries: Carried::new("what the host wants"),
        };
        let trip = site.go(provider, &alice(), intent.clone()).await;
        let callback = site.read(&trip).unwrap();
        assert_eq!(callback.attempt().intent(), &intent);
        assert_eq!(callback.attempt().return_to(), &path("/settings"));
        assert_eq!(callback.attempt().begun_at(), site.now());
        let profile = site.logins.complete(&callback, &browser()).await.unwrap();
        assert_eq!(profile.identity().provider, provider);
        assert_eq!(profile.identity().subject, "1001");
        assert_eq!(
            profile.proof().unwrap().address(),
            proof("alice@gmail.com").address()
        );
    }
    assert_eq!(site.outcomes(), []);
    let names: Vec<_> = site.logins.providers().map(|one| one.name()).collect();
    assert_eq!(names, ["google", "linkedin", "other"]);
}

#[tokio::test]
async fn what_is_not_configured_is_unknown() {
    let site = Site::new();
    for name in ["", "Google", "google/", "github"] {
        assert!(!site.logins.is_known(name));
        let begun = site.logins.begin(name, sign_in(), path("/")).await;
        assert!(matches!(begun.unwrap_err(), SocialError::UnknownProvider));
        let read = site.logins.read(name, None, "", &browser());
        assert!(matches!(
            read.unwrap_err().why,
            SocialError::UnknownProvider
        ));
    }
    assert!(site.logins.is_known("google"));
    assert_eq!(site.outbound(), 0);
}

// OA1: login CSRF, session fixation, an injected code
#[tokio::test]
async fn a_callback_in_another_browser_is_refused_and_nobody_is_asked() {
    let site = Site::new();
    let mallory = Person::new("666", "mallory@gmail.com");
    let hers = site.go("google", &alice(), sign_in()).await;
    let his = site.go("google", &mallory, sign_in()).await;
    let before = site.outbound();

    let crossed = Trip {
        query: his.query.clone(),
        ..hers.clone()
    };
    refused(&site, &crossed, Refusal::Wrong);
    let injected = Trip {
        query: format!("code={}&state={}", his.says("code"), hers.says("state")),
        ..his
    };
    refused(&site, &injected, Refusal::Wrong);

    let read = site.logins.read("google", None, &hers.query, &browser());
    let error = read.unwrap_err();
    assert!(matches!(error.why, SocialError::AttemptInvalid) && error.attempt.is_none());
    assert_eq!(site.outcomes(), [Outcome::SocialRefused(Refusal::Unknown)]);
    assert_eq!(site.outbound(), before);
    assert!(site.complete(&hers).await.is_ok());
}

// OA1: the browser's own state does not make somebody else's code good
#[tokio::test]
async fn a_code_of_another_attempt_is_not_taken() {
    for provider in ["google", "other"] {
        let site = Site::new();
        let mallory = Person::new("666", "mallory@gmail.com");
        let hers = site.go(provider, &alice(), sign_in()).await;
        let his = site.go(provider, &mallory, sign_in()).await;
        let injected = Trip {
            query: hers.query.replace(hers.says("code"), his.says("code")),
            ..hers
        };
        let error = site.complete(&injected).await.unwrap_err();
        assert!(matches!(error, SocialError::InvalidGrant), "{error:?}");
        assert_eq!(site.outcomes(), [Outcome::SocialRefused(Refusal::Spent)]);
    }
}

// OA5: a mix-up of two providers
#[tokio::test]
async fn what_one_provider_answers_is_nothing_at_the_callback_of_another() {
    let site = Site::new();
    let google = site.go("google", &alice(), sign_in()).await;
    let linkedin = site.go("linkedin", &alice(), sign_in()).await;
    let before = site.outbound();
    let moved = Trip {
        provider: "linkedin".to_owned(),
        ..google.clone()
    };
    refused(&site, &moved, Refusal::Wrong);
    let mixed = Trip {
        query: google.query,
        ..linkedin
    };
    refused(&site, &mixed, Refusal::Wrong);
    assert_eq!(site.outbound(), before);
}

// OA1: the second exchange brings nothing, and the reference says which session the first one made
#[tokio::test]
async fn a_callback_that_comes_twice_has_one_reference_and_one_exchange() {
    let site = Site::new();
    let trip = site.go("google", &alice(), sign_in()).await;
    let (first, second) = (site.read(&trip).unwrap(), site.read(&trip).unwrap());
    assert_eq!(first.attempt().reference(), second.attempt().reference());
    assert!(site.logins.complete(&first, &browser()).await.is_ok());
    let error = site.logins.complete(&second, &browser()).await.unwrap_err();
    assert!(matches!(error, SocialError::InvalidGrant), "{error:?}");
    assert_eq!(site.outcomes(), [Outcome::SocialRefused(Refusal::Spent)]);

    let other = site.go("google", &alice(), sign_in()).await;
    let other = site.read(&other).unwrap();
    assert_ne!(first.attempt().reference(), other.attempt().reference());
}

// OA1
#[tokio::test]
async fn an_attempt_lives_for_ten_minutes() {
    let site = Site::new();
    let trip = site.go("google", &alice(), sign_in()).await;
    let before = site.outbound();
    site.around.clock.advance(10 * MINUTE - MILLISECOND);
    assert!(site.read(&trip).is_ok());
    site.around.clock.advance(MILLISECOND);
    let why = over(&site, &trip, Refusal::Expired);
    assert!(matches!(why, SocialError::AttemptInvalid));
    assert_eq!(site.outbound(), before);
}

// OA1
#[tokio::test]
async fn an_attempt_outlives_the_replacement_of_its_root() {
    let site = Site::new();
    let trip = site.go("google", &alice(), sign_in()).await;
    let reference = *site.read(&trip).unwrap().attempt().reference();
    let read = |first: &ps_core::RootSecrets| {
        let node = site.node(first, [client(GOOGLE, &site.google)]);
        node.read("google", Some(&trip.cookie), &trip.query, &browser())
    };
    let between = read(&roots([9, 1])).unwrap();
    assert_eq!(between.attempt().reference(), &reference);
    let after = read(&roots([9])).unwrap_err();
    assert!(matches!(after.why, SocialError::AttemptInvalid));
}

// OA2: what the query says besides is not looked at
#[tokio::test]
async fn the_cookie_decides_and_the_query_does_not() {
    let site = Site::new();
    let more = "&return_to=//evil.example&redirect_uri=https://evil.example&nonce=a\
        &code_verifier=b&provider=linkedin&intent=link&account=bob&client_id=c&id_token=d";
    let trip = site.go("google", &alice(), sign_in()).await.plus(more);
    let callback = site.read(&trip).unwrap();
    assert_eq!(callback.attempt().return_to(), &path("/settings"));
    assert_eq!(callback.attempt().intent(), &sign_in());
    let profile = site.logins.complete(&callback, &browser()).await.unwrap();
    assert_eq!(profile.identity().subject, "1001");
}

// OA17: a link that fails goes back to the page that it came from
#[tokio::test]
async fn a_link_that_was_called_off_says_whose_it_was() {
    let site = Site::new();
    let intent = Intent::Link {
        account: site.proven("alice@example.com").await.id,
        session: SessionId::random(&SystemRandom),
        under: AccountVersion::new(1),
    };
    let trip = site.go("google", &alice(), intent.clone()).await;
    let denied = Trip {
        query: format!("error=access_denied&state={}", trip.says("state")),
        ..trip
    };
    let error = site.read(&denied).unwrap_err();
    assert!(matches!(error.why, SocialError::AccessDenied));
    assert_eq!(error.attempt.unwrap().intent(), &intent);
}

// OA22: whatever a provider, or somebody in its place, says of an error is not repeated
#[tokio::test]
async fn an_error_is_told_by_its_kind_only() {
    let site = Site::new();
    let trip = site.go("linkedin", &alice(), sign_in()).await;
    let table = [
        ("access_denied", true),
        ("user_cancelled_login", true),
        ("user_cancelled_authorize", true),
        ("server_error", false),
        ("%3Cscript%3Ealert(1)%3C/script%3E", false),
        ("access_denied%20", false),
    ];
    for (said, is_called_off) in table {
        let error = Trip {
            query: format!(
                "error={said}&error_description=x&state={}",
                trip.says("state")
            ),
            ..trip.clone()
        };
        let refusal = if is_called_off {
            Refusal::Cancelled
        } else {
            Refusal::ProviderFailed
        };
        let why = over(&site, &error, refusal);
        assert_eq!(
            matches!(why, SocialError::AccessDenied),
            is_called_off,
            "{said}"
        );
        assert_eq!(
            matches!(why, SocialError::ProviderError(_)),
            !is_called_off,
            "{said}"
        );
        let shown = format!("{why} {why:?}");
        assert!(
            !shown.contains("script") && !shown.contains("server_error"),
            "{shown}"
        );
    }
    // An error beside a code is an error; without the state it is not even that.
    let why = over(
        &site,
        &trip.plus("&error=server_error"),
        Refusal::ProviderFailed,
    );
    assert!(matches!(why, SocialError::ProviderError(_)));
    let stateless = Trip {
        query: "error=access_denied".to_owned(),
        ..trip
    };
    refused(&site, &stateless, Refusal::Malformed);
}

// OA22
#[tokio::test]
async fn what_comes_twice_or_is_too_long_is_refused() {
    let site = Site::new();
    let trip = site.go("other", &alice(), sign_in()).await;
    let before = site.outbound();
    let long = "a".repeat(2_049);
    let more = [
        format!("&code={}", trip.says("code")),
        "&code=a".to_owned(),
        "&iss=https://id.example".to_owned(),
        "&error=a&error=b".to_owned(),
        format!("&error={long}"),
        "&error=".to_owned(),
    ];
    for more in more {
        let why = over(&site, &trip.plus(&more), Refusal::Malformed);
        assert!(matches!(why, SocialError::AttemptInvalid), "{more}");
    }
    let twice = trip.plus(&format!("&state={}", trip.says("state")));
    refused(&site, &twice, Refusal::Malformed);
    let without = |name: &str| {
        let pair = format!("{name}={}", trip.says(name));
        Trip {
            query: trip.query.replace(&pair, ""),
            ..trip.clone()
        }
    };
    refused(&site, &without("state"), Refusal::Malformed);
    over(&site, &without("code"), Refusal::Malformed);
    let long = without("code").plus(&format!("&code={long}"));
    over(&site, &long, Refusal::Malformed);
    assert_eq!(site.outbound(), before);
}

// OA6
#[tokio::test]
async fn a_callback_of_another_issuer_is_refused_before_any_exchange() {
    let misbehaviours = [
        Misbehaviour::CallbackWithoutIss,
        Misbehaviour::CallbackWithWrongIss,
    ];
    for how in misbehaviours {
        let site = Site::new();
        site.other.misbehave(how);
        let trip = site.go("other", &alice(), sign_in()).await;
        let before = site.outbound();
        let error = site.complete(&trip).await.unwrap_err();
        assert!(
            matches!(error, SocialError::AttemptInvalid),
            "{how:?} {error:?}"
        );
        assert_eq!(site.outcomes(), [Outcome::SocialRefused(Refusal::Wrong)]);
        assert_eq!(site.outbound(), before, "{how:?}");
    }
    let site = Site::new();
    let trip = site.go("google", &alice(), sign_in()).await;
    let error = site.complete(&trip.plus("&iss=https://evil.example")).await;
    assert!(matches!(error.unwrap_err(), SocialError::AttemptInvalid));
    assert_eq!(site.outbound(), 0);
}

#[tokio::test]
async fn what_a_provider_does_wrong_is_told_apart() {
    let table = [
        (Misbehaviour::WrongSignature, Refusal::Wrong),
        (Misbehaviour::WrongNonce, Refusal::Wrong),
        (Misbehaviour::ServerError, Refusal::ProviderFailed),
        (Misbehaviour::Reset, Refusal::ProviderFailed),
    ];
    for (how, refusal) in table {
        let site = Site::new();
        let trip = site.go("google", &alice(), sign_in()).await;
        site.google.misbehave(how);
        let error = site.complete(&trip).await.unwrap_err();
        assert!(std::error::Error::source(&error).is_some(), "{error:?}");
        match refusal {
            Refusal::Wrong => assert!(matches!(error, SocialError::IdTokenInvalid(_))),
            _ => assert!(matches!(error, SocialError::ProviderUnavailable(_))),
        }
        assert_eq!(
            site.outcomes(),
            [Outcome::SocialRefused(refusal)],
            "{how:?}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_found_begins_nothing() {
    let site = Site::new();
    site.other.misbehave(Misbehaviour::Reset);
    let begun = site.logins.begin("other", sign_in(), path("/")).await;
    assert!(matches!(
        begun.unwrap_err(),
        SocialError::ProviderUnavailable(_)
    ));
    let told = Outcome::SocialRefused(Refusal::ProviderFailed);
    assert_eq!(site.outcomes(), [told]);
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let site = Site::new();
    let begun = site
        .logins
        .begin("google", sign_in(), path("/"))
        .await
        .unwrap();
    let trip = site.go("google", &alice(), sign_in()).await;
    let callback = site.read(&trip).unwrap();
    let shown = format!("{callback:?} {begun:?} {:?}", site.logins);
    let code = trip.says("code").replace("%2F", "/");
    let (_, begun_with) = begun.authorize_url.split_once("state=").unwrap();
    for secret in [
        code.as_str(),
        trip.says("state"),
        &begun_with[..43],
        begun.cookie.expose(),
        "s3cret",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // OA2, OA22: with the right cookie, and whatever else, nothing is read without its state
    #[test]
    fn a_query_without_the_state_is_never_read(
        noise in "((code|state|iss|error|scope)=[A-Za-z0-9%_-]{0,43}&){0,6}",
        place in 0usize..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (site, trip) = runtime.block_on(async {
            let site = Site::new();
            let trip = site.go("google", &alice(), sign_in()).await;
            (site, trip)
        });
        let before = site.outbound();
        let foreign = Trip { query: noise.clone(), ..trip.clone() };
        prop_assert!(site.read(&foreign).unwrap_err().attempt.is_none());

        let query = match place {
            0 => format!("{noise}{}", trip.query),
            1 => format!("{}&{noise}", trip.query),
            _ => format!("{noise}state={}", trip.says("state")),
        };
        let mixed = Trip { query, ..trip };
        if site.read(&mixed).is_ok() {
            prop_assert!(!noise.contains("state=") && !noise.contains("error="));
            prop_assert_eq!(mixed.query.matches("code=").count(), 1);
        }
        prop_assert_eq!(site.outbound(), before);
    }
}
