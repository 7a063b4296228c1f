//! Claims under a good signature, and yet not as they should be.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{GOOGLE, LINKEDIN, testing::NOW};

const NONCE: &str = "n-0S6_WzA2Mj-n-0S6_WzA2Mj-n-0S6_WzA2Mj-0123";
/// OpenID Connect Core's own example of an access token, and its hash (Appendix A.3).
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

fn google() -> Value {
    json!({
        "iss": "https://accounts.google.com",
        "azp": "me",
        "aud": "me",
        "sub": "110169484474386276334",
        "email": "alice@example.com",
        "email_verified": true,
        "hd": "example.com",
        "nonce": NONCE,
        "at_hash": AT_HASH,
        "iat": NOW,
        "exp": NOW + 3600,
        "name": "Alice",
    })
}

fn linkedin() -> Value {
    json!({
        "iss": "https://www.linkedin.com/oauth",
        "aud": "me",
        "sub": "782bbtaQ",
        "email": "alice@example.com",
        "email_verified": "true",
        "iat": NOW,
        "exp": NOW + 3600,
    })
}

fn expected(provider: &Provider) -> Expected<'_> {
    Expected {
        provider,
        client_id: "me",
        hosted_domain: None,
        nonce: NONCE,
        access_token: ACCESS_TOKEN,
    }
}

fn judge(claims: &str) -> Result<IdToken, InvalidIdToken> {
    judge_at(claims, Timestamp::from_seconds(NOW as i64))
}

fn judge_at(claims: &str, now: Timestamp) -> Result<IdToken, InvalidIdToken> {
    IdToken::read(claims.as_bytes(), &expected(&GOOGLE), now)
}

fn with(name: &str, value: Value) -> String {
    let mut claims = google();
    claims[name] = value;
    claims.to_string()
}

fn without(mut claims: Value, name: &str) -> String {
    claims.as_object_mut().unwrap().remove(name);
    claims.to_string()
}

#[test]
fn good_claims_are_read() {
    let token = judge(&google().to_string()).unwrap();
    assert_eq!(token.subject, "110169484474386276334");
    assert_eq!(token.email.as_deref(), Some("alice@example.com"));
    assert!(token.email_verified);
    assert_eq!(token.hosted_domain.as_deref(), Some("example.com"));
}

// OA4, OA7, OA8, OA10: one claim is wrong in each, and the reason is told.
#[test]
fn every_claim_is_what_was_expected() {
    use InvalidIdToken::{AccessTokenHash, Audience, AuthorizedParty, Issuer, Malformed, Nonce};
    let table = [
        ("iss", json!("https://accounts.google.com/"), Issuer),
        ("iss", json!("https://accounts.google.com.evil"), Issuer),
        ("iss", json!("https://www.linkedin.com/oauth"), Issuer),
        ("iss", json!("HTTPS://accounts.google.com"), Issuer),
        ("iss", json!(""), Issuer),
        ("iss", json!(["https://accounts.google.com"]), Malformed),
        ("aud", json!("you"), Audience),
        ("aud", json!("ME"), Audience),
        ("aud", json!("me "), Audience),
        ("aud", json!(""), Audience),
        ("aud", json!([]), Audience),
        ("aud", json!(["you"]), Audience),
        ("aud", json!(["me", "you"]), Audience),
        ("aud", json!(["you", "me"]), Audience),
        ("aud", json!(["me", 1]), Malformed),
        ("aud", json!(["me", ["me"]]), Malformed),
        ("aud", json!({ "me": true }), Malformed),
        ("azp", json!("you"), AuthorizedParty),
        ("azp", json!(""), AuthorizedParty),
        ("azp", json!(["me"]), Malformed),
        ("sub", json!(""), Malformed),
        ("sub", json!("a".repeat(256)), Malformed),
        ("sub", json!("é"), Malformed),
        ("sub", json!("a\nb"), Malformed),
        ("sub", json!("a\u{0}"), Malformed),
        ("sub", json!("a\u{7f}"), Malformed),
        ("sub", json!(110_169), Malformed),
        ("nonce", json!(NONCE.to_lowercase()), Nonce),
        ("nonce", json!(&NONCE[1..]), Nonce),
        ("nonce", json!(format!("{NONCE} ")), Nonce),
        ("nonce", json!(""), Nonce),
        ("nonce", json!([NONCE]), Malformed),
        ("at_hash", json!(ACCESS_TOKEN), AccessTokenHash),
        ("at_hash", json!(format!("{AT_HASH}==")), AccessTokenHash),
        ("at_hash", json!(&AT_HASH[..21]), AccessTokenHash),
        ("at_hash", json!(""), AccessTokenHash),
        ("at_hash", json!(1), Malformed),
    ];
    for (name, value, why) in table {
        let claims = with(name, value);
        assert_eq!(judge(&claims), Err(why), "{claims}");
    }
}

