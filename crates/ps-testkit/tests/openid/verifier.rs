//! A verifier of ID tokens that shares nothing with the provider, and says what it dislikes.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) access_token: &'a str,
    pub(crate) now: i64,
}

fn bytes(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Whether the signature is the key's, by the algorithm of the key.
pub(crate) fn is_signed_by(token: &str, jwk: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let field = |name: &str| bytes(jwk[name].as_str().unwrap());
    match jwk["kty"].as_str().unwrap() {
        "EC" => {
            let point = [vec![4], field("x"), field("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message.as_bytes(), &bytes(signature))
                .is_ok()
        }
        "RSA" => {
            let (n, e) = (field("n"), field("e"));
            RsaPublicKeyComponents { n, e }
                .verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message.as_bytes(),
                    &bytes(signature),
                )
                .is_ok()
        }
        other => panic!("a key of type {other}"),
    }
}

/// What is wrong with the token, all of it.
pub(crate) fn faults(token: &str, jwks: &Value, expected: &Expected<'_>) -> Vec<&'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let text = String::from_utf8(bytes(parts[1])).unwrap();
    let header: Map<String, Value> = serde_json::from_slice(&bytes(parts[0])).unwrap();
    let claims: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault| {
        if !holds {
            faults.push(fault);
        }
    };

    must(
        header
            .keys()
            .all(|name| ["alg", "kid", "typ"].contains(&name.as_str())),
        "header",
    );
    let kid = header.get("kid");
    let keys = jwks["keys"].as_array().unwrap();
    match keys.iter().find(|key| key.get("kid") == kid) {
        Some(key) if header["alg"] != key["alg"] => must(false, "alg"),
        Some(key) => must(is_signed_by(token, key), "signature"),
        None => must(false, "kid"),
    }

    must(claims.get("iss") == Some(&expected.issuer.into()), "iss");
    must(claims.get("aud") == Some(&expected.audience.into()), "aud");
    must(
        claims.get("azp").is_none_or(|azp| azp == expected.audience),
        "azp",
    );
    must(claims.get("nonce") == Some(&expected.nonce.into()), "nonce");
    let half = &Sha256::digest(expected.access_token)[..16];
    let at_hash = BASE64_URL_SAFE_NO_PAD.encode(half);
    must(claims.get("at_hash") == Some(&at_hash.into()), "at_hash");
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    must(number("exp").is_some_and(|exp| exp > expected.now), "exp");
    must(
        number("iat").is_some_and(|iat| (expected.now - 600..=expected.now).contains(&iat)),
        "iat",
    );
    must(number("nbf").is_none_or(|nbf| nbf <= expected.now), "nbf");
    let subject = claims
        .get("sub")
        .and_then(Value::as_str)
        .unwrap_or_default();
    must((1..=255).contains(&subject.len()), "sub");
    must(text.matches(r#""sub":"#).count() <= 1, "twice");
    faults
}
