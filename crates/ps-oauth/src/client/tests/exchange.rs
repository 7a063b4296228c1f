//! Sending the browser away, and exchanging the code that it brings back.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::*;
use crate::{GOOGLE, LINKEDIN, testing::base64url};

// OA3, OA4, OA5
#[tokio::test]
async fn the_browser_is_sent_with_state_nonce_and_challenge() {
    let world = World::discovered();
    let url = world
        .client
        .authorize_url(&SECRETS, &world.at.ambient())
        .await
        .unwrap();
    assert!(url.starts_with("https://id.example/authorize?"), "{url}");
    let challenge = base64url(Sha256::digest(SECRETS.verifier));
    let expected = [
        ("realm", "1"),
        ("response_type", "code"),
        ("client_id", "me"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email"),
        ("state", SECRETS.state),
        ("nonce", SECRETS.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(sorted(query(&url)), pairs(&expected));
    assert!(
        !url.contains(SECRETS.verifier) && !url.contains("secret"),
        "{url}"
    );
}

// OA3: by the provider's data, whatever its metadata says.
#[tokio::test]
async fn linkedin_gets_no_challenge_and_no_verifier() {
    let world = World::new(LINKEDIN.at(ISSUER));
    let mut boasting = metadata();
    boasting["code_challenge_methods_supported"] = json!(["S256"]);
    world.site.serve(DISCOVERY, boasting.to_string());
    let url = world
        .client
        .authorize_url(&SECRETS, &world.at.ambient())
        .await
        .unwrap();
    assert!(!url.contains("code_challenge"), "{url}");
    world.prove().await.unwrap();
    let (request, _) = world.site.last("/token");
    assert!(
        form(request.body())
            .iter()
            .all(|(name, _)| name != "code_verifier")
    );
}

#[tokio::test]
async fn the_real_providers_need_no_discovery() {
    for (provider, place, jwks) in [
        (
            GOOGLE,
            "https://accounts.google.com/o/oauth2/v2/auth?",
            "/oauth2/v3/certs",
        ),
        (
            LINKEDIN,
            "https://www.linkedin.com/oauth/v2/authorization?",
            "/oauth/openid/jwks",
        ),
    ] {
        let world = World::new(provider);
        let token = if world.client.provider().name() == "google" {
            "/token"
        } else {
            "/oauth/v2/accessToken"
        };
        let answer = json!({
            "access_token": "at-1",
            "token_type": "Bearer",
            "id_token": RSA.token("1", &world.claims()),
        });
        world.site.serve(token, answer.to_string());
        world.site.serve(jwks, key_set(&[("1", &RSA)]));
        let url = world
            .client
            .authorize_url(&SECRETS, &world.at.ambient())
            .await
            .unwrap();
        assert!(url.starts_with(place), "{url}");
        let profile = world.prove().await.unwrap();
        assert_eq!(profile.identity().issuer, world.client.provider().issuer());
        assert_eq!(world.site.calls(DISCOVERY), 0);
        assert_eq!(world.site.calls(jwks), 1);
    }
}

// OA3, OA23, OA26
#[tokio::test]
async fn a_code_is_exchanged_as_the_provider_wants_it() {
    let world = World::discovered();
    world.prove().await.unwrap();
    let (request, at_most) = world.site.last("/token");
    assert_eq!((request.method().as_str(), at_most), ("POST", 64 * 1024));
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "code-1"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", SECRETS.verifier),
        ("client_id", "me"),
        ("client_secret", "our-secret!"),
    ];
    assert_eq!(sorted(form(request.body())), pairs(&expected));
    assert!(request.headers().get("authorization").is_none());

    let world = World::discovered();
    let mut silent = metadata();
    silent
        .as_object_mut()
        .unwrap()
        .remove("token_endpoint_auth_methods_supported");
    world.site.serve(DISCOVERY, silent.to_string());
    world.prove().await.unwrap();
    let (request, _) = world.site.last("/token");
    assert_eq!(sorted(form(request.body())), pairs(&expected[..4]));
    let basic = format!("Basic {}", BASE64_STANDARD.encode("me:our-secret%21"));
    assert_eq!(request.headers()["authorization"], basic);
}

// OA23: whatever happens, it happens once, and nothing of it is kept.
#[tokio::test]
async fn faults_are_told_apart_from_refusals_and_nothing_is_retried() {
    for (answer, what) in faults() {
        let world = World::discovered();
        world.site.answer("/token", answer);
        let outage = world.prove().await.unwrap_err();
        assert!(
            matches!(outage, ProviderError::Unavailable(_)),
            "{what}: {outage}"
        );
        assert_eq!(world.site.calls("/token"), 1, "{what}");
    }
    for status in [400, 401, 403] {
        let world = World::discovered();
        let body = r#"{"error":"invalid_grant","error_description":"spent"}"#;
        world
            .site
            .answer("/token", Answer::With(status, body.to_owned()));
        assert!(matches!(
            world.prove().await,
            Err(ProviderError::InvalidGrant)
        ));
        for error in [
            "invalid_client",
            "invalid_request",
            "access_denied",
            "INVALID_GRANT",
        ] {
            let body = json!({ "error": error }).to_string();
            world.site.answer("/token", Answer::With(status, body));
            assert!(
                matches!(world.prove().await, Err(ProviderError::Refused(_))),
                "{error}"
            );
        }
        assert_eq!(world.site.calls("/token"), 5);
        assert_eq!(world.site.calls("/jwks"), 0);
    }
}

#[tokio::test]
async fn a_grant_is_a_bearer_token_and_an_id_token() {
    let world = World::discovered();
    let id_token = RSA.token("1", &world.claims());
    for token_type in [json!("Bearer"), json!("bearer"), json!("BEARER")] {
        let answer = json!({
            "access_token": "at-1", "token_type": token_type, "id_token": id_token,
            "expires_in": "3600", "scope": "email,openid", "refresh_token": null,
        });
        world.site.serve("/token", answer.to_string());
        assert!(world.prove().await.is_ok(), "{token_type}");
    }
    let untyped = json!({ "access_token": "at-1", "id_token": id_token });
    world.site.serve("/token", untyped.to_string());
    assert!(world.prove().await.is_ok());
    for answer in [
        json!({ "access_token": "at-1", "token_type": "mac", "id_token": id_token }),
        json!({ "access_token": "at-1", "token_type": "DPoP", "id_token": id_token }),
        json!({ "token_type": "Bearer", "id_token": id_token }),
        json!({ "access_token": 1, "token_type": "Bearer", "id_token": id_token }),
        json!({ "access_token": "at-1", "token_type": "Bearer", "id_token": [id_token] }),
    ] {
        world.site.serve("/token", answer.to_string());
        let outage = world.prove().await.unwrap_err();
        assert!(matches!(outage, ProviderError::Unavailable(_)), "{answer}");
    }
    for none in [json!({}), json!({ "id_token": null })] {
        let mut answer = json!({ "access_token": "at-1", "token_type": "Bearer" });
        answer
            .as_object_mut()
            .unwrap()
            .extend(none.as_object().unwrap().clone());
        world.site.serve("/token", answer.to_string());
        assert_eq!(world.refusal().await, InvalidIdToken::Missing);
    }
}

// OA26
#[tokio::test]
async fn no_secret_is_shown() {
    let world = World::discovered();
    let profile = world.prove().await.unwrap();
    let shown = format!("{:?} {profile:?}", world.client);
    assert!(
        shown.contains("\"me\"") && !shown.contains("our-secret"),
        "{shown}"
    );
    assert!(!shown.contains("at-1") && !shown.contains("eyJ"), "{shown}");
    let answer = r#"{"access_token":"at-1","token_type":"mac","id_token":"eyJ"}"#;
    for (status, body) in [
        (200, answer),
        (200, r#"{"access_token":["at-1"]}"#),
        (400, "at-1"),
    ] {
        world
            .site
            .answer("/token", Answer::With(status, body.to_owned()));
        let outage = world.prove().await.unwrap_err();
        assert!(
            !format!("{outage:?} {outage}").contains("at-1"),
            "{outage:?}"
        );
    }
}

/// What adapters need of every future.
#[test]
fn a_proof_can_be_waited_for_on_any_thread() {
    fn is_send(_: impl Send) {}
    let world = World::discovered();
    let ambient = world.at.ambient();
    is_send(world.client.prove("", &SECRETS, &ambient));
    is_send(world.client.authorize_url(&SECRETS, &ambient));
    is_send(world.client.expects_issuer(None, &ambient));
}
