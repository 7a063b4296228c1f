//! Access tokens: ours, and `jsonwebtoken` and `jwt-compact` by themselves.

use std::{hint::black_box, time::Duration};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use jwt_compact::{
    AlgorithmExt, TimeOptions, UntrustedToken,
    alg::{Ed25519, Hs256, Hs256Key},
    jwk::JsonWebKey,
};
use serde::{Deserialize, Serialize};

use crate::{
    finding::{Finding, Target},
    plot::Plot,
    race::{Lane, cpu, race},
    report::Report,
    stage::{
        at_once,
        databases::{Ports, memory},
        keys::account,
        sessions::{ISSUER, Service, browser},
    },
};

/// How many tokens are verified for the first time in a round.
const FRESH: u64 = 200;
/// For HS256.
const SECRET: [u8; 32] = [7; 32];

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// What our access tokens say, as somebody else would read it.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    auth_time: u64,
    amr: Vec<String>,
}

/// The same without the times, which `jwt-compact` takes out by itself.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    auth_time: u64,
    amr: Vec<String>,
}

/// A key as `jwt-compact` takes it.
type Verifying<A> = <A as jwt_compact::Algorithm>::VerifyingKey;

/// One person who has signed in, and the access tokens that refreshing brought.
#[derive(Debug)]
pub struct Stage {
    ports: Ports,
    service: Service,
    tokens: Vec<String>,
    public: DecodingKey,
    compact: Verifying<Ed25519>,
    claims: Claims,
}

impl Stage {
    /// Signs in and refreshes.
    ///
    /// # Panics
    /// Where our own tokens are refused.
    #[must_use]
    pub fn new() -> Self {
        let ports = memory().ports;
        let service = Service::new(&ports);
        let mut open = at_once(service.sign_in(&account(0)));
        let (mut tokens, here) = (Vec::with_capacity(FRESH as usize), browser());
        for _ in 0..FRESH {
            let next = service.sessions.refresh(&open.refresh, None, &here);
            open = at_once(next).expect("a live session");
            tokens.push(open.access.expose().to_owned());
        }
        let jwks = serde_json::from_str::<jsonwebtoken::jwk::JwkSet>(service.sessions.jwks());
        let jwk = jwks.expect("a set of keys").keys.remove(0);
        let public = DecodingKey::from_jwk(&jwk).expect("an Ed25519 key");
        let text = serde_json::to_string(&jwk).expect("a key");
        let compact = serde_json::from_str::<JsonWebKey<'_>>(&text).expect("a key");
        let compact = Verifying::<Ed25519>::try_from(&compact).expect("an Ed25519 key");
        let read = decode(&tokens[0], &public, &checks(Algorithm::EdDSA));
        Self {
            ports,
            service,
            tokens,
            public,
            compact,
            claims: read.expect("our token").claims,
        }
    }

    /// Ours, remembered and for the first time; `jsonwebtoken` on the same tokens, and by each
    /// algorithm, HS256 first; `jwt-compact`.
    #[must_use]
    pub fn verifying(&self) -> Vec<Lane<'_>> {
        let mut lanes = vec![self.remembered(), self.first_time(), self.theirs()];
        lanes.extend(by_algorithm(&self.claims).1);
        lanes.extend([self.compact(), self.compact_hs256()]);
        lanes
    }

    /// The library by each algorithm.
    #[must_use]
    pub fn making(&self) -> Vec<Lane<'_>> {
        by_algorithm(&self.claims).0
    }

    /// Tokens that this service has not seen: it is a new one each time, under the same keys.
    fn first_time(&self) -> Lane<'_> {
        Lane::new("ours, for the first time", |times| {
            let here = browser();
            let some = |times: u64| {
                let service = Service::new(&self.ports);
                at_once(service.keep_trusting());
                let mut tokens = self.tokens.iter();
                cpu(times, || {
                    let token = tokens.next().expect("as many as are verified");
                    at_once(service.sessions.authenticate(token, &here)).expect("a live session")
                })
            };
            let whole = (0..times / FRESH).map(|_| some(FRESH)).sum::<Duration>();
            whole + some(times % FRESH)
        })
        .times(FRESH)
    }

    fn remembered(&self) -> Lane<'_> {
        let (mut tokens, here) = (self.tokens.iter().cycle(), browser());
        Lane::cpu_after(
            "ours, remembered",
            || at_once(self.service.keep_trusting()),
            move || {
                let token = black_box(tokens.next().map_or("", String::as_str));
                at_once(self.service.sessions.authenticate(token, &here)).expect("a live session")
            },
        )
    }

    /// The library by itself, on our own tokens.
    fn theirs(&self) -> Lane<'_> {
        let (mut tokens, checks) = (self.tokens.iter().cycle(), checks(Algorithm::EdDSA));
        Lane::cpu("jsonwebtoken, EdDSA, the same tokens", move || {
            let token = black_box(tokens.next().map_or("", String::as_str));
            decode::<Claims>(token, &self.public, &checks).expect("our token")
        })
    }

    /// Another library, on our own tokens too.
    fn compact(&self) -> Lane<'_> {
        let mut tokens = self.tokens.iter().cycle();
        Lane::cpu("jwt-compact, EdDSA, the same tokens", move || {
            let token = tokens.next().map_or("", String::as_str);
            compact(&Ed25519, &self.compact, token)
        })
    }

    fn compact_hs256(&self) -> Lane<'_> {
        let token = encode(
            &Header::new(Algorithm::HS256),
            &self.claims,
            &EncodingKey::from_secret(&SECRET),
        );
        let (token, key) = (token.expect("a token"), Hs256Key::new(SECRET));
        Lane::cpu("jwt-compact, HS256", move || compact(&Hs256, &key, &token))
    }
}

