//! A client by hand: what it sends, with nothing checked.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{Method, Request, StatusCode, header};
use ps_testkit::{
    TestAmbient,
    openid::{FakeProvider, Person, Quirks},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const CLIENT: &str = "client";
pub(crate) const SECRET: &str = "se cret:&+%";
pub(crate) const REDIRECT: &str = "https://app.example/callback";
pub(crate) const VERIFIER: &str = "a-verifier-of-43-characters-0123456789abcde";
pub(crate) const NONCE: &str = "a nonce";

pub(crate) fn provider(test: &TestAmbient, quirks: Quirks) -> FakeProvider {
    let ambient = test.ambient();
    FakeProvider::new(ISSUER, ambient.clock, ambient.random)
        .with_quirks(quirks)
        .with_client(CLIENT, SECRET, REDIRECT)
        .with_person(Person {
            name: "Ada".to_owned(),
            hosted_domain: Some("example.com".to_owned()),
            ..Person::new("1", "ada@example.com")
        })
        .with_person(Person::new("2", "bob@example.com"))
}

/// Named values that a test changes: of a query or of a form.
pub(crate) type Fields = Vec<(&'static str, String)>;

pub(crate) fn with(mut fields: Fields, name: &'static str, value: &str) -> Fields {
    fields.retain(|(known, _)| *known != name);
    fields.push((name, value.to_owned()));
    fields
}

pub(crate) fn without(mut fields: Fields, name: &str) -> Fields {
    fields.retain(|(known, _)| *known != name);
    fields
}

pub(crate) fn encode(fields: &Fields) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What stands in a good authorization request.
pub(crate) fn asked() -> Fields {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email profile"),
        ("state", "a state & more"),
        ("nonce", NONCE),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// The same without PKCE.
pub(crate) fn asked_plainly() -> Fields {
    without(without(asked(), "code_challenge"), "code_challenge_method")
}

pub(crate) fn url(fields: &Fields) -> String {
    format!("{ISSUER}/authorize?{}", encode(fields))
}

/// What stands in the query of a callback.
pub(crate) fn callback(url: &str) -> HashMap<String, String> {
    let query = url.strip_prefix(&format!("{REDIRECT}?")).unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let found: HashMap<_, _> = pairs.iter().cloned().map(owned).collect();
    assert_eq!(found.len(), pairs.len(), "{url}");
    found
}

fn owned<'a>(pair: (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)) -> (String, String) {
    (pair.0.into_owned(), pair.1.into_owned())
}

/// The code that the person gets who agrees to this.
pub(crate) fn code(provider: &FakeProvider, asked: &Fields, subject: &str) -> String {
    let url = provider.approve(&url(asked), subject).unwrap();
    callback(&url)["code"].clone()
}

/// What stands in a good exchange.
pub(crate) fn form(code: &str) -> Fields {
    [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

pub(crate) fn post(form: &Fields) -> Request<Bytes> {
    Request::post(format!("{ISSUER}/token"))
        .header(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(Bytes::from(encode(form)))
        .unwrap()
}

pub(crate) fn get(url: &str) -> Request<Bytes> {
    request(Method::GET, url)
}

pub(crate) fn request(method: Method, url: &str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(url);
    request.body(Bytes::new()).unwrap()
}

pub(crate) fn ask(provider: &FakeProvider, request: Request<Bytes>) -> (StatusCode, Value) {
    let answer = provider.handle(request);
    let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    (answer.status(), body)
}

pub(crate) fn exchange(provider: &FakeProvider, form: &Fields) -> (StatusCode, Value) {
    ask(provider, post(form))
}

pub(crate) fn refused(error: &str) -> (StatusCode, Value) {
    let status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    (status, serde_json::json!({ "error": error }))
}

/// The tokens of a whole round trip with PKCE.
pub(crate) fn tokens(provider: &FakeProvider, subject: &str) -> Value {
    let (status, answer) = exchange(provider, &form(&code(provider, &asked(), subject)));
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// The same without.
pub(crate) fn plain_tokens(provider: &FakeProvider, subject: &str) -> Value {
    let form = form(&code(provider, &asked_plainly(), subject));
    let (status, answer) = exchange(provider, &without(form, "code_verifier"));
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

/// Header and claims of an ID token, unchecked.
pub(crate) fn decode(token: &str) -> (Map<String, Value>, Map<String, Value>) {
    let mut parts = token.split('.').map(|part| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

pub(crate) fn claims(tokens: &Value) -> Map<String, Value> {
    decode(tokens["id_token"].as_str().unwrap()).1
}

pub(crate) fn userinfo(provider: &FakeProvider, access_token: &str) -> (StatusCode, Value) {
    let mut request = get(&format!("{ISSUER}/userinfo"));
    let bearer = format!("Bearer {access_token}").parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    ask(provider, request)
}

pub(crate) fn jwks(provider: &FakeProvider) -> Value {
    ask(provider, get(&format!("{ISSUER}/jwks"))).1
}
