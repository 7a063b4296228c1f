//! The front channel: what a browser is sent here with, and is sent back with.

use std::collections::HashMap;

use form_urlencoded::Serializer;

use super::{
    FakeProvider, Misbehaviour, Pkce,
    state::{Client, Grant, Scopes, State},
};

/// Why a browser is shown an error page and not sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FakeError {
    /// The request is not one that this provider takes.
    #[error("the authorization request is not valid: {0}")]
    InvalidRequest(&'static str),
    /// No client is registered under that id.
    #[error("no client is registered under that id")]
    UnknownClient,
    /// Nobody with that subject has an account here.
    #[error("nobody with that subject has an account here")]
    UnknownPerson,
    /// The client is not registered with that redirect URI.
    #[error("the client is not registered with that redirect URI")]
    WrongRedirectUri,
}

/// An authorization request (OpenID Connect Core §3.1.2.1) that has been checked.
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    scopes: Scopes,
}

impl FakeProvider {
    /// The query of a URL, which must be the authorization endpoint's.
    pub(super) fn query_of<'a>(&self, authorize_url: &'a str) -> Result<&'a str, FakeError> {
        let (url, query) = authorize_url.split_once('?').unwrap_or((authorize_url, ""));
        if url != self.endpoints().authorize {
            return Err(FakeError::InvalidRequest("not this provider's endpoint"));
        }
        Ok(query)
    }

    pub(super) fn approve_query(&self, query: &str, subject: &str) -> Result<String, FakeError> {
        let now = self.clock().now();
        // Google's codes have a slash in them, which clients have forgotten to encode.
        let code = format!("4/{}", self.draw());
        let mut state = self.state();
        let asked = check(&state, query)?;
        state.person(subject).ok_or(FakeError::UnknownPerson)?;

        state.purge(now);
        let other_nonce = std::mem::replace(&mut state.latest_nonce, asked.nonce.clone());
        let callback = self.callback(&state, &asked, ("code", &code));
        let grant = Grant {
            client_id: asked.client_id,
            redirect_uri: asked.redirect_uri,
            subject: subject.to_owned(),
            nonce: asked.nonce,
            other_nonce,
            challenge: asked.challenge,
            scopes: asked.scopes,
            at: now,
            access_token: None,
        };
        state.grants.insert(code, grant);
        Ok(callback)
    }

    pub(super) fn deny_query(&self, query: &str) -> Result<String, FakeError> {
        let state = self.state();
        let asked = check(&state, query)?;
        Ok(self.callback(&state, &asked, ("error", state.quirks.denial)))
    }

    /// Whom `login_hint` names, by subject or by address.
    pub(super) fn hinted(&self, query: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, hint) = pairs.find(|(name, _)| name == "login_hint")?;
        let state = self.state();
        let mut people = state.people.iter();
        let person = people
            .find(|person| person.subject == *hint || person.email.as_deref() == Some(&*hint))?;
        Some(person.subject.clone())
    }

    /// RFC 6749 §4.1.2, RFC 9207 §2.
    fn callback(&self, state: &State, asked: &Asked, answer: (&str, &str)) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair(answer.0, answer.1);
        if let Some(text) = &asked.state {
            query.append_pair("state", text);
        }
        match state.misbehaviour {
            Some(Misbehaviour::CallbackWithoutIss) => {}
            Some(Misbehaviour::CallbackWithWrongIss) => {
                query.append_pair("iss", &self.endpoints().stranger);
            }
            _ if state.quirks.callback_issuer => {
                query.append_pair("iss", self.issuer());
            }
            _ => {}
        }
        let uri = &asked.redirect_uri;
        let separator = if uri.contains('?') { '&' } else { '?' };
        format!("{uri}{separator}{}", query.finish())
    }
}

fn check(state: &State, query: &str) -> Result<Asked, FakeError> {
    let mut given = single(query).ok_or(FakeError::InvalidRequest("a parameter comes twice"))?;
    let client_id = given.remove("client_id").unwrap_or_default();
    let redirect_uri = given.remove("redirect_uri").unwrap_or_default();
    let is_client = |client: &&Client| client.id == client_id;
    let mut registered = state.clients.iter().filter(is_client).peekable();
    registered.peek().ok_or(FakeError::UnknownClient)?;
    if !registered.any(|client| client.redirect_uri == redirect_uri) {
        return Err(FakeError::WrongRedirectUri);
    }

    if given.remove("response_type").as_deref() != Some("code") {
        return Err(FakeError::InvalidRequest("response_type is not `code`"));
    }
    let scope = given.remove("scope").unwrap_or_default();
    let has = |name| scope.split(' ').any(|one| one == name);
    if !has("openid") {
        return Err(FakeError::InvalidRequest("scope lacks `openid`"));
    }
    let challenge = check_challenge(
        state.quirks.pkce,
        given.remove("code_challenge"),
        given.remove("code_challenge_method"),
    )?;
    Ok(Asked {
        client_id,
        redirect_uri,
        state: given.remove("state"),
        nonce: given.remove("nonce"),
        challenge,
        scopes: Scopes {
            email: has("email"),
            profile: has("profile"),
        },
    })
}

/// RFC 7636 §4.3, §4.4.1. Without a method, `plain` is meant, which nobody should send.
fn check_challenge(
    pkce: Pkce,
    challenge: Option<String>,
    method: Option<String>,
) -> Result<Option<String>, FakeError> {
    let is_sent = challenge.is_some() || method.is_some();
    match (pkce, challenge, method) {
        (Pkce::Refused, ..) if is_sent => Err(FakeError::InvalidRequest("PKCE is refused here")),
        (Pkce::Required, None, None) => Err(FakeError::InvalidRequest("PKCE is required here")),
        (_, None, None) => Ok(None),
        (_, Some(challenge), Some(method)) if method == "S256" && challenge.len() == 43 => {
            Ok(Some(challenge))
        }
        _ => Err(FakeError::InvalidRequest(
            "the code challenge is not of S256",
        )),
    }
}

/// The parameters of a query or a form; `None` where one comes twice (RFC 6749 §3.1).
pub(super) fn single(text: &str) -> Option<HashMap<String, String>> {
    let mut given = HashMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if given
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            return None;
        }
    }
    Some(given)
}