/// Verifies a token with `jwt-compact`, and asks what [`checks`] asks: it leaves that to its user.
fn compact<A: jwt_compact::Algorithm>(algorithm: &A, key: &A::VerifyingKey, token: &str) -> Said {
    let token = UntrustedToken::new(black_box(token)).expect("a token");
    let token = algorithm.validator(key).validate(&token);
    let (_, claims) = token.expect("its token").into_parts();
    let times = TimeOptions::default();
    let begun: Result<_, _> = claims.validate_maturity(&times);
    let lasts = begun.and_then(|begun| begun.validate_expiration(&times));
    lasts.expect("a live token");
    let said: Said = claims.custom;
    assert!(said.iss == ISSUER && said.aud == ISSUER);
    said
}

/// What a careful user of the library asks for.
fn checks(algorithm: Algorithm) -> Validation {
    let mut checks = Validation::new(algorithm);
    checks.set_issuer(&[ISSUER]);
    checks.set_audience(&[ISSUER]);
    checks.validate_nbf = true;
    checks
}

/// A key pair of an algorithm, as the library takes it.
fn pair(algorithm: Algorithm) -> (EncodingKey, DecodingKey) {
    match algorithm {
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::generate().expect("a key");
            let private = pair.to_pkcs8v1().expect("a key");
            let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
            (EncodingKey::from_ed_der(private.as_ref()), public)
        }
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
            let private = pair.to_pkcs8v1().expect("a key");
            let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
            (EncodingKey::from_ec_der(private.as_ref()), public)
        }
        Algorithm::RS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let private = pair.as_der().expect("a key");
            let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
            // The library wants the inner form (RFC 8017 §A.1.2), which PKCS#8 puts 26 bytes before.
            (EncodingKey::from_rsa_der(&private.as_ref()[26..]), public)
        }
        _ => (
            EncodingKey::from_secret(&SECRET),
            DecodingKey::from_secret(&SECRET),
        ),
    }
}

/// Making and verifying a token with the library, by each algorithm.
fn by_algorithm(claims: &Claims) -> (Vec<Lane<'_>>, Vec<Lane<'_>>) {
    let names = [
        (Algorithm::HS256, "HS256"),
        (Algorithm::RS256, "RS256, 2048 bits"),
        (Algorithm::ES256, "ES256"),
        (Algorithm::EdDSA, "EdDSA (Ed25519)"),
    ];
    let lanes = names.map(|(algorithm, name)| {
        let (private, public) = pair(algorithm);
        let (header, checks) = (Header::new(algorithm), checks(algorithm));
        let token = encode(&header, claims, &private).expect("a token");
        let verify = Lane::cpu(format!("jsonwebtoken, {name}"), move || {
            decode::<Claims>(black_box(&token), &public, &checks).expect("its token")
        });
        let make = Lane::cpu(format!("jsonwebtoken, {name}"), move || {
            encode(&header, black_box(claims), &private).expect("a token")
        });
        (make, verify)
    });
    lanes.into_iter().unzip()
}

pub(super) fn report(report: &mut Report) {
    let stage = Stage::new();
    let timed = race(stage.verifying());
    let note = "Ours is `Sessions::authenticate`: the liveness of the session is part of it.";
    report.compare("Verifying an access token", note, &timed);
    let path = "verify a remembered access token, liveness included";
    let found = |by, bound, ratio| Finding::ratio(path, by, Target::AtLeast(bound), ratio);
    let eddsa = "times faster than jsonwebtoken, EdDSA";
    report.find(found(eddsa, 100.0, timed[2].over(&timed[0])));
    let hs256 = "times faster than jsonwebtoken, HS256";
    report.find(found(hs256, 8.0, timed[3].over(&timed[0])));
    let path = "verify an access token for the first time";
    let by = "jsonwebtoken, EdDSA";
    let ratio = timed[1].over(&timed[2]);
    report.find(Finding::ratio(path, by, Target::AtMost(1.15), ratio));
    let bars = timed
        .iter()
        .map(|each| (each.name.clone(), each.nanos().median));
    let title = "Verifying an access token";
    report.draw(Plot::bars("tokens", title, "ns", bars.collect()));

    let note =
        "A token of our claims. Ours is made where a session is opened or carried on: see there.";
    report.compare("Making an access token", note, &race(stage.making()));
}

/// Verifying a remembered token, one of a new stage's, so many times.
pub(super) fn remembered() -> impl FnMut() {
    let stage = Stage::new();
    at_once(stage.service.keep_trusting());
    let here = browser();
    move || {
        let caller = stage.service.sessions.authenticate(&stage.tokens[0], &here);
        let _ = at_once(caller).expect("a live session");
    }
}
