//! What the profiles of real providers do otherwise.

use ps_testkit::{TestAmbient, openid::Quirks};
use serde_json::json;

use crate::common::{CLIENT, ISSUER, NONCE, claims, plain_tokens, provider, tokens, userinfo};

#[test]
fn plainly_what_the_standard_asks_for_and_no_more() {
    let said = claims(&tokens(
        &provider(&TestAmbient::default(), Quirks::NONE),
        "1",
    ));
    let names: Vec<&str> = said.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "at_hash",
            "aud",
            "email",
            "email_verified",
            "exp",
            "iat",
            "iss",
            "name",
            "nonce",
            "sub"
        ]
    );
}

#[test]
fn google_names_the_client_and_the_workspace() {
    let test = TestAmbient::default();
    let google = provider(&test, Quirks::GOOGLE);
    let said = claims(&tokens(&google, "1"));
    assert_eq!(said["azp"], CLIENT);
    assert_eq!(said["hd"], "example.com");
    assert_eq!(said["nonce"], NONCE);
    assert_eq!(said["iss"], ISSUER);
    assert!(!claims(&tokens(&google, "2")).contains_key("hd"));

    let without_scheme = Quirks {
        schemeless_issuer: true,
        ..Quirks::GOOGLE
    };
    let said = claims(&tokens(&provider(&test, without_scheme), "1"));
    assert_eq!(said["iss"], "id.example");
}

#[test]
fn linkedin_echoes_no_nonce_and_writes_truth_as_a_text() {
    let linkedin = provider(&TestAmbient::default(), Quirks::LINKEDIN);
    let tokens = plain_tokens(&linkedin, "1");
    let said = claims(&tokens);
    for name in ["nonce", "at_hash", "azp", "hd"] {
        assert!(!said.contains_key(name), "{name}");
    }
    assert_eq!(said["email_verified"], json!("true"));
    let (_, info) = userinfo(&linkedin, tokens["access_token"].as_str().unwrap());
    assert_eq!(info["email_verified"], json!(true));
}
