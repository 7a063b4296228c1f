//! Each misbehaviour is what its name says, and nothing else is wrong.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::*};
use http::{StatusCode, header};
use ps_core::Clock;
use ps_testkit::{
    TestAmbient,
    openid::{Algorithm, FakeProvider, Misbehaviour, Quirks},
};
use serde_json::{Value, json};

use crate::{
    common::{
        CLIENT, ISSUER, NONCE, ask, asked, claims, code, decode, get, jwks, plain_tokens, provider,
        tokens, userinfo, with,
    },
    verifier::{Expected, faults, is_signed_by},
};

fn id_token(provider: &FakeProvider) -> String {
    let tokens = tokens(provider, "1");
    tokens["id_token"].as_str().unwrap().to_owned()
}

#[test]
fn an_id_token_is_wrong_in_exactly_what_was_asked_for() {
    let table: &[(Misbehaviour, &[&str])] = &[
        (Misbehaviour::AlgNone, &["alg"]),
        (Misbehaviour::EmptySubject, &["sub"]),
        (Misbehaviour::Expired, &["exp"]),
        (Misbehaviour::ExpiryAsText, &["exp"]),
        (Misbehaviour::ExtraAudience, &["aud"]),
        (Misbehaviour::Hs256WithPublicKey, &["alg"]),
        (Misbehaviour::IssuedInFuture, &["iat"]),
        (Misbehaviour::IssuedLongAgo, &["iat"]),
        (Misbehaviour::IssuerWithSlash, &["iss"]),
        (Misbehaviour::LongSubject, &["sub"]),
        (Misbehaviour::MissingAudience, &["aud"]),
        (Misbehaviour::MissingExp, &["exp"]),
        (Misbehaviour::MissingIat, &["iat"]),
        (Misbehaviour::MissingIssuer, &["iss"]),
        (Misbehaviour::MissingNonce, &["nonce"]),
        (Misbehaviour::MissingSubject, &["sub"]),
        (Misbehaviour::NotYetValid, &["nbf"]),
        (Misbehaviour::OtherAttemptsNonce, &["nonce"]),
        (Misbehaviour::OwnJkuInHeader, &["header", "kid"]),
        (Misbehaviour::OwnJwkInHeader, &["header", "kid"]),
        (Misbehaviour::StrangersIssuer, &["kid", "iss"]),
        (Misbehaviour::SubjectTwice, &["twice"]),
        (Misbehaviour::UnknownCritical, &["header"]),
        (Misbehaviour::UnknownKid, &["kid"]),
        (Misbehaviour::WrongAtHash, &["at_hash"]),
        (Misbehaviour::WrongAudience, &["aud"]),
        (Misbehaviour::WrongAzp, &["azp"]),
        (Misbehaviour::WrongIssuer, &["iss"]),
        (Misbehaviour::WrongNonce, &["nonce"]),
        (Misbehaviour::WrongSignature, &["signature"]),
    ];
    let named: Vec<_> = table.iter().map(|(how, _)| *how).collect();
    assert_eq!(named, Misbehaviour::IN_ID_TOKEN);

    let test = TestAmbient::default();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let provider = provider(&test, Quirks::NONE).with_algorithm(algorithm);
        let wrong = || {
            let tokens = tokens(&provider, "1");
            let expected = Expected {
                issuer: ISSUER,
                audience: CLIENT,
                nonce: NONCE,
                access_token: tokens["access_token"].as_str().unwrap(),
                now: test.clock.now().as_seconds(),
            };
            let id_token = tokens["id_token"].as_str().unwrap();
            faults(id_token, &jwks(&provider), &expected)
        };
        for (how, expected) in table {
            // OtherAttemptsNonce needs another attempt.
            code(&provider, &with(asked(), "nonce", "another nonce"), "2");
            provider.misbehave(*how);
            assert_eq!(wrong(), *expected, "{how:?}");
            provider.behave();
            assert_eq!(wrong(), [""; 0], "after {how:?}");
        }
    }
}

