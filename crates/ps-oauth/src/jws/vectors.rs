//! Tokens that others made to break verifiers.

use std::fs;

use serde_json::{Value, json};

use super::Signed;
use crate::jwks::KeySet;

/// A token is good exactly if Wycheproof says so and both the key and the token are of an algorithm
/// that is used here.
fn is_good(test: &Value, public: &Value) -> bool {
    let algorithm = public["alg"].as_str();
    test["result"] == "valid" && matches!(algorithm, Some("ES256" | "RS256"))
}

// OA9
#[test]
fn wycheproof_and_rfc_7520_are_judged_as_they_should_be() {
    let text = fs::read("tests/vectors/json_web_signature_test.json").unwrap();
    let vectors: Value = serde_json::from_slice(&text).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let public = &group["public"];
        let keys = json!({ "keys": [public] }).to_string();
        let keys = KeySet::read(keys.as_bytes());
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"]
                .as_str()
                .map_or_else(|| test["jws"].to_string(), str::to_owned);
            let verdict = Signed::parse(&token)
                .is_ok_and(|token| keys.as_ref().is_ok_and(|keys| keys.judge(&token).is_ok()));
            assert_eq!(
                verdict,
                is_good(test, public),
                "{} {token}",
                test["comment"]
            );
            if verdict {
                taken += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!((taken, taken + refused), (10, 401));
}
