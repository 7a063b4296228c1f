//! What a client is made of, and where it finds its provider.

use super::*;
use crate::GOOGLE;

#[tokio::test]
async fn endpoints_are_asked_for_once_a_day_and_kept_when_that_fails() {
    let world = World::discovered();
    let begin = async || {
        let ambient = world.at.ambient();
        world.client.authorize_url(&SECRETS, &ambient).await.is_ok()
    };
    assert!(begin().await && begin().await);
    assert_eq!(world.site.calls(DISCOVERY), 1);
    world.site.serve(DISCOVERY, "{}");
    world.after(24 * 3600);
    assert!(begin().await && begin().await);
    assert_eq!(world.site.calls(DISCOVERY), 2);
    world.after(6 * 24 * 3600);
    assert!(!begin().await);
}

// OA7
#[tokio::test]
async fn a_provider_that_cannot_be_found_is_out_of_service() {
    let mut other = metadata();
    other["issuer"] = json!("https://id.example/");
    let wrong = Answer::With(200, other.to_string());
    let faults = faults().into_iter().map(|(answer, _)| answer);
    for answer in faults.chain([wrong]) {
        let world = World::discovered();
        world.site.answer(DISCOVERY, answer);
        for second in 0..6 {
            let outage = world
                .client
                .authorize_url(&SECRETS, &world.at.ambient())
                .await;
            assert!(matches!(outage, Err(ProviderError::Unavailable(_))));
            // Somebody waits to sign in, so it is tried again after two seconds and not after 30.
            assert_eq!(world.site.calls(DISCOVERY), second / 2 + 1);
            world.after(1);
        }
        assert_eq!(world.site.calls("/token"), 0);
    }
}

// OA6
#[tokio::test]
async fn a_callback_names_the_issuer_or_nobody() {
    let world = World::discovered();
    let expects = async |iss: Option<&str>| {
        let ambient = world.at.ambient();
        world.client.expects_issuer(iss, &ambient).await.unwrap()
    };
    for wrong in [
        "",
        "https://id.example/",
        "https://ID.example",
        "id.example",
        "https://evil.example",
    ] {
        assert!(!expects(Some(wrong)).await, "{wrong}");
    }
    assert!(expects(Some(ISSUER)).await);
    assert_eq!(world.site.calls(DISCOVERY), 0);
    assert!(expects(None).await);
    let mut promising = metadata();
    promising["authorization_response_iss_parameter_supported"] = json!(true);
    world.site.serve(DISCOVERY, promising.to_string());
    world.after(24 * 3600);
    assert!(!expects(None).await);
    assert!(expects(Some(ISSUER)).await);
    // The form that Google's tokens may have is not one for callbacks.
    let google = World::new(GOOGLE.at(ISSUER));
    let ambient = google.at.ambient();
    let expects = |iss| google.client.expects_issuer(Some(iss), &ambient);
    assert!(expects(ISSUER).await.unwrap());
    assert!(!expects("id.example").await.unwrap());
}

#[test]
fn a_registration_is_checked() {
    let http = || Arc::new(Site::default());
    let make =
        |name: &'static str, issuer: &'static str, id: &str, secret: &str, redirect: &str| {
            let provider = Provider::openid(name, "Title", issuer);
            Client::new(provider, id, secret, redirect, http()).map(drop)
        };
    let long = "a".repeat(256);
    for name in ["a", "google", "my-id_2", "abcdefghijklmnopqrstuvwxyz012345"] {
        assert_eq!(
            make(name, ISSUER, "me", "secret", REDIRECT),
            Ok(()),
            "{name}"
        );
    }
    for name in [
        "",
        "Google",
        "a b",
        "a/b",
        "a.b",
        "ä",
        "abcdefghijklmnopqrstuvwxyz0123456",
    ] {
        let refused = Err(InvalidClient::Name);
        assert_eq!(
            make(name, ISSUER, "me", "secret", REDIRECT),
            refused,
            "{name}"
        );
    }
    for issuer in [
        "http://localhost:9000",
        "http://127.0.0.1/a",
        "http://[::1]:1",
        "https://a.example/b/",
    ] {
        assert_eq!(
            make("a", issuer, "me", "secret", REDIRECT),
            Ok(()),
            "{issuer}"
        );
    }
    for issuer in [
        "",
        "id.example",
        "http://id.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "ftp://id.example",
        "https://id.example?a=b",
        "https://id.example#a",
        "https://user:pass@id.example",
        "https://",
    ] {
        let refused = Err(InvalidClient::Issuer);
        assert_eq!(
            make("a", issuer, "me", "secret", REDIRECT),
            refused,
            "{issuer}"
        );
    }
    for id in ["", "a b", "a\n", "ä", &long] {
        assert_eq!(
            make("a", ISSUER, id, "secret", REDIRECT),
            Err(InvalidClient::ClientId),
            "{id}"
        );
    }
    for secret in ["", "a b", "a\r\nb", "ä"] {
        let refused = Err(InvalidClient::ClientSecret);
        assert_eq!(
            make("a", ISSUER, "me", secret, REDIRECT),
            refused,
            "{secret}"
        );
    }
    let local = "http://localhost:8080/callback";
    assert_eq!(make("a", ISSUER, "me", "secret", local), Ok(()));
    for redirect in [
        "",
        "/callback",
        "http://app.example/callback",
        "https://app.example/#a",
        "app:callback",
    ] {
        let refused = Err(InvalidClient::RedirectUri);
        assert_eq!(
            make("a", ISSUER, "me", "secret", redirect),
            refused,
            "{redirect}"
        );
    }
}
