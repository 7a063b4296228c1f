//! The ID token, signed and forged.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    Algorithm, FakeProvider, Misbehaviour, Person,
    claims::{self, Claims},
    keys,
    state::{Grant, State},
};

impl FakeProvider {
    /// The ID token as a JWS in compact form (RFC 7515 §7.1).
    pub(super) fn id_token(
        &self,
        state: &State,
        grant: &Grant,
        person: &Person,
        access_token: &str,
    ) -> String {
        let mut claims = self.claims(state, grant, person, access_token);
        if let Some(how) = state.misbehaviour {
            self.bend(&mut claims, how, grant);
        }
        let mut payload = Value::Object(claims).to_string();
        if state.misbehaves(Misbehaviour::SubjectTwice) {
            payload = claims::with_subject_twice(&payload);
        }
        self.sign(state, &payload)
    }

    fn sign(&self, state: &State, payload: &str) -> String {
        let algorithm = state.algorithm;
        let own = state.signing_keys();
        let strangers = keys::strangers();
        let (named, signing) = match state.misbehaviour {
            Some(
                Misbehaviour::OwnJkuInHeader
                | Misbehaviour::OwnJwkInHeader
                | Misbehaviour::StrangersIssuer,
            ) => (strangers, strangers),
            Some(Misbehaviour::WrongSignature) => (&*own, strangers),
            _ => (&*own, &*own),
        };
        let mut header = Claims::new();
        let mut say = |name: &str, value: Value| drop(header.insert(name.to_owned(), value));
        say("alg", algorithm.name().into());
        say("kid", named.id(algorithm).into());
        say("typ", "JWT".into());
        match state.misbehaviour {
            Some(Misbehaviour::AlgNone) => say("alg", "none".into()),
            Some(Misbehaviour::Hs256WithPublicKey) => {
                say("alg", "HS256".into());
                say("kid", own.id(Algorithm::Rs256).into());
            }
            Some(Misbehaviour::NoKid) => drop(header.remove("kid")),
            Some(Misbehaviour::OwnJkuInHeader) => {
                say("jku", format!("{}/jwks", self.endpoints().stranger).into());
            }
            Some(Misbehaviour::OwnJwkInHeader) => say("jwk", strangers.jwk(algorithm)),
            Some(Misbehaviour::UnknownCritical) => {
                say("crit", vec!["urn:example:unknown"].into());
                say("urn:example:unknown", true.into());
            }
            Some(Misbehaviour::UnknownKid) => say("kid", self.draw().into()),
            _ => {}
        }
        compact(header, payload, |text| match state.misbehaviour {
            Some(Misbehaviour::AlgNone) => Vec::new(),
            Some(Misbehaviour::Hs256WithPublicKey) => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, own.rsa_pem().as_bytes());
                hmac::sign(&secret, text).as_ref().to_vec()
            }
            _ => signing.sign(algorithm, text),
        })
    }
}

fn compact(header: Claims, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(Value::Object(header).to_string().as_bytes());
    let signed = format!("{header}.{}", encode(payload.as_bytes()));
    let signature = encode(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
