//! What is said of a person, and of a sign-in.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    FakeProvider, Misbehaviour, Person,
    state::{Grant, Scopes, State, TOKEN_LIFE},
};

const HOUR: i64 = 3_600;
const SOMEBODY_ELSE: &str = "somebody-else";

pub(super) type Claims = Map<String, Value>;

impl FakeProvider {
    /// The ID token's claims (OpenID Connect Core §2) as they should be.
    pub(super) fn claims(
        &self,
        state: &State,
        grant: &Grant,
        person: &Person,
        access_token: &str,
    ) -> Claims {
        let quirks = state.quirks;
        let now = self.clock().now();
        let issuer = match self.issuer().split_once("://") {
            Some((_, rest)) if quirks.schemeless_issuer => rest,
            _ => self.issuer(),
        };
        let mut claims = Claims::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", issuer.into());
        say("sub", person.subject.as_str().into());
        say("aud", grant.client_id.as_str().into());
        say("iat", now.as_seconds().into());
        say("exp", now.plus(TOKEN_LIFE).as_seconds().into());
        if quirks.azp {
            say("azp", grant.client_id.as_str().into());
        }
        if let (true, Some(nonce)) = (quirks.nonce, &grant.nonce) {
            say("nonce", nonce.as_str().into());
        }
        if quirks.at_hash {
            say("at_hash", at_hash(access_token).into());
        }
        if let (true, Some(domain)) = (quirks.hosted_domain, &person.hosted_domain) {
            say("hd", domain.as_str().into());
        }
        let mut said = person.clone();
        if quirks.email_verified_as_text {
            said.email_verified = said.email_verified.as_text();
        }
        describe(&mut claims, &said, grant.scopes);
        claims
    }

    /// Bends the ID token's claims, where the provider misbehaves in them.
    pub(super) fn bend(&self, claims: &mut Claims, how: Misbehaviour, grant: &Grant) {
        let now = self.clock().now().as_seconds();
        let client = grant.client_id.as_str();
        let strange_nonce = || Value::from(self.draw());
        let mut say = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        match how {
            Misbehaviour::EmptySubject => say("sub", "".into()),
            Misbehaviour::Expired => {
                say("iat", (now - 540).into());
                say("exp", (now - 360).into());
            }
            Misbehaviour::ExpiryAsText => say("exp", (now + HOUR).to_string().into()),
            Misbehaviour::ExtraAudience => say("aud", vec![client, SOMEBODY_ELSE].into()),
            Misbehaviour::IssuedInFuture => {
                say("iat", (now + HOUR).into());
                say("exp", (now + 2 * HOUR).into());
            }
            Misbehaviour::IssuedLongAgo => say("iat", (now - HOUR).into()),
            Misbehaviour::IssuerWithSlash => say("iss", format!("{}/", self.issuer()).into()),
            Misbehaviour::LongSubject => say("sub", "s".repeat(256).into()),
            Misbehaviour::MissingAudience => drop(claims.remove("aud")),
            Misbehaviour::MissingExp => drop(claims.remove("exp")),
            Misbehaviour::MissingIat => drop(claims.remove("iat")),
            Misbehaviour::MissingIssuer => drop(claims.remove("iss")),
            Misbehaviour::MissingNonce => drop(claims.remove("nonce")),
            Misbehaviour::MissingSubject => drop(claims.remove("sub")),
            Misbehaviour::NotYetValid => say("nbf", (now + HOUR).into()),
            Misbehaviour::OtherAttemptsNonce => {
                let other = grant.other_nonce.as_deref().map(Value::from);
                say("nonce", other.unwrap_or_else(strange_nonce));
            }
            Misbehaviour::StrangersIssuer => say("iss", self.endpoints().stranger.as_str().into()),
            Misbehaviour::WrongAtHash => say("at_hash", at_hash("another access token").into()),
            Misbehaviour::WrongAudience => say("aud", SOMEBODY_ELSE.into()),
            Misbehaviour::WrongAzp => say("azp", SOMEBODY_ELSE.into()),
            Misbehaviour::WrongIssuer => {
                say("iss", format!("{}.evil.example", self.issuer()).into());
            }
            Misbehaviour::WrongNonce => say("nonce", strange_nonce()),
            _ => {}
        }
    }
}

/// The claims of userinfo (OpenID Connect Core §5.3.2).
pub(super) fn of_person(state: &State, person: &Person, scopes: Scopes) -> Claims {
    let subject = match state.misbehaviour {
        Some(Misbehaviour::UserinfoOfAnother) => SOMEBODY_ELSE,
        _ => &person.subject,
    };
    let mut claims = Claims::new();
    claims.insert("sub".to_owned(), subject.into());
    let mut said = person.clone();
    if state.quirks.email_verified_as_text {
        said.email_verified = said.email_verified.as_bool();
    }
    describe(&mut claims, &said, scopes);
    claims
}

/// The claims as JSON, with somebody else's `sub` in front.
pub(super) fn with_subject_twice(claims: &str) -> String {
    format!(r#"{{"sub":"{SOMEBODY_ELSE}",{}"#, &claims[1..])
}

fn describe(claims: &mut Claims, person: &Person, scopes: Scopes) {
    if scopes.profile {
        claims.insert("name".to_owned(), person.name.as_str().into());
    }
    if let (true, Some(email)) = (scopes.email, &person.email) {
        claims.insert("email".to_owned(), email.as_str().into());
        if let Some(verified) = person.email_verified.to_json() {
            claims.insert("email_verified".to_owned(), verified);
        }
    }
}

/// The left half of the digest (OpenID Connect Core §3.1.3.6); both algorithms have SHA-256.
fn at_hash(access_token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}
