//! Tokens that others made to break verifiers: good and bad, none of them is ours.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::Node;
use ps_core::Requester;
use ps_session::SessionError;
use serde_json::Value;

/// Every text in a vector file that could be handed in as a token.
fn tokens(file: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("tests/vectors/{file}")).unwrap();
    let mut found = Vec::new();
    collect(&serde_json::from_str(&text).unwrap(), &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains('.') || text.starts_with('{') => {
            found.push(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(map) => {
            if map.contains_key("payload") {
                found.push(value.to_string());
            }
            map.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

// SE2, SE4, SE5
#[tokio::test]
async fn no_vector_of_wycheproof_or_rfc_7520_is_taken() {
    let node = Node::new();
    let here = Requester::new([203, 0, 113, 7].into());
    let mut tried = 0;
    for (file, at_least) in [
        ("json_web_signature_test.json", 401),
        ("json_web_key_test.json", 25),
        ("rfc7520/jws_4_1.rsa_v15_signature.json", 1),
        ("rfc7520/jws_4_2.rsa-pss_signature.json", 1),
        ("rfc7520/jws_4_3.ecdsa_signature.json", 1),
        ("rfc7520/jws_4_4.hmac-sha2_integrity_protection.json", 1),
        ("rfc7520/jws_4_5.signature_with_detached_content.json", 1),
        ("rfc7520/jws_4_6.protecting_specific_header_fields.json", 1),
        ("rfc7520/jws_4_7.protecting_content_only.json", 1),
        ("rfc7520/jws_4_8.multiple_signatures.json", 1),
    ] {
        let tokens = tokens(file);
        assert!(tokens.len() >= at_least, "{file}: {}", tokens.len());
        for token in tokens {
            let answer = node.sessions.authenticate(&token, &here).await;
            assert!(
                matches!(answer, Err(SessionError::Denied)),
                "{file}: {token}"
            );
            assert!(
                node.sessions.read_refresh(&token).is_err(),
                "{file}: {token}"
            );
            tried += 1;
        }
    }
    assert!(tried > 430, "{tried}");
}