#[test]
fn an_expired_token_was_issued_a_short_while_ago() {
    let test = TestAmbient::default();
    let provider = provider(&test, Quirks::NONE);
    let now = test.clock.now().as_seconds();
    let times = |how| {
        provider.misbehave(how);
        let said = claims(&tokens(&provider, "1"));
        ["iat", "exp"].map(|name| said[name].as_i64().unwrap() - now)
    };
    assert_eq!(times(Misbehaviour::Expired), [-540, -360]);
    assert_eq!(times(Misbehaviour::IssuedLongAgo), [-3600, 3600]);
    assert_eq!(times(Misbehaviour::IssuedInFuture), [3600, 7200]);
}

#[test]
fn the_nonce_is_another_attempts_and_not_any() {
    let provider = provider(&TestAmbient::default(), Quirks::LINKEDIN);
    provider.misbehave(Misbehaviour::OtherAttemptsNonce);
    let first = claims(&plain_tokens(&provider, "1"));
    assert_ne!(first["nonce"], NONCE);
    let second = claims(&plain_tokens(&provider, "1"));
    assert_eq!(second["nonce"], NONCE);
    provider.misbehave(Misbehaviour::WrongNonce);
    assert_ne!(claims(&plain_tokens(&provider, "1"))["nonce"], NONCE);
}

/// Who is gullible in just this way would take these: the forgery is complete.
#[test]
fn a_forgery_holds_for_whoever_believes_it() {
    let test = TestAmbient::default();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let provider = provider(&test, Quirks::NONE).with_algorithm(algorithm);
        let forged = |how| {
            provider.misbehave(how);
            let token = id_token(&provider);
            let header = decode(&token).0;
            (token, header)
        };
        let verifies = |token: &str, keys: &Value, kid: &Value| {
            let mut keys = keys["keys"].as_array().unwrap().iter();
            is_signed_by(token, keys.find(|key| key["kid"] == *kid).unwrap())
        };

        let (token, header) = forged(Misbehaviour::OwnJwkInHeader);
        assert!(is_signed_by(&token, &header["jwk"]));

        let (token, header) = forged(Misbehaviour::OwnJkuInHeader);
        let (_, keys) = ask(&provider, get(header["jku"].as_str().unwrap()));
        assert!(verifies(&token, &keys, &header["kid"]));

        let (token, header) = forged(Misbehaviour::StrangersIssuer);
        let issuer = decode(&token).1["iss"].as_str().unwrap().to_owned();
        let url = format!("{issuer}/.well-known/openid-configuration");
        let (_, metadata) = ask(&provider, get(&url));
        assert_eq!(metadata["issuer"], issuer);
        let (_, keys) = ask(&provider, get(metadata["jwks_uri"].as_str().unwrap()));
        assert!(verifies(&token, &keys, &header["kid"]));
        assert_eq!(provider.calls().elsewhere, 3);

        let (token, _) = forged(Misbehaviour::WrongSignature);
        assert!(keys["keys"].as_array().unwrap().iter().any(|key| {
            key["kty"]
                == if algorithm == Algorithm::Es256 {
                    "EC"
                } else {
                    "RSA"
                }
                && is_signed_by(&token, key)
        }));

        let (token, header) = forged(Misbehaviour::AlgNone);
        assert_eq!(header["alg"], "none");
        assert!(token.ends_with('.'));
    }
}

#[test]
fn the_tag_of_hs256_is_keyed_by_the_pem_of_the_public_key() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let rsa = jwks(&provider)["keys"][0].clone();
    provider.misbehave(Misbehaviour::Hs256WithPublicKey);
    let token = id_token(&provider);
    assert_eq!(decode(&token).0["alg"], "HS256");

    // SubjectPublicKeyInfo around the modulus and the exponent 65537 (RFC 5280 §4.1.2.7), by hand.
    let modulus = BASE64_URL_SAFE_NO_PAD
        .decode(rsa["n"].as_str().unwrap())
        .unwrap();
    assert_eq!((rsa["e"].as_str(), modulus.len()), (Some("AQAB"), 256));
    let before = b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\
        \x03\x82\x01\x0f\x00\x30\x82\x01\x0a\x02\x82\x01\x01\x00";
    let der = [before.as_slice(), &modulus, b"\x02\x03\x01\x00\x01"].concat();
    let lines: Vec<String> = BASE64_STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    );
    let (message, tag) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).unwrap();
    hmac::verify(&key, message.as_bytes(), &tag).unwrap();
}

