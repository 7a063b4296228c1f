//! A provider in a few lines, for the unit tests: keys that sign anything, and answers that count.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use async_trait::async_trait;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::{HttpClient, HttpError};

pub(crate) const NOW: u64 = 1_795_341_600;

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A key pair that signs whatever it is given.
pub(crate) enum Signer {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// The provider's keys, and one of somebody else.
pub(crate) static EC: LazyLock<Signer> =
    LazyLock::new(|| Signer::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()));
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(rsa);
pub(crate) static STRANGER: LazyLock<Signer> = LazyLock::new(rsa);

fn rsa() -> Signer {
    Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

impl Signer {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// A token with this header and payload, which need not be of any sense.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_raw(&format!("{}.{}", base64url(header), base64url(payload)))
    }

    pub(crate) fn sign_raw(&self, message: &str) -> String {
        let signature = match self {
            Self::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message.as_bytes());
                signature.unwrap().as_ref().to_vec()
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    message.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
        };
        format!("{message}.{}", base64url(signature))
    }

    /// An ordinary token that names `kid`.
    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": self.name(), "kid": kid, "typ": "JWT" });
        self.sign(&header.to_string(), &claims.to_string())
    }

    /// The public key.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let mut jwk = match self {
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Self::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": base64url(public.n), "e": base64url(public.e) })
            }
        };
        jwk["alg"] = json!(self.name());
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(kid);
        jwk
    }
}

/// A key set of these.
pub(crate) fn key_set(keys: &[(&str, &Signer)]) -> String {
    let keys: Vec<_> = keys.iter().map(|(kid, key)| key.jwk(kid)).collect();
    json!({ "keys": keys }).to_string()
}

/// What a site answers, by path, and what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Site {
    answers: Mutex<HashMap<String, Answer>>,
    served: Mutex<HashMap<String, String>>,
    asked: Mutex<Vec<(Request<Bytes>, usize)>>,
}

/// One answer, given each time.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status and body, which calls itself something else.
    With(u16, String),
    /// None: the connection broke.
    Broken,
    /// What was served before, made longer than was asked for, by a client that does not mind.
    Endless,
    /// None, ever.
    Silence,
}

impl Site {
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn serve(&self, path: &str, body: impl Into<String>) {
        let body = body.into();
        let mut served = self.served.lock().unwrap();
        served.insert(path.to_owned(), body.clone());
        self.answer(path, Answer::With(200, body));
    }

    /// How often `path` was asked for.
    pub(crate) fn calls(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(it, _)| it.uri().path() == path)
            .count()
    }

    /// The last request for `path`, and how long an answer it wanted at most.
    pub(crate) fn last(&self, path: &str) -> (Request<Bytes>, usize) {
        let asked = self.asked.lock().unwrap();
        let mut those = asked.iter().filter(|(it, _)| it.uri().path() == path);
        those.next_back().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Site {
    async fn send(
        &self,
        request: Request<Bytes>,
        at_most: usize,
    ) -> Result<Response<Bytes>, HttpError> {
        let answer = self
            .answers
            .lock()
            .unwrap()
            .get(request.uri().path())
            .cloned();
        let served = self
            .served
            .lock()
            .unwrap()
            .get(request.uri().path())
            .cloned()
            .unwrap_or_default();
        self.asked.lock().unwrap().push((request, at_most));
        let (status, body) = match answer {
            Some(Answer::With(status, body)) => (status, body),
            Some(Answer::Broken) => return Err(HttpError::Unreachable("reset".into())),
            Some(Answer::Endless) => (200, served + &" ".repeat(at_most)),
            Some(Answer::Silence) => std::future::pending().await,
            None => (404, String::new()),
        };
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/octet-stream")
            .header("location", "https://evil.example/")
            .body(body.into());
        Ok(response.unwrap())
    }
}
