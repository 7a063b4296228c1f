//! The token endpoint: a code against tokens (RFC 6749 §4.1.3).

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    ClientAuthentication, FakeProvider, Misbehaviour, Pkce,
    answer::json_answer,
    authorize::single,
    state::{Access, CODE_LIFE, Grant, State, TOKEN_LIFE},
};

/// Why there are no tokens (RFC 6749 §5.2).
enum Refused {
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    UnsupportedGrantType,
}

impl FakeProvider {
    pub(super) fn token(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.exchange(request).unwrap_or_else(|refused| {
            let (status, error) = match refused {
                Refused::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
                Refused::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
                Refused::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
                Refused::UnsupportedGrantType => {
                    (StatusCode::BAD_REQUEST, "unsupported_grant_type")
                }
            };
            json_answer(status, &json!({ "error": error }))
        })
    }

    fn exchange(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Refused> {
        let form = form(request)?;
        let field = |name: &str| form.get(name).map(String::as_str);
        let now = self.clock().now();
        let access_token = self.draw();
        let mut state = self.state();

        let client_id = authenticate(&state, request.headers(), field)?;
        match field("grant_type") {
            Some("authorization_code") => {}
            Some(_) => return Err(Refused::UnsupportedGrantType),
            None => return Err(Refused::InvalidRequest),
        }
        let code = field("code").ok_or(Refused::InvalidRequest)?;
        if state.quirks.pkce == Pkce::Refused && field("code_verifier").is_some() {
            // What LinkedIn answers to a verifier.
            return Err(Refused::InvalidClient);
        }

        let grant = state.grants.get(code).ok_or(Refused::InvalidGrant)?.clone();
        if let Some(given) = grant.access_token {
            // Who comes second may be the rightful one: what the first got is worth nothing any more
            // (RFC 6749 §4.1.2).
            state.tokens.remove(&given);
            state.calls.codes_reused += 1;
            return Err(Refused::InvalidGrant);
        }
        let is_alive = now.since(grant.at) < CODE_LIFE;
        let is_bound =
            grant.client_id == client_id && field("redirect_uri") == Some(&grant.redirect_uri);
        if !is_alive || !is_bound || !proves(&grant, field("code_verifier")) {
            return Err(Refused::InvalidGrant);
        }
        let person = state.person(&grant.subject).cloned();
        let person = person.ok_or(Refused::InvalidGrant)?;

        let id_token = self.id_token(&state, &grant, &person, &access_token);
        state.tokens.insert(
            access_token.clone(),
            Access {
                subject: grant.subject,
                scopes: grant.scopes,
                expires_at: now.plus(TOKEN_LIFE),
            },
        );
        if let Some(grant) = state.grants.get_mut(code) {
            grant.access_token = Some(access_token.clone());
        }
        let token_type = match state.misbehaviour {
            Some(Misbehaviour::WrongTokenType) => "mac",
            _ => "Bearer",
        };
        let mut answer = json!({
            "access_token": access_token,
            "expires_in": TOKEN_LIFE.as_secs(),
            "token_type": token_type,
        });
        if !state.misbehaves(Misbehaviour::MissingIdToken) {
            answer["id_token"] = id_token.into();
        }
        Ok(json_answer(StatusCode::OK, &answer))
    }
}

type Form = std::collections::HashMap<String, String>;

fn form(request: &Request<Bytes>) -> Result<Form, Refused> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refused::InvalidRequest);
    }
    let text = std::str::from_utf8(request.body()).map_err(|_| Refused::InvalidRequest)?;
    single(text).ok_or(Refused::InvalidRequest)
}

/// The client that shows to be itself, in one of the ways that this provider takes and no second one.
fn authenticate<'a>(
    state: &State,
    headers: &HeaderMap,
    field: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Refused> {
    let posted = field("client_secret");
    let (way, id, secret) = match (headers.get(header::AUTHORIZATION), posted) {
        (Some(_), Some(_)) => return Err(Refused::InvalidRequest),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| Refused::InvalidClient)?;
            let (id, secret) = basic(text).ok_or(Refused::InvalidClient)?;
            if field("client_id").is_some_and(|named| named != id) {
                return Err(Refused::InvalidRequest);
            }
            (ClientAuthentication::Basic, id, secret)
        }
        (None, Some(secret)) => {
            let id = field("client_id").ok_or(Refused::InvalidRequest)?;
            (ClientAuthentication::Post, id.to_owned(), secret.to_owned())
        }
        (None, None) => return Err(Refused::InvalidClient),
    };
    let mut clients = state.clients.iter();
    let is_known = clients.any(|client| client.id == id && client.secret == secret);
    if !is_known || !state.quirks.client_authentication.contains(&way) {
        return Err(Refused::InvalidClient);
    }
    Ok(id)
}

/// Both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, text) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

fn decode(half: &str) -> Option<String> {
    let form = format!("half={half}");
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    match (pairs.next(), pairs.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

/// RFC 7636 §4.6. A verifier without a challenge shows that somebody took the challenge away
/// (RFC 9700 §4.8).
fn proves(grant: &Grant, verifier: Option<&str>) -> bool {
    match (&grant.challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let is_formed = (43..=128).contains(&verifier.len());
            is_formed && BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge
        }
        _ => false,
    }
}
