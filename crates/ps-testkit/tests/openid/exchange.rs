//! A code against tokens, and what tokens are good for.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Method, StatusCode, header};
use ps_testkit::{
    TestAmbient,
    openid::{EmailVerified, FakeProvider, Person, Quirks},
};
use serde_json::json;

use crate::common::{
    CLIENT, Fields, ISSUER, REDIRECT, SECRET, ask, asked, asked_plainly, claims, code, encode,
    exchange, form, get, post, provider, refused, request, tokens, userinfo, with, without,
};

#[test]
fn a_code_is_exchanged_once_and_what_it_gave_ends_with_the_second_time() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let form = form(&code(&provider, &asked(), "1"));
    let (status, answer) = exchange(&provider, &form);
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    let access_token = answer["access_token"].as_str().unwrap();
    assert_eq!(userinfo(&provider, access_token).0, StatusCode::OK);

    assert_eq!(provider.calls().codes_reused, 0);
    for times in 1..=2 {
        assert_eq!(exchange(&provider, &form), refused("invalid_grant"));
        assert_eq!(provider.calls().codes_reused, times);
    }
    let (status, _) = userinfo(&provider, access_token);
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(provider.calls().token, 3);
}

#[test]
fn codes_do_not_disturb_one_another() {
    let test = TestAmbient::default();
    let provider = provider(&test, Quirks::NONE);
    let first = form(&code(&provider, &asked(), "1"));
    test.clock.advance(Duration::from_secs(59));
    let second = form(&code(&provider, &asked(), "2"));
    for (form, subject) in [(&first, "1"), (&second, "2")] {
        let (status, tokens) = exchange(&provider, form);
        assert_eq!(status, StatusCode::OK);
        assert_eq!(claims(&tokens)["sub"], subject);
    }
    test.clock.advance(Duration::from_secs(600));
    code(&provider, &asked(), "1");
    assert_eq!(exchange(&provider, &first), refused("invalid_grant"));
    assert_eq!(provider.calls().codes_reused, 1);
}

#[test]
fn a_code_is_good_for_its_own_exchange_only() {
    let test = TestAmbient::default();
    let other = "https://app.example/other";
    let provider = provider(&test, Quirks::NONE)
        .with_client(CLIENT, SECRET, other)
        .with_client("other", "other secret", REDIRECT);
    let code = code(&provider, &asked(), "1");
    let good = form(&code);
    let of_other = with(
        with(good.clone(), "client_id", "other"),
        "client_secret",
        "other secret",
    );
    let wrong_verifier = "z".repeat(43);
    let table = [
        (with(good.clone(), "code", "unknown"), "invalid_grant"),
        (without(good.clone(), "code"), "invalid_request"),
        (of_other, "invalid_grant"),
        (with(good.clone(), "redirect_uri", other), "invalid_grant"),
        (without(good.clone(), "redirect_uri"), "invalid_grant"),
        (
            with(good.clone(), "code_verifier", &wrong_verifier),
            "invalid_grant",
        ),
        (without(good.clone(), "code_verifier"), "invalid_grant"),
        (
            with(good.clone(), "client_secret", "wrong"),
            "invalid_client",
        ),
        (with(good.clone(), "client_id", "unknown"), "invalid_client"),
        (without(good.clone(), "client_secret"), "invalid_client"),
        (
            with(good.clone(), "grant_type", "password"),
            "unsupported_grant_type",
        ),
        (without(good.clone(), "grant_type"), "invalid_request"),
    ];
    for (form, error) in table {
        assert_eq!(exchange(&provider, &form), refused(error), "{form:?}");
    }
    // None of that used the code up.
    assert_eq!(exchange(&provider, &good).0, StatusCode::OK);
}

#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let provider = provider(&TestAmbient::default(), Quirks::GOOGLE);
    let form = form(&code(&provider, &asked_plainly(), "1"));
    assert_eq!(exchange(&provider, &form), refused("invalid_grant"));
    let form = without(form, "code_verifier");
    assert_eq!(exchange(&provider, &form).0, StatusCode::OK);
}

#[test]
fn a_code_lives_60_seconds_and_an_access_token_an_hour() {
    let test = TestAmbient::default();
    let provider = provider(&test, Quirks::NONE);
    let (late, in_time) = (
        form(&code(&provider, &asked(), "1")),
        form(&code(&provider, &asked(), "1")),
    );
    test.clock.advance(Duration::from_millis(59_999));
    let (status, answer) = exchange(&provider, &in_time);
    assert_eq!(status, StatusCode::OK);
    test.clock.advance(Duration::from_millis(1));
    assert_eq!(exchange(&provider, &late), refused("invalid_grant"));

    let access_token = answer["access_token"].as_str().unwrap();
    test.clock.advance(Duration::from_millis(3_599_998));
    assert_eq!(userinfo(&provider, access_token).0, StatusCode::OK);
    test.clock.advance(Duration::from_millis(1));
    let (status, _) = userinfo(&provider, access_token);
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

/// Posts the form with an `Authorization` header.
fn with_header(
    provider: &FakeProvider,
    form: &Fields,
    value: &str,
) -> (StatusCode, serde_json::Value) {
    let mut request = post(form);
    let value = HeaderValue::from_str(value).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, value);
    ask(provider, request)
}