// OA8
#[test]
fn our_audience_may_be_a_list_of_us() {
    for aud in [json!("me"), json!(["me"]), json!(["me", "me"])] {
        assert!(judge(&with("aud", aud.clone())).is_ok(), "{aud}");
    }
}

#[test]
fn a_subject_is_any_printable_text_of_255_bytes() {
    for sub in [
        "a",
        " ",
        "~",
        "user@example.com",
        "auth0|1",
        &"a".repeat(255),
    ] {
        let token = judge(&with("sub", json!(sub))).unwrap();
        assert_eq!(token.subject, sub);
    }
}

// OA7
#[test]
fn both_forms_of_googles_issuer_are_taken() {
    assert!(judge(&with("iss", json!("accounts.google.com"))).is_ok());
}

// OA10
#[test]
fn what_decides_is_there_once_and_has_its_type() {
    for name in ["iss", "aud", "sub", "exp", "iat"] {
        let claims = without(google(), name);
        assert_eq!(judge(&claims), Err(InvalidIdToken::Malformed), "{claims}");
    }
    for name in ["azp", "at_hash", "nbf", "hd", "email", "email_verified"] {
        assert!(judge(&without(google(), name)).is_ok(), "{name}");
    }
    for name in [
        "iss", "aud", "sub", "exp", "iat", "nbf", "azp", "nonce", "at_hash",
    ] {
        for value in [json!(null), json!(true), json!({}), json!([[]]), json!(1.5)] {
            let claims = with(name, value);
            assert_eq!(judge(&claims), Err(InvalidIdToken::Malformed), "{claims}");
        }
    }
    for name in [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nonce",
        "email",
        "email_verified",
    ] {
        let (text, value) = (google().to_string(), &google()[name]);
        let disguised = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for again in [name, &disguised] {
            let twice = format!("{{\"{again}\":{value},{}", &text[1..]);
            assert_eq!(judge(&twice), Err(InvalidIdToken::Malformed), "{twice}");
        }
    }
}

// OA10
#[test]
fn times_are_whole_seconds_written_as_numbers() {
    for name in ["exp", "iat", "nbf"] {
        for literal in [
            "\"1795341600\"",
            "1795341600.0",
            "1.7953416e9",
            "1795341600.5",
            "-1",
            "9223372036854775808",
            "18446744073709551616",
            "1e400",
            "NaN",
            "Infinity",
            "01795341600",
            "[1795341600]",
        ] {
            let claims = with(name, json!("@")).replace("\"@\"", literal);
            assert_eq!(judge(&claims), Err(InvalidIdToken::Malformed), "{claims}");
        }
    }
}

// OA10
#[test]
fn a_token_is_taken_in_its_time() {
    use InvalidIdToken::{Expired, IssuedAt, NotYetValid};
    let millisecond = Duration::from_millis(1);
    let at = |seconds: u64| Timestamp::from_seconds(seconds as i64);
    let table = [
        ("exp", NOW + 1, at(NOW), Ok(())),
        ("exp", NOW, at(NOW + 60).minus(millisecond), Ok(())),
        ("exp", NOW, at(NOW + 60), Err(Expired)),
        ("exp", 0, at(NOW), Err(Expired)),
        ("exp", i64::MAX as u64, at(NOW), Ok(())),
        ("iat", NOW, at(NOW - 60), Ok(())),
        ("iat", NOW, at(NOW - 60).minus(millisecond), Err(IssuedAt)),
        ("iat", NOW, at(NOW + 600), Ok(())),
        ("iat", NOW, at(NOW + 600).plus(millisecond), Err(IssuedAt)),
        ("iat", 0, at(NOW), Err(IssuedAt)),
        ("iat", i64::MAX as u64, at(NOW), Err(IssuedAt)),
        ("nbf", NOW + 60, at(NOW), Ok(())),
        ("nbf", NOW + 61, at(NOW), Err(NotYetValid)),
        ("nbf", 0, at(NOW), Ok(())),
        ("nbf", i64::MAX as u64, at(NOW), Err(NotYetValid)),
    ];
    for (name, value, now, verdict) in table {
        let judged = judge_at(&with(name, json!(value)), now).map(|_| ());
        assert_eq!(judged, verdict, "{name} {value} at {now:?}");
    }
}

