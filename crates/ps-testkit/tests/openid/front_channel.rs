//! What a browser is answered.

use http::{Method, StatusCode, header};
use ps_testkit::{
    TestAmbient,
    openid::{FakeError, Misbehaviour, Quirks},
};

use crate::common::{
    ISSUER, REDIRECT, ask, asked, asked_plainly, callback, encode, get, provider, request, url,
    with, without,
};

#[test]
fn who_agrees_comes_back_with_a_code_the_state_and_the_issuer() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let one = callback(&provider.approve(&url(&asked()), "1").unwrap());
    assert_eq!(one.len(), 3);
    assert_eq!(one["state"], "a state & more");
    assert_eq!(one["iss"], ISSUER);
    assert!(one["code"].len() > 43 && one["code"].contains('/'));
    let other = callback(&provider.approve(&url(&asked()), "1").unwrap());
    assert_ne!(one["code"], other["code"]);
}

#[test]
fn who_declines_comes_back_with_an_error_and_no_code() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let back = callback(&provider.deny(&url(&asked())).unwrap());
    assert_eq!(back.len(), 3);
    assert_eq!(back["error"], "access_denied");
    assert_eq!(back["state"], "a state & more");
    assert_eq!(back["iss"], ISSUER);

    let linkedin = self::provider(&TestAmbient::default(), Quirks::LINKEDIN);
    let back = callback(&linkedin.deny(&url(&asked_plainly())).unwrap());
    assert_eq!(back["error"], "user_cancelled_authorize");
}

#[test]
fn a_redirect_uri_keeps_its_own_query() {
    let own = "https://app.example/callback?provider=fake";
    let provider =
        provider(&TestAmbient::default(), Quirks::NONE).with_client("client", "secret", own);
    let back = provider.approve(&url(&with(asked(), "redirect_uri", own)), "1");
    assert!(back.unwrap().starts_with(&format!("{own}&code=")));
}

#[test]
fn a_request_that_is_not_right_goes_nowhere() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let invalid = FakeError::InvalidRequest;
    let challenge = "code_challenge";
    let method = "code_challenge_method";
    let table = [
        (without(asked(), "client_id"), FakeError::UnknownClient),
        (with(asked(), "client_id", "x"), FakeError::UnknownClient),
        (
            without(asked(), "redirect_uri"),
            FakeError::WrongRedirectUri,
        ),
        (
            with(asked(), "redirect_uri", &format!("{REDIRECT}/")),
            FakeError::WrongRedirectUri,
        ),
        (
            with(asked(), "response_type", "token"),
            invalid("response_type is not `code`"),
        ),
        (
            with(asked(), "scope", "email openidish"),
            invalid("scope lacks `openid`"),
        ),
        (asked_plainly(), invalid("PKCE is required here")),
        (
            with(asked(), method, "plain"),
            invalid("the code challenge is not of S256"),
        ),
        (
            without(asked(), method),
            invalid("the code challenge is not of S256"),
        ),
        (
            without(asked(), challenge),
            invalid("the code challenge is not of S256"),
        ),
        (
            with(asked(), challenge, "short"),
            invalid("the code challenge is not of S256"),
        ),
    ];
    for (fields, error) in table {
        let url = url(&fields);
        assert_eq!(provider.approve(&url, "1"), Err(error), "{url}");
        assert_eq!(provider.deny(&url), Err(error), "{url}");
    }
    let twice = format!("{}&state=2", url(&asked()));
    let twice = provider.approve(&twice, "1");
    assert_eq!(twice, Err(invalid("a parameter comes twice")));
    let elsewhere = url(&asked()).replace("id.example", "id.evil");
    let elsewhere = provider.approve(&elsewhere, "1");
    assert_eq!(elsewhere, Err(invalid("not this provider's endpoint")));
    let stranger = provider.approve(&url(&asked()), "3");
    assert_eq!(stranger, Err(FakeError::UnknownPerson));
}

#[test]
fn pkce_is_taken_as_the_quirks_say() {
    let test = TestAmbient::default();
    let optional = provider(&test, Quirks::GOOGLE);
    assert!(optional.approve(&url(&asked()), "1").is_ok());
    assert!(optional.approve(&url(&asked_plainly()), "1").is_ok());
    let refused = provider(&test, Quirks::LINKEDIN);
    assert!(refused.approve(&url(&asked_plainly()), "1").is_ok());
    assert_eq!(
        refused.approve(&url(&asked()), "1"),
        Err(FakeError::InvalidRequest("PKCE is refused here"))
    );
}

#[test]
fn the_issuer_in_the_callback_is_as_the_quirks_and_the_misbehaviour_say() {
    let test = TestAmbient::default();
    let table = [
        (Quirks::NONE, None, Some(ISSUER)),
        (Quirks::NONE, Some(Misbehaviour::CallbackWithoutIss), None),
        (
            Quirks::NONE,
            Some(Misbehaviour::CallbackWithWrongIss),
            Some("https://id.example/stranger"),
        ),
        (Quirks::GOOGLE, None, None),
        (
            Quirks::GOOGLE,
            Some(Misbehaviour::CallbackWithWrongIss),
            Some("https://id.example/stranger"),
        ),
    ];
    for (quirks, how, issuer) in table {
        let provider = provider(&test, quirks);
        if let Some(how) = how {
            provider.misbehave(how);
        }
        for back in [
            provider.approve(&url(&asked()), "1"),
            provider.deny(&url(&asked())),
        ] {
            let back = callback(&back.unwrap());
            assert_eq!(back.get("iss").map(String::as_str), issuer, "{how:?}");
        }
    }
}

#[test]
fn a_hint_chooses_the_person_and_without_one_there_is_no_page() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    for hint in ["1", "ada@example.com"] {
        let answer = provider.handle(get(&url(&with(asked(), "login_hint", hint))));
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let back = callback(answer.headers()[header::LOCATION].to_str().unwrap());
        assert!(back.contains_key("code"));
    }
    for fields in [
        asked(),
        with(asked(), "login_hint", "nobody"),
        with(with(asked(), "client_id", "x"), "login_hint", "1"),
    ] {
        let (status, _) = ask(&provider, get(&url(&fields)));
        assert_eq!(status, StatusCode::BAD_REQUEST, "{}", encode(&fields));
    }
    let (status, _) = ask(&provider, request(Method::DELETE, &url(&asked())));
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}