#[test]
fn an_unknown_kid_is_another_one_each_time() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    provider.misbehave(Misbehaviour::UnknownKid);
    let kids: HashSet<String> = (0..3)
        .map(|_| decode(&id_token(&provider)).0["kid"].to_string())
        .collect();
    assert_eq!(kids.len(), 3);
    provider.misbehave(Misbehaviour::NoKid);
    let token = id_token(&provider);
    assert!(!decode(&token).0.contains_key("kid"));
    assert!(is_signed_by(&token, &jwks(&provider)["keys"][0]));
}

#[test]
fn the_token_answer_lacks_or_has_what_it_should_not() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    provider.misbehave(Misbehaviour::MissingIdToken);
    let answer = tokens(&provider, "1");
    assert!(answer.get("id_token").is_none() && answer.get("access_token").is_some());
    provider.misbehave(Misbehaviour::WrongTokenType);
    assert_eq!(tokens(&provider, "1")["token_type"], "mac");
}

#[test]
fn userinfo_is_of_somebody_else() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let tokens = tokens(&provider, "1");
    let access_token = tokens["access_token"].as_str().unwrap();
    provider.misbehave(Misbehaviour::UserinfoOfAnother);
    let (status, said) = userinfo(&provider, access_token);
    assert_eq!(status, StatusCode::OK);
    assert_ne!(said["sub"], "1");
    assert_eq!(said["email"], "ada@example.com");
    assert_eq!(said["email_verified"], true);
}

#[test]
fn metadata_and_keys_are_not_what_they_should_be() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let discovery = format!("{ISSUER}/.well-known/openid-configuration");
    let metadata = || ask(&provider, get(&discovery)).1;
    provider.misbehave(Misbehaviour::WrongDiscoveryIssuer);
    assert_eq!(metadata()["issuer"], "https://id.example/stranger");
    assert_eq!(metadata()["jwks_uri"], "https://id.example/jwks");
    provider.misbehave(Misbehaviour::PlainEndpoints);
    assert_eq!(metadata()["issuer"], ISSUER);
    assert_eq!(metadata()["token_endpoint"], "http://id.example/token");
    assert_eq!(metadata()["jwks_uri"], "http://id.example/jwks");
    provider.misbehave(Misbehaviour::EmptyJwks);
    assert_eq!(jwks(&provider), json!({"keys": []}));
    provider.misbehave(Misbehaviour::JwksFails);
    let (status, _) = ask(&provider, get(&format!("{ISSUER}/jwks")));
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(metadata()["issuer"], ISSUER);
    assert_eq!(tokens(&provider, "1")["token_type"], "Bearer");
}

#[test]
fn the_back_channel_breaks_and_the_front_channel_does_not() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let table = [
        (
            Misbehaviour::NotJson,
            StatusCode::OK,
            "text/html; charset=utf-8",
        ),
        (
            Misbehaviour::ServerError,
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/html; charset=utf-8",
        ),
        (
            Misbehaviour::Redirect,
            StatusCode::TEMPORARY_REDIRECT,
            "text/plain; charset=utf-8",
        ),
        (Misbehaviour::TooLong, StatusCode::OK, "application/json"),
    ];
    for (how, status, kind) in table {
        provider.misbehave(how);
        for path in [
            ".well-known/openid-configuration",
            "jwks",
            "token",
            "userinfo",
        ] {
            let answer = provider.handle(get(&format!("{ISSUER}/{path}")));
            assert_eq!(answer.status(), status, "{how:?} {path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
            let is_json = serde_json::from_slice::<Value>(answer.body()).is_ok();
            assert_eq!(is_json, how == Misbehaviour::TooLong, "{how:?} {path}");
            if how == Misbehaviour::TooLong {
                assert!(answer.body().len() > 5 << 20);
            }
            if how == Misbehaviour::Redirect {
                let place = answer.headers()[header::LOCATION].to_str().unwrap();
                let (status, _) = ask(&provider, get(place));
                assert_eq!(status, StatusCode::NOT_FOUND);
            }
        }
        code(&provider, &asked(), "1");
    }
    assert_eq!(provider.calls().elsewhere, 4);
}
