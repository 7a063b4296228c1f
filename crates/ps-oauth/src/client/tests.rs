//! The client against a provider that does as it is told.

mod exchange;
mod keys;
mod people;
mod registration;

use std::time::Duration;

use ps_core::Clock;
use ps_testkit::TestAmbient;
use serde_json::{Value, json};

use url::Url;

use super::*;
use crate::testing::{Answer, RSA, Signer, Site, key_set};

const ISSUER: &str = "https://id.example";
const REDIRECT: &str = "https://app.example/api/auth/social/id/callback";
const SECRETS: Secrets<'_> = Secrets {
    state: "sssssssssssssssssssssssssssssssssssssssssss",
    nonce: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
    verifier: "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",
};
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A client, its provider, and the time.
struct World {
    client: Client,
    site: Arc<Site>,
    at: TestAmbient,
}

impl World {
    fn new(provider: Provider) -> Self {
        let site = Arc::new(Site::default());
        let client = Client::new(provider, "me", "our-secret!", REDIRECT, site.clone());
        let world = Self {
            client: client.unwrap(),
            site,
            at: TestAmbient::default(),
        };
        world.site.serve(DISCOVERY, metadata().to_string());
        world.site.serve("/jwks", key_set(&[("1", &RSA)]));
        world.grants(&RSA.token("1", &world.claims()));
        world
    }

    /// A provider that is found by discovery, and behaves.
    fn discovered() -> Self {
        Self::new(Provider::openid("id", "Id", ISSUER))
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.client.provider().issuer(),
            "aud": "me",
            "sub": "person-1",
            "email": "Alice@Example.com",
            "email_verified": true,
            "nonce": SECRETS.nonce,
            "iat": self.at.clock.now().as_seconds(),
            "exp": self.at.clock.now().as_seconds() + 300,
        })
    }

    /// From now on codes are exchanged for this ID token.
    fn grants(&self, id_token: &str) {
        let answer =
            json!({ "access_token": "at-1", "token_type": "Bearer", "id_token": id_token });
        self.site.serve("/token", answer.to_string());
    }

    fn grants_by(&self, kid: &str, signer: &Signer) {
        self.grants(&signer.token(kid, &self.claims()));
    }

    async fn prove(&self) -> Result<Profile, ProviderError> {
        self.client
            .prove("code-1", &SECRETS, &self.at.ambient())
            .await
    }

    async fn refusal(&self) -> InvalidIdToken {
        match self.prove().await {
            Err(ProviderError::InvalidIdToken(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    fn after(&self, seconds: u64) {
        self.at.clock.advance(Duration::from_secs(seconds));
    }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/authorize?realm=1",
        "token_endpoint": "https://id.example/token",
        "jwks_uri": "https://id.example/jwks",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    })
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn query(url: &str) -> Vec<(String, String)> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = list
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    pairs.sort();
    pairs
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

/// What a site does instead of answering, and whether a token endpoint may say it too.
fn faults() -> Vec<(Answer, &'static str)> {
    vec![
        (Answer::Broken, "broken"),
        (Answer::Endless, "5 MiB"),
        (Answer::With(302, String::new()), "a redirect"),
        (Answer::With(204, String::new()), "nothing"),
        (Answer::With(404, "not here".to_owned()), "not found"),
        (
            Answer::With(429, r#"{"error":"slow_down"}"#.to_owned()),
            "too many",
        ),
        (
            Answer::With(500, r#"{"error":"invalid_grant"}"#.to_owned()),
            "an error",
        ),
        (Answer::With(503, String::new()), "an error"),
        (Answer::With(200, String::new()), "nothing"),
        (Answer::With(200, "<html>".to_owned()), "rubbish"),
        (Answer::With(200, "[]".to_owned()), "rubbish"),
        (Answer::With(200, "{}".to_owned()), "rubbish"),
    ]
}
