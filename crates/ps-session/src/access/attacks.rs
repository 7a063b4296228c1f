//! Tokens that must not count, each with a good signature where that can be had.

use ps_core::{AccountVersion, RootSecret};
use serde_json::Value;

use super::*;
use crate::FamilyDigest;

const ISSUER: &str = "https://app.example";
const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
const LEEWAY: Duration = Duration::from_secs(5);
const LIFE: Duration = Duration::from_secs(900);

/// Computed apart, by OpenSSL, from the root of the bytes 1 to 32.
const GOLDEN: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6InprZzJvanJBZm5y\
    QkIwckZfLVVtWEctVkZicG5HSTdma2dmMGQ0Mk1KN1kifQ.eyJpc3MiOiJodHRwczovL2FwcC5leGFtcGxlIiwi\
    YXVkIjoiaHR0cHM6Ly9hcHAuZXhhbXBsZSIsInN1YiI6ImFjY291bnQtMSIsInNpZCI6IjAwMDAwMDAwMDAwMDAw\
    MDAwMDAwMDEiLCJqdGkiOiI3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3IiwiaWF0IjoxNzk1MzQxNjAwLCJuYmYiOjE3\
    OTUzNDE2MDAsImV4cCI6MTc5NTM0MjUwMCwiYXV0aF90aW1lIjoxNzk1MzQxMDAwLCJhbXIiOlsib3RwIl19.\
    lDaulu40F-2UU6Fkhkf7fqIgj66PIoUhnMzuytuLqvF1if20wV4_8VPGIKUzIQ9_c5lS2Ehd2AsaH43j9uZ6CQ";

#[derive(Debug)]
struct Sevens;

impl Random for Sevens {
    fn fill(&self, dest: &mut [u8]) {
        dest.fill(7);
    }
}

fn roots<const N: usize>(firsts: [u8; N]) -> RootSecrets {
    let root = |first: u8| RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap();
    RootSecrets::new(firsts.map(root)).unwrap()
}

fn tokens<const N: usize>(firsts: [u8; N]) -> AccessTokens {
    AccessTokens::new(&roots(firsts), ISSUER.to_owned(), LEEWAY)
}

fn session() -> SessionRecord {
    SessionRecord {
        id: "0000000000000000000001".parse().unwrap(),
        account: AccountId::new("account-1").unwrap(),
        version: AccountVersion::default(),
        family: FamilyDigest::from_bytes([0; 32]),
        generation: 0,
        rotation_key: None,
        rotation_key_before: None,
        method: Method::MagicCode,
        authenticated_at: NOW.minus(Duration::from_secs(600)),
        refreshed_at: NOW,
        idle_ends_at: NOW.plus(Duration::from_secs(7 * 86_400)),
        ends_at: NOW.plus(Duration::from_secs(30 * 86_400)),
        ended_at: None,
        network: String::new(),
        user_agent: None,
    }
}

fn issue(tokens: &AccessTokens) -> String {
    let (token, _) = tokens.issue(&session(), LIFE, &Sevens, NOW);
    token.expose().to_owned()
}

