//! Tokens signed by a good key, and yet not as they should be.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    jwks::KeySet,
    testing::{EC, RSA, STRANGER, Signer, base64url, key_set},
};

const HEADER: &str = r#"{"alg":"RS256","kid":"1","typ":"JWT"}"#;

fn keys() -> KeySet {
    KeySet::read(key_set(&[("1", &RSA), ("2", &EC)]).as_bytes()).unwrap()
}

fn verdict(token: &str) -> Result<(), InvalidIdToken> {
    keys().judge(&Signed::parse(token)?)
}

#[test]
fn what_a_published_key_signed_is_taken() {
    for (kid, signer) in [("1", &*RSA), ("2", &*EC)] {
        let token = signer.token(kid, &json!({ "sub": "a" }));
        assert_eq!(verdict(&token), Ok(()));
        assert_eq!(*Signed::parse(&token).unwrap().payload, *br#"{"sub":"a"}"#);
    }
    for header in [
        r#"{"alg":"RS256","kid":"1"}"#,
        r#"{"typ":"jwt","alg":"RS256","kid":"1","x5t":"abc"}"#,
        r#" {"alg":"RS256", "kid":"1", "x5c":["MIIB"], "jku":"https://id.example/jwks"}"#,
    ] {
        assert_eq!(verdict(&RSA.sign(header, "{}")), Ok(()), "{header}");
    }
}

// OA9
#[test]
fn a_key_is_used_by_its_own_algorithm_only() {
    let jwk = RSA.jwk("1");
    let public = BASE64_URL_SAFE_NO_PAD
        .decode(jwk["n"].as_str().unwrap())
        .unwrap();
    let mac = ps_core::MacKey::new(public[..32].try_into().unwrap());
    for alg in [
        "none", "nOnE", "None", "HS256", "HS512", "rs256", "RS384", "RS512", "PS256", "ES384",
        "ES521", "EdDSA", "", "RS256 ",
    ] {
        let header = json!({ "alg": alg, "kid": "1", "typ": "JWT" }).to_string();
        assert_eq!(
            verdict(&RSA.sign(&header, "{}")),
            Err(InvalidIdToken::Algorithm),
            "{alg}"
        );
        let message = format!("{}.{}", base64url(&header), base64url("{}"));
        let tag = base64url(mac.tag(&[message.as_bytes()]).as_bytes());
        for signature in ["", &tag] {
            let forged = format!("{message}.{signature}");
            assert_eq!(verdict(&forged), Err(InvalidIdToken::Algorithm), "{forged}");
        }
    }
    // The right name of the wrong kind of key.
    for (alg, kid) in [("ES256", "1"), ("RS256", "2")] {
        let header = json!({ "alg": alg, "kid": kid }).to_string();
        for signer in [&*RSA, &*EC] {
            let forged = signer.sign(&header, "{}");
            assert_eq!(
                verdict(&forged),
                Err(InvalidIdToken::UnknownKey),
                "{header}"
            );
        }
    }
    let key = PublicKey::rsa(&public, &[1, 0, 1]).unwrap();
    let misnamed = RSA.sign(r#"{"alg":"ES256"}"#, "{}");
    assert!(!Signed::parse(&misnamed).unwrap().is_by(&key));
    let named = RSA.sign(HEADER, "{}");
    assert!(Signed::parse(&named).unwrap().is_by(&key));
}

// OA9
#[test]
fn a_token_does_not_choose_its_key() {
    let own = STRANGER.jwk("1");
    for header in [
        HEADER.to_owned(),
        json!({ "alg": "RS256", "kid": "1", "jwk": own }).to_string(),
        json!({ "alg": "RS256", "jwk": own }).to_string(),
        json!({ "alg": "RS256", "kid": "1", "jku": "https://evil.example/jwks" }).to_string(),
        json!({ "alg": "RS256", "kid": "1", "x5u": "https://evil.example/x" }).to_string(),
    ] {
        assert!(verdict(&STRANGER.sign(&header, "{}")).is_err(), "{header}");
        assert_eq!(verdict(&RSA.sign(&header, "{}")), Ok(()), "{header}");
    }
    for kid in ["", "0", "11", "../1", "1\u{0}", "１"] {
        let header = json!({ "alg": "RS256", "kid": kid }).to_string();
        let verdict = verdict(&RSA.sign(&header, "{}"));
        assert_eq!(verdict, Err(InvalidIdToken::UnknownKey), "{kid:?}");
    }
}

#[test]
fn a_token_that_names_no_key_is_by_any_that_suits() {
    for signer in [&*RSA, &*EC] {
        let header = json!({ "alg": signer.name() }).to_string();
        assert_eq!(verdict(&signer.sign(&header, "{}")), Ok(()));
    }
    let forged = STRANGER.sign(r#"{"alg":"RS256"}"#, "{}");
    assert_eq!(verdict(&forged), Err(InvalidIdToken::UnknownKey));
}

// OA9: the signature is good in each; the header is not.
#[test]
fn a_header_says_what_it_may_and_says_it_once() {
    let mut headers: Vec<String> = [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""b64":null"#,
        r#""zip":"DEF""#,
        r#""alg":"RS256""#,
        r#""alg":"none""#,
        r#""\u0061lg":"none""#,
        r#""kid":"1""#,
        r#""typ":"JWT""#,
    ]
    .iter()
    .flat_map(|member| {
        let before = format!("{{{member},{}", &HEADER[1..]);
        let behind = format!("{},{member}}}", &HEADER[..HEADER.len() - 1]);
        [before, behind]
    })
    .collect();
    for typ in ["at+jwt", "logout+jwt", "JOSE", "", "JWT "] {
        headers.push(HEADER.replace("JWT", typ));
    }
    headers.push(HEADER.replace(r#""JWT""#, "null"));
    headers.push(HEADER.replace(r#""1""#, "null"));
    headers.push(HEADER.replace(r#""1""#, "1"));
    headers.push(HEADER.replace(r#""RS256""#, "null"));
    headers.push(HEADER.replace(r#""RS256""#, r#"["RS256"]"#));
    headers.push(r#"["RS256","1","JWT"]"#.to_owned());
    headers.push(r#"{"kid":"1"}"#.to_owned());
    headers.push(format!("{HEADER}{HEADER}"));
    headers.push("{}".to_owned());
    headers.push("null".to_owned());
    headers.push(String::new());
    for header in headers {
        let verdict = verdict(&RSA.sign(&header, "{}"));
        assert_eq!(verdict, Err(InvalidIdToken::Malformed), "{header}");
    }
}

// OA9: the signature is good in each; what is signed is not written as it should be.
#[test]
fn there_is_one_way_to_write_a_token() {
    let good = RSA.sign(HEADER, "{}");
    assert_eq!(verdict(&good), Ok(()));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let standard = base64::prelude::BASE64_STANDARD.encode(r#"{"a":"???>>>"}"#);
    assert!(standard.contains(['+', '/']), "{standard}");
    for text in [
        RSA.sign_raw(&format!("{header}.{payload}=")),
        RSA.sign_raw(&format!("{header}.{payload}==")),
        RSA.sign_raw(&format!("{header}.{payload}\n")),
        RSA.sign_raw(&format!("{header}.e31")),
        RSA.sign_raw(&format!("{header}.{standard}")),
        RSA.sign_raw(&format!("{header}= .{payload}")),
        RSA.sign_raw(header),
        RSA.sign_raw(&format!("{header}.{payload}.{payload}")),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{header}.{payload}"),
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#),
        "..".to_owned(),
        String::new(),
    ] {
        assert_eq!(verdict(&text), Err(InvalidIdToken::Malformed), "{text}");
    }
    let unsigned = format!("{header}.{payload}.");
    assert_eq!(verdict(&unsigned), Err(InvalidIdToken::Signature));
}

#[test]
fn a_long_token_is_not_looked_at() {
    let spaced = |spaces: usize| RSA.sign(HEADER, &" ".repeat(spaces));
    let room = (LONGEST - spaced(0).len()) / 4 * 3;
    assert_eq!(verdict(&spaced(room)), Ok(()));
    assert_eq!(verdict(&spaced(room + 3)), Err(InvalidIdToken::Malformed));
}

#[test]
fn weak_keys_are_none() {
    let long = |bytes: usize, first: u8| {
        let mut n = vec![0xff; bytes];
        n[0] = first;
        n
    };
    let e = [1, 0, 1];
    assert!(PublicKey::rsa(&long(256, 0x80), &e).is_some());
    assert!(PublicKey::rsa(&[&[0; 3], &long(256, 0x80)[..]].concat(), &[0, 1, 0, 1]).is_some());
    assert!(PublicKey::rsa(&long(1024, 0xff), &e).is_some());
    for (n, e) in [
        (long(256, 0x7f), &e[..]),
        (long(255, 0xff), &e),
        (long(128, 0xff), &e),
        (long(1025, 0x01), &e),
        (vec![0; 512], &e),
        (vec![], &e),
        (long(256, 0x80), &[]),
        (long(256, 0x80), &[0]),
        (long(256, 0x80), &[1]),
        (long(256, 0x80), &[3]),
        (long(256, 0x80), &[1, 0, 0]),
        (long(256, 0x80), &[1, 0, 2]),
        (long(256, 0x80), &[1, 0, 0, 0, 0, 1]),
    ] {
        assert!(PublicKey::rsa(&n, e).is_none(), "{} {e:?}", n.len());
    }
    for (x, y) in [(32, 31), (31, 32), (33, 32), (32, 0), (0, 0)] {
        assert!(PublicKey::p256(&vec![1; x], &vec![1; y]).is_none());
    }
    // Not on the curve: read, and good for nothing.
    let key = PublicKey::p256(&[1; 32], &[1; 32]).unwrap();
    let token = EC.token("2", &json!({}));
    assert!(!Signed::parse(&token).unwrap().is_by(&key));
}

fn changed(token: &str, place: usize, byte: u8) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let place = place % bytes.len();
    bytes[place] = if bytes[place] == byte { byte ^ 1 } else { byte };
    String::from_utf8(bytes).unwrap()
}

fn is_refused_wherever_it_is_changed(signer: &Signer, kid: &str, place: usize, byte: u8) {
    let token = signer.token(kid, &json!({ "sub": "a" }));
    assert_eq!(verdict(&token), Ok(()));
    let forged = changed(&token, place, byte);
    assert!(verdict(&forged).is_err(), "{forged}");
}

proptest! {
    #[test]
    fn a_changed_token_is_not_taken(place: usize, byte in "[A-Za-z0-9_.=-]") {
        let byte = byte.as_bytes()[0];
        is_refused_wherever_it_is_changed(&RSA, "1", place, byte);
        is_refused_wherever_it_is_changed(&EC, "2", place, byte);
    }

    #[test]
    fn nothing_panics(header in "\\PC{0,48}", payload in "\\PC{0,16}", text in "[A-Za-z0-9_.=-]{0,64}") {
        let _ = verdict(&text);
        let _ = verdict(&format!("{}.{}.{text}", base64url(header), base64url(payload)));
    }
}
