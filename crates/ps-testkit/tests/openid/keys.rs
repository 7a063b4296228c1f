//! Metadata, keys and signatures.

use http::StatusCode;
use ps_core::Clock;
use ps_testkit::{
    TestAmbient,
    openid::{Algorithm, FakeProvider, OldKeys, Quirks},
};
use serde_json::{Value, json};

use crate::{
    common::{CLIENT, ISSUER, NONCE, ask, decode, get, jwks, provider, tokens},
    verifier::{Expected, faults, is_signed_by},
};

fn metadata(provider: &FakeProvider) -> Value {
    let url = format!("{ISSUER}/.well-known/openid-configuration");
    let (status, metadata) = ask(provider, get(&url));
    assert_eq!(status, StatusCode::OK);
    metadata
}

#[test]
fn the_metadata_says_what_is_so() {
    let test = TestAmbient::default();
    let plain = metadata(&provider(&test, Quirks::NONE));
    assert_eq!(plain["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "userinfo"),
        ("jwks_uri", "jwks"),
    ] {
        assert_eq!(plain[name], format!("{ISSUER}/{path}"));
    }
    let promises_issuer = "authorization_response_iss_parameter_supported";
    let methods = "token_endpoint_auth_methods_supported";
    assert_eq!(plain["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(plain[promises_issuer], true);
    assert_eq!(
        plain[methods],
        json!(["client_secret_basic", "client_secret_post"])
    );

    let linkedin = metadata(&provider(&test, Quirks::LINKEDIN));
    assert_eq!(linkedin.get("code_challenge_methods_supported"), None);
    assert_eq!(linkedin.get(promises_issuer), None);
    assert_eq!(linkedin[methods], json!(["client_secret_post"]));
}

#[test]
fn tokens_verify_under_the_keys_of_the_set() {
    let test = TestAmbient::default();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let provider = provider(&test, Quirks::NONE).with_algorithm(algorithm);
        let tokens = tokens(&provider, "1");
        let id_token = tokens["id_token"].as_str().unwrap();
        let expected = Expected {
            issuer: ISSUER,
            audience: CLIENT,
            nonce: NONCE,
            access_token: tokens["access_token"].as_str().unwrap(),
            now: test.clock.now().as_seconds(),
        };
        let keys = jwks(&provider);
        assert_eq!(faults(id_token, &keys, &expected), [""; 0]);
        let name = match algorithm {
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        };
        assert_eq!(decode(id_token).0["alg"], name);

        // The verifier would notice.
        let (signed, _) = id_token.rsplit_once('.').unwrap();
        let (_, other) = self::tokens(&provider, "2")["id_token"]
            .as_str()
            .map(|other| other.rsplit_once('.').unwrap())
            .map(|(signed, signature)| (signed.to_owned(), signature.to_owned()))
            .unwrap();
        let spliced = format!("{signed}.{other}");
        assert_eq!(faults(&spliced, &keys, &expected), ["signature"]);
    }
}

#[test]
fn the_set_has_public_halves_and_nothing_private() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let keys = jwks(&provider);
    let fields: Vec<Vec<&str>> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            key.as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect()
        })
        .collect();
    assert_eq!(
        fields,
        [
            vec!["alg", "e", "kid", "kty", "n", "use"],
            vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
        ]
    );
    let answer = provider.handle(get(&format!("{ISSUER}/jwks")));
    assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    assert!(!format!("{provider:?}").contains("secret"));
}

#[test]
fn new_keys_sign_and_old_ones_leave_or_stay() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let signed = |provider: &FakeProvider| {
        let tokens = tokens(provider, "1");
        tokens["id_token"].as_str().unwrap().to_owned()
    };
    let verifies = |token: &str, keys: &Value| {
        let mut keys = keys["keys"].as_array().unwrap().iter();
        keys.any(|key| key["kty"] == "RSA" && is_signed_by(token, key))
    };
    let first = signed(&provider);
    let first_keys = jwks(&provider);

    provider.rotate_keys(OldKeys::Stay);
    let second = signed(&provider);
    let second_keys = jwks(&provider);
    assert!(!verifies(&second, &first_keys));
    assert!(verifies(&second, &second_keys) && verifies(&first, &second_keys));
    assert_ne!(decode(&first).0["kid"], decode(&second).0["kid"]);

    provider.rotate_keys(OldKeys::Leave);
    let third = signed(&provider);
    let third_keys = jwks(&provider);
    assert!(verifies(&third, &third_keys));
    assert!(!verifies(&second, &third_keys) && !verifies(&first, &third_keys));
    assert_eq!(third_keys["keys"].as_array().unwrap().len(), 2);
}