/// A token of any header and claims, signed by the key that is in force.
fn sign(tokens: &AccessTokens, header: &str, claims: &str) -> String {
    let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = tokens.keys[0].pair.sign(message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn part(text: &str, number: usize) -> String {
    let part = text.split('.').nth(number).unwrap();
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

// SE1
#[test]
fn the_golden_token_stays_what_it_is() {
    let tokens = tokens([1]);
    assert_eq!(issue(&tokens), GOLDEN);
    let caller = tokens.verify(GOLDEN, NOW).unwrap();
    assert_eq!(caller.account, session().account);
    assert_eq!(caller.session, session().id);
    assert_eq!(caller.authenticated_at, session().authenticated_at);
    assert_eq!(caller.method, Method::MagicCode);
}

// SE1, SE18
#[test]
fn a_token_ends_no_later_than_its_session() {
    let tokens = tokens([1]);
    let soon = NOW.plus(Duration::from_secs(60));
    for session in [
        SessionRecord {
            ends_at: soon,
            ..session()
        },
        SessionRecord {
            idle_ends_at: soon,
            ..session()
        },
    ] {
        let (token, life) = tokens.issue(&session, LIFE, &Sevens, NOW);
        assert_eq!(life, Duration::from_secs(60));
        let end = soon.plus(LEEWAY);
        let last = end.minus(Duration::from_millis(1));
        assert!(tokens.verify(token.expose(), last).is_ok());
        assert_eq!(tokens.verify(token.expose(), end), Err(Refusal::Expired));
    }
    let (_, life) = tokens.issue(&session(), LIFE, &Sevens, NOW);
    assert_eq!(life, LIFE);
}

// SE6: a remembered token is judged by the clock like a new one
#[test]
fn a_remembered_token_dies_in_time() {
    let tokens = tokens([1]);
    let end = NOW.plus(LIFE + LEEWAY);
    assert!(tokens.verify(GOLDEN, NOW).is_ok());
    assert!(tokens.verified.find(GOLDEN).is_some());
    assert_eq!(tokens.verify(GOLDEN, end), Err(Refusal::Expired));
    let early = NOW.minus(LEEWAY + Duration::from_secs(1));
    assert_eq!(tokens.verify(GOLDEN, early), Err(Refusal::TooEarly));
    assert!(tokens.verify_at_any_age(GOLDEN).is_ok());
}

// A token that ends like a remembered one is not that one.
#[test]
fn all_bytes_of_a_remembered_token_count() {
    let tokens = tokens([1]);
    tokens.verify(GOLDEN, NOW).unwrap();
    for at in 0..GOLDEN.len() {
        let mut forged = GOLDEN.as_bytes().to_vec();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(tokens.verify(&forged, NOW).is_err(), "{at}");
    }
}

// SE2, SE4, SE5, SE9: the signature is good in each; the header is not.
#[test]
fn there_is_one_header() {
    let tokens = tokens([1]);
    let claims = part(GOLDEN, 1);
    let header = part(GOLDEN, 0);
    assert_eq!(sign(&tokens, &header, &claims), GOLDEN);
    let jwk = tokens.keys[0].jwk();
    let extra = [
        r#""crit":["exp"]"#.to_owned(),
        r#""crit":[]"#.to_owned(),
        r#""jku":"https://evil.example/jwks""#.to_owned(),
        r#""x5u":"https://evil.example/cert""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        format!(r#""jwk":{jwk}"#),
        r#""zip":"DEF""#.to_owned(),
        r#""b64":false"#.to_owned(),
        r#""cty":"JWT""#.to_owned(),
        r#""alg":"EdDSA""#.to_owned(),
        r#""alg":"none""#.to_owned(),
        r#""\u0061lg":"none""#.to_owned(),
    ];
    let mut headers: Vec<String> = Vec::new();
    for member in extra {
        headers.push(format!("{{{member},{}", &header[1..]));
        headers.push(format!("{},{member}}}", &header[..header.len() - 1]));
    }
    for alg in [
        "none", "nOnE", "None", "eddsa", "EDDSA", "Ed25519", "HS256", "RS256", "ES256", "",
    ] {
        headers.push(header.replace("EdDSA", alg));
    }
    for typ in [
        "JWT",
        "jwt",
        "AT+JWT",
        "application/at+jwt",
        "refresh+jwt",
        "",
    ] {
        headers.push(header.replace("at+jwt", typ));
    }
    let kid = tokens.keys[0].pair.id();
    for other in [
        "",
        "0",
        "../../dev/null",
        "' OR '1'='1",
        &kid.to_lowercase(),
    ] {
        headers.push(header.replace(&kid, other));
    }
    headers.push(header.replace(',', ", "));
    headers.push(format!(" {header}"));
    headers.push(format!(r#"["EdDSA","at+jwt","{kid}"]"#));
    headers.push(r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned());
    headers.push("{}".to_owned());
    headers.push(String::new());
    for header in headers {
        let forged = sign(&tokens, &header, &claims);
        assert_eq!(
            tokens.verify(&forged, NOW),
            Err(Refusal::Unknown),
            "{header}"
        );
    }
}

// SE5: the signature is good in each; what is signed is not written as it should be.
#[test]
fn there_is_one_way_to_write_a_token() {
    let tokens = tokens([1]);
    let parts: Vec<_> = GOLDEN.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    let sign_raw = |claims: &str| {
        let message = format!("{header}.{claims}");
        let signature = tokens.keys[0].pair.sign(message.as_bytes());
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    };
    assert_eq!(sign_raw(claims), GOLDEN);
    let json = part(GOLDEN, 1);
    let twice = BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"admin\",{}", &json[1..]));
    // As many spaces as leave four bits over, which must be zero.
    let spaced = BASE64_URL_SAFE_NO_PAD.encode(format!("{json}{}", &"   "[(json.len() + 2) % 3..]));
    assert!(tokens.verify(&sign_raw(&spaced), NOW).is_ok());
    let mut loose = spaced.into_bytes();
    *loose.last_mut().unwrap() += 1;
    let loose = String::from_utf8(loose).unwrap();
    let malformed = [
        sign_raw(&twice),
        sign_raw(&format!("{claims}=")),
        sign_raw(&format!("{claims}\n")),
        sign_raw(&format!("{claims}+/")),
        sign_raw(&loose),
        sign_raw(""),
        format!("{GOLDEN}="),
        format!("{GOLDEN}A"),
        format!("{GOLDEN} "),
        format!("{header}.{claims}."),
        format!("{header}.{claims}.{}", &signature[..85]),
        format!("{header}.{claims}.{}R", &signature[..85]),
        format!("{header}.{claims}"),
        format!("{GOLDEN}."),
        format!("{GOLDEN}.{signature}"),
        format!("{}.{}", GOLDEN, "A".repeat(4096)),
        String::new(),
        "..".to_owned(),
        ".".repeat(4097),
    ];
    for text in malformed {
        let why = tokens.verify(&text, NOW).unwrap_err();
        let expected = if text == ".." {
            Refusal::Unknown
        } else {
            Refusal::Malformed
        };
        assert_eq!(why, expected, "{text}");
    }
}

// SE5
#[test]
fn a_long_token_is_not_looked_at() {
    let tokens = tokens([1]);
    let spaced = |spaces: usize| {
        let claims = part(GOLDEN, 1) + &" ".repeat(spaces);
        sign(&tokens, &part(GOLDEN, 0), &claims)
    };
    let fits = (0..).map(spaced).take_while(|text| text.len() <= LONGEST);
    let (number, longest) = fits.enumerate().last().unwrap();
    assert!(tokens.verify(&longest, NOW).is_ok());
    assert_eq!(
        tokens.verify(&spaced(number + 1), NOW),
        Err(Refusal::Malformed)
    );
}

// SE2: a signature by anything but the key itself
#[test]
fn there_is_one_key() {
    let (tokens, others) = (tokens([1]), tokens_of_another());
    let (header, claims) = (part(GOLDEN, 0), part(GOLDEN, 1));
    let forged = sign(&others, &header, &claims);
    assert_eq!(tokens.verify(&forged, NOW), Err(Refusal::Wrong));
    assert_eq!(tokens.verify(&issue(&others), NOW), Err(Refusal::Unknown));
    // The public key as an HMAC secret, and no signature at all.
    let public = BASE64_URL_SAFE_NO_PAD
        .decode(tokens.keys[0].pair.x())
        .unwrap();
    let mac = ps_core::MacKey::new(&public.try_into().unwrap());
    let signed = GOLDEN.rsplit_once('.').unwrap().0;
    let tag = mac.tag(&[signed.as_bytes()]);
    for signature in [
        tag.as_bytes().to_vec(),
        [tag.as_bytes().as_slice(); 2].concat(),
        vec![0; 64],
    ] {
        let forged = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        assert!(tokens.verify(&forged, NOW).is_err(), "{forged}");
    }
}

fn tokens_of_another() -> AccessTokens {
    tokens([2])
}

// SE8
#[test]
fn a_token_outlives_the_replacement_of_its_root() {
    let before = issue(&tokens([1]));
    let after = tokens([2, 1]);
    assert!(after.verify(&before, NOW).is_ok());
    assert!(tokens([1, 2]).verify(&issue(&after), NOW).is_ok());
    assert_eq!(tokens([2]).verify(&before, NOW), Err(Refusal::Unknown));
}

// SE8
#[test]
fn every_root_publishes_its_key() {
    let tokens = tokens([2, 1]);
    let jwks: Value = serde_json::from_str(tokens.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    let golden = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": "zkg2ojrAfnrBB0rF_-UmXG-VFbpnGI7fkgf0d42MJ7Y",
        "x": "9i3oim-fIjVHwLHTYnmVlnNqBnUZhSQ1da4GZtgmsUg",
    });
    assert_eq!(keys[1], golden);
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
}

#[test]
fn a_token_does_not_print() {
    let tokens = tokens([1]);
    let (token, _) = tokens.issue(&session(), LIFE, &Sevens, NOW);
    tokens.verify(token.expose(), NOW).unwrap();
    let shown = format!("{token:?} {tokens:?}");
    let signature = token.expose().rsplit_once('.').unwrap().1;
    assert!(
        shown.contains("AccessToken(…)") && !shown.contains(signature),
        "{shown}"
    );
}
