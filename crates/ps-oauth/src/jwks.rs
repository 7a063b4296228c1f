//! A provider's public keys (RFC 7517).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    failure::{InvalidIdToken, Outage},
    json::{given, object},
    jws::{Algorithm, PublicKey, Signed},
};

/// How long keys are used before they are asked for again.
pub(crate) const FRESH: Duration = Duration::from_secs(60 * 60);

/// How long they are used while the provider does not answer.
pub(crate) const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest set that is read, in bytes.
pub(crate) const LONGEST: usize = 256 * 1024;

/// The largest set.
const MOST: usize = 50;

/// The keys of a set that can be used; at least one.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<(Option<String>, PublicKey)>);

impl KeySet {
    /// Reads a set. What it holds for other uses, or by other algorithms, is passed over.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Outage> {
        let set: Set = object(json).ok_or(Outage::Rubbish("no key set"))?;
        if set.keys.len() > MOST {
            return Err(Outage::Rubbish("too many keys"));
        }
        let keys: Vec<_> = set.keys.into_iter().filter_map(Jwk::read).collect();
        if keys.is_empty() {
            return Err(Outage::Rubbish("a key set without a key to use"));
        }
        Ok(Self(keys))
    }

    /// Whether one of these keys signed the token: the one that it names or, where it names none,
    /// any.
    pub(crate) fn judge(&self, token: &Signed<'_>) -> Result<(), InvalidIdToken> {
        let suits = |id: &Option<String>, key: &PublicKey| {
            key.algorithm() == token.algorithm && (token.key_id.is_none() || *id == token.key_id)
        };
        let mut why = InvalidIdToken::UnknownKey;
        for (_, key) in self.0.iter().filter(|(id, key)| suits(id, key)) {
            if token.is_by(key) {
                return Ok(());
            }
            if token.key_id.is_some() {
                why = InvalidIdToken::Signature;
            }
        }
        Err(why)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// A public key as it is written (RFC 7517 §4, RFC 7518 §6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default, deserialize_with = "given")]
    kid: Option<String>,
    #[serde(default, rename = "use", deserialize_with = "given")]
    usage: Option<String>,
    #[serde(default, deserialize_with = "given")]
    key_ops: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "given")]
    crv: Option<String>,
    #[serde(default, deserialize_with = "given")]
    x: Option<String>,
    #[serde(default, deserialize_with = "given")]
    y: Option<String>,
    #[serde(default, deserialize_with = "given")]
    n: Option<String>,
    #[serde(default, deserialize_with = "given")]
    e: Option<String>,
}

impl Jwk {
    fn read(value: Value) -> Option<(Option<String>, PublicKey)> {
        let jwk = value.is_object().then(|| Self::deserialize(value))?.ok()?;
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        if jwk.usage.as_ref().is_some_and(|usage| usage != "sig")
            || !jwk.key_ops.as_ref().is_none_or(verifies)
        {
            return None;
        }
        let key = jwk.key()?;
        let said = jwk.alg.as_deref().map(Algorithm::read);
        if said.is_some_and(|said| said != Some(key.algorithm())) {
            return None;
        }
        Some((jwk.kid, key))
    }

    fn key(&self) -> Option<PublicKey> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::rsa(&number(&self.n)?, &number(&self.e)?),
            ("EC", Some("P-256")) => PublicKey::p256(&number(&self.x)?, &number(&self.y)?),
            _ => None,
        }
    }
}

fn number(text: &Option<String>) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_ref()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{EC, RSA, Signer, key_set};

    fn read(keys: &Value) -> Option<KeySet> {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).ok()
    }

    fn is_good(keys: &KeySet, signer: &Signer) -> bool {
        let token = signer.token("1", &json!({}));
        keys.judge(&Signed::parse(&token).unwrap()).is_ok()
    }

    /// The RSA key, one member of it changed.
    fn with(name: &str, value: Value) -> Value {
        let mut jwk = RSA.jwk("1");
        jwk[name] = value;
        jwk
    }

    #[test]
    fn what_a_key_does_not_say_is_not_asked_for() {
        for name in ["alg", "use"] {
            let mut jwk = RSA.jwk("1");
            jwk.as_object_mut().unwrap().remove(name);
            assert!(is_good(&read(&json!([jwk])).unwrap(), &RSA), "{name}");
        }
        let operations = with("key_ops", json!(["sign", "verify"]));
        assert!(is_good(&read(&json!([operations])).unwrap(), &RSA));
        let more = with("x5c", json!(["MIIB"]));
        assert!(is_good(&read(&json!([more])).unwrap(), &RSA));
    }

    // OA9
    #[test]
    fn a_key_for_anything_else_is_no_key() {
        for jwk in [
            with("alg", json!("RS512")),
            with("alg", json!("HS256")),
            with("alg", json!("ES256")),
            with("alg", json!("none")),
            with("alg", json!(null)),
            with("use", json!("enc")),
            with("use", json!("SIG")),
            with("key_ops", json!(["encrypt"])),
            with("key_ops", json!([])),
            with("kty", json!("oct")),
            with("kty", json!("EC")),
            with("kid", json!(1)),
            with("n", json!("AQAB")),
            with("n", json!("not base64url!")),
            with("e", json!("Aw")),
            with("e", json!(65537)),
            json!({ "kty": "oct", "kid": "1", "k": "c2VjcmV0" }),
            json!(["RSA", "1"]),
            json!(null),
        ] {
            assert!(read(&json!([jwk])).is_none(), "{jwk}");
            let beside = read(&json!([jwk, RSA.jwk("1")])).unwrap();
            assert!(is_good(&beside, &RSA), "{jwk}");
        }
        let mut other_curve = EC.jwk("1");
        other_curve["crv"] = json!("P-384");
        assert!(read(&json!([other_curve])).is_none());
    }

    // OA11
    #[test]
    fn a_set_is_small_and_has_a_key_to_use() {
        assert!(read(&json!(vec![RSA.jwk("1"); 50])).is_some());
        assert!(read(&json!(vec![RSA.jwk("1"); 51])).is_none());
        for rubbish in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":{}}"#, "<html>"] {
            assert!(KeySet::read(rubbish.as_bytes()).is_err(), "{rubbish}");
        }
    }

    #[test]
    fn keys_of_one_name_are_all_tried() {
        let keys = KeySet::read(key_set(&[("1", &EC), ("1", &RSA)]).as_bytes()).unwrap();
        assert!(is_good(&keys, &RSA) && is_good(&keys, &EC));
    }
}