#[test]
fn the_client_authenticates_in_one_of_the_ways_that_the_provider_takes() {
    let basic = |id: &str, secret: &str| {
        let encode = |text: &str| encode(&vec![("", text.to_owned())])[1..].to_owned();
        let joined = format!("{}:{}", encode(id), encode(secret));
        format!("Basic {}", BASE64_STANDARD.encode(joined))
    };
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let posted = form(&code(&provider, &asked(), "1"));
    let bare = without(without(posted.clone(), "client_secret"), "client_id");
    let right = basic(CLIENT, SECRET);
    let other = with(bare.clone(), "client_id", "other");
    let table = [
        (&bare, basic(CLIENT, "wrong"), "invalid_client"),
        (&bare, basic("other", SECRET), "invalid_client"),
        (&bare, right.replace("Basic", "Bearer"), "invalid_client"),
        (&bare, "Basic !".to_owned(), "invalid_client"),
        (&posted, right.clone(), "invalid_request"),
        (&other, right.clone(), "invalid_request"),
    ];
    for (form, value, error) in table {
        assert_eq!(
            with_header(&provider, form, &value),
            refused(error),
            "{value}"
        );
    }
    assert_eq!(with_header(&provider, &bare, &right).0, StatusCode::OK);

    let linkedin = self::provider(&TestAmbient::default(), Quirks::LINKEDIN);
    let posted = without(
        form(&code(&linkedin, &asked_plainly(), "1")),
        "code_verifier",
    );
    let bare = without(posted.clone(), "client_secret");
    assert_eq!(
        with_header(&linkedin, &bare, &right),
        refused("invalid_client")
    );
    let with_verifier = with(posted.clone(), "code_verifier", "any");
    assert_eq!(
        exchange(&linkedin, &with_verifier),
        refused("invalid_client")
    );
    assert_eq!(exchange(&linkedin, &posted).0, StatusCode::OK);
}

#[test]
fn only_a_form_without_repetition_is_read() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let form = form(&code(&provider, &asked(), "1"));
    let mut json = post(&form);
    let kind = HeaderValue::from_static("application/json");
    json.headers_mut().insert(header::CONTENT_TYPE, kind);
    assert_eq!(ask(&provider, json), refused("invalid_request"));

    let mut twice = form.clone();
    twice.push(("code", "other".to_owned()));
    assert_eq!(exchange(&provider, &twice), refused("invalid_request"));

    let (status, _) = ask(&provider, get(&format!("{ISSUER}/token")));
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(exchange(&provider, &form).0, StatusCode::OK);
}

#[test]
fn tokens_are_not_to_be_stored() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let answer = provider.handle(post(&form(&code(&provider, &asked(), "1"))));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
}

#[test]
fn userinfo_wants_an_access_token_and_says_whose_it_is() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let tokens = tokens(&provider, "2");
    let (_, said) = userinfo(&provider, tokens["access_token"].as_str().unwrap());
    let expected = json!({
        "sub": "2",
        "name": "bob@example.com",
        "email": "bob@example.com",
        "email_verified": true,
    });
    assert_eq!(said, expected);

    let answer = provider.handle(request(Method::POST, &format!("{ISSUER}/userinfo")));
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.headers()[header::WWW_AUTHENTICATE],
        r#"Bearer error="invalid_token""#
    );
    let (status, _) = userinfo(&provider, tokens["id_token"].as_str().unwrap());
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[test]
fn what_was_not_asked_for_is_not_said() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let table = [
        ("openid", false, false),
        ("openid email", true, false),
        ("profile openid", false, true),
    ];
    for (scope, email, profile) in table {
        let form = form(&code(&provider, &with(asked(), "scope", scope), "1"));
        let tokens = exchange(&provider, &form).1;
        let (_, info) = userinfo(&provider, tokens["access_token"].as_str().unwrap());
        for said in [claims(&tokens), info.as_object().unwrap().clone()] {
            assert_eq!(said.contains_key("email"), email, "{scope}");
            assert_eq!(said.contains_key("email_verified"), email, "{scope}");
            assert_eq!(said.contains_key("name"), profile, "{scope}");
        }
    }
}

#[test]
fn email_verified_is_written_as_the_person_has_it() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let table = [
        (EmailVerified::True, Some(json!(true))),
        (EmailVerified::TrueText, Some(json!("true"))),
        (EmailVerified::CapitalTrueText, Some(json!("True"))),
        (EmailVerified::YesText, Some(json!("yes"))),
        (EmailVerified::One, Some(json!(1))),
        (EmailVerified::FalseText, Some(json!("false"))),
        (EmailVerified::False, Some(json!(false))),
        (EmailVerified::Null, Some(json!(null))),
        (EmailVerified::Absent, None),
    ];
    for (email_verified, written) in table {
        provider.add_person(Person {
            email_verified,
            ..Person::new("1", "ada@example.org")
        });
        let claims = claims(&tokens(&provider, "1"));
        assert_eq!(claims["email"], "ada@example.org");
        assert_eq!(claims.get("email_verified"), written.as_ref());
    }
    assert_eq!(provider.people().len(), 2);

    provider.add_person(Person {
        email: None,
        ..Person::new("1", "")
    });
    let claims = claims(&tokens(&provider, "1"));
    assert!(!claims.contains_key("email") && !claims.contains_key("email_verified"));
}