// OA4
#[test]
fn a_nonce_is_echoed_but_by_linkedin_and_never_another() {
    assert_eq!(
        judge(&without(google(), "nonce")),
        Err(InvalidIdToken::Nonce)
    );
    let now = Timestamp::from_seconds(NOW as i64);
    let read =
        |claims: &Value| IdToken::read(claims.to_string().as_bytes(), &expected(&LINKEDIN), now);
    let mut claims = linkedin();
    assert!(read(&claims).unwrap().email_verified);
    claims["nonce"] = json!(NONCE);
    assert!(read(&claims).is_ok());
    for nonce in [json!("another attempt's"), json!("")] {
        claims["nonce"] = nonce;
        assert_eq!(read(&claims), Err(InvalidIdToken::Nonce), "{claims}");
    }
    claims["nonce"] = json!(null);
    assert_eq!(read(&claims), Err(InvalidIdToken::Malformed));
}

// OA20
#[test]
fn a_required_domain_is_the_tokens_own() {
    let now = Timestamp::from_seconds(NOW as i64);
    let google_itself = GOOGLE;
    let read = |claims: &str, required| {
        let expected = Expected {
            hosted_domain: Some(required),
            ..expected(&google_itself)
        };
        IdToken::read(claims.as_bytes(), &expected, now).map(|token| token.hosted_domain)
    };
    let good = Some("example.com".to_owned());
    assert_eq!(read(&google().to_string(), "example.com"), Ok(good.clone()));
    assert_eq!(read(&google().to_string(), "Example.COM"), Ok(good));
    for claims in [
        without(google(), "hd"),
        with("hd", json!("evil.example")),
        with("hd", json!("sub.example.com")),
        with("hd", json!("example.com.evil")),
        with("hd", json!("")),
        with("hd", json!(null)),
        with("hd", json!(["example.com"])),
        with("hd", json!(true)),
    ] {
        let refused = Err(InvalidIdToken::HostedDomain);
        assert_eq!(read(&claims, "example.com"), refused, "{claims}");
    }
    assert_eq!(
        read(&with("hd", json!("")), ""),
        Err(InvalidIdToken::HostedDomain)
    );
}

// OA13
#[test]
fn what_only_tells_something_is_never_an_error() {
    for value in [json!(null), json!(1), json!([]), json!({}), json!(true)] {
        let token = judge(&with("email", value.clone())).unwrap();
        assert_eq!(token.email, None, "{value}");
        assert_eq!(judge(&with("hd", value)).unwrap().hosted_domain, None);
    }
    let table = [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("True"), false),
        (json!("yes"), false),
        (json!(1), false),
        (json!(null), false),
        (json!([true]), false),
    ];
    for (value, verified) in table {
        let token = judge(&with("email_verified", value.clone())).unwrap();
        assert_eq!(token.email_verified, verified, "{value}");
    }
    let silent = judge(&without(google(), "email_verified")).unwrap();
    assert!(!silent.email_verified);
}

#[test]
fn claims_are_one_object() {
    let values: Vec<_> = google().as_object().unwrap().values().cloned().collect();
    for claims in [
        String::new(),
        "null".to_owned(),
        json!(values).to_string(),
        json!([google()]).to_string(),
        format!("{} {{}}", google()),
        google().to_string().replace('"', "'"),
    ] {
        assert_eq!(judge(&claims), Err(InvalidIdToken::Malformed), "{claims}");
    }
}

proptest! {
    // OA4, OA8: whatever else it says, a token of another audience or attempt is not taken.
    #[test]
    fn another_audience_or_nonce_is_never_taken(aud in "\\PC{0,12}", nonce in "\\PC{0,44}") {
        prop_assume!(aud != "me" && nonce != NONCE);
        prop_assert!(judge(&with("aud", json!(aud))).is_err());
        prop_assert!(judge(&with("aud", json!(["me", aud]))).is_err());
        prop_assert!(judge(&with("nonce", json!(nonce))).is_err());
    }

    #[test]
    fn nothing_panics(claims in "\\PC{0,64}", number: i64, name in "(exp|iat|nbf)") {
        let _ = judge(&claims);
        let _ = judge(&with(&name, json!(number)));
    }
}
