//! The provider as an HTTP client.

use std::{error::Error, io, time::Duration};

use futures_util::FutureExt;
use http::StatusCode;
use ps_oauth::{HttpClient, HttpError};
use ps_testkit::{
    TestAmbient,
    openid::{Calls, FakeProvider, Misbehaviour, Quirks},
};

use crate::common::{ISSUER, get, provider};

const ENOUGH: usize = 64 * 1024;

fn send(provider: &FakeProvider, url: &str) -> Option<Result<StatusCode, HttpError>> {
    let sent = provider.send(get(url), ENOUGH).now_or_never()?;
    Some(sent.map(|answer| answer.status()))
}

#[test]
fn requests_arrive_and_are_counted() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let of = |path: &str| {
        send(&provider, &format!("{ISSUER}/{path}"))
            .unwrap()
            .unwrap()
    };
    assert_eq!(of("jwks"), StatusCode::OK);
    assert_eq!(of("jwks"), StatusCode::OK);
    assert_eq!(of(".well-known/openid-configuration"), StatusCode::OK);
    assert_eq!(of("userinfo"), StatusCode::UNAUTHORIZED);
    assert_eq!(of("authorize"), StatusCode::BAD_REQUEST);
    assert_eq!(of("nowhere"), StatusCode::NOT_FOUND);
    let other = send(&provider, "https://other.example/jwks");
    assert_eq!(other.unwrap().unwrap(), StatusCode::NOT_FOUND);
    let Calls {
        discovery,
        jwks,
        token,
        userinfo,
        elsewhere,
        ..
    } = provider.calls();
    assert_eq!(
        [discovery, jwks, token, userinfo, elsewhere],
        [1, 2, 0, 1, 2]
    );
}

#[test]
fn google_and_linkedin_answer_where_they_really_are() {
    let test = TestAmbient::default();
    let table = [
        (
            "https://accounts.google.com",
            Quirks::GOOGLE,
            [
                "https://accounts.google.com/.well-known/openid-configuration",
                "https://www.googleapis.com/oauth2/v3/certs",
            ],
        ),
        (
            "https://www.linkedin.com/oauth",
            Quirks::LINKEDIN,
            [
                "https://www.linkedin.com/oauth/.well-known/openid-configuration",
                "https://www.linkedin.com/oauth/openid/jwks",
            ],
        ),
    ];
    for (issuer, quirks, urls) in table {
        let ambient = test.ambient();
        let provider = FakeProvider::new(issuer, ambient.clock, ambient.random).with_quirks(quirks);
        for url in urls {
            assert_eq!(
                send(&provider, url).unwrap().unwrap(),
                StatusCode::OK,
                "{url}"
            );
        }
    }
}

#[test]
fn an_answer_is_as_late_as_asked_for_and_given_up_after_10_seconds() {
    let test = TestAmbient::default();
    let provider = provider(&test, Quirks::NONE);
    let url = format!("{ISSUER}/jwks");
    let table = [(9_999, true), (10_000, false), (3_600_000, false)];
    for (millis, answers) in table {
        provider.misbehave(Misbehaviour::Slow(Duration::from_millis(millis)));
        let mut sent = provider.send(get(&url), ENOUGH);
        assert!((&mut sent).now_or_never().is_none());
        test.clock
            .advance(Duration::from_millis(millis.min(10_000) - 1));
        assert!((&mut sent).now_or_never().is_none());
        test.clock.advance(Duration::from_millis(1));
        match sent.now_or_never().unwrap() {
            Ok(answer) => assert!(answers && answer.status() == StatusCode::OK),
            Err(error) => assert!(!answers && kind(&error) == io::ErrorKind::TimedOut),
        }
    }
    assert_eq!(provider.calls().jwks, 3);
}

#[test]
fn a_call_breaks_off_or_is_too_long() {
    let provider = provider(&TestAmbient::default(), Quirks::NONE);
    let url = format!("{ISSUER}/jwks");
    provider.misbehave(Misbehaviour::Reset);
    let error = send(&provider, &url).unwrap().unwrap_err();
    assert_eq!(kind(&error), io::ErrorKind::ConnectionReset);
    provider.misbehave(Misbehaviour::TooLong);
    let error = send(&provider, &url).unwrap().unwrap_err();
    assert!(matches!(error, HttpError::TooLong));
    provider.behave();

    let length = provider.handle(get(&url)).body().len();
    let sent = |at_most| provider.send(get(&url), at_most).now_or_never().unwrap();
    assert!(sent(length).is_ok());
    assert!(matches!(sent(length - 1), Err(HttpError::TooLong)));
}

fn kind(error: &HttpError) -> io::ErrorKind {
    let source = error.source().unwrap();
    source.downcast_ref::<io::Error>().unwrap().kind()
}
