//! The access token: a JWT of one kind, made here and read here.

#[cfg(test)]
mod attacks;

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{
    AccountId, KeyPurpose, Random, Refusal, RootSecrets, SessionId, Timestamp, random_base62,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Method, SessionRecord,
    claims::Claims,
    jws::{SIGNATURE, SigningKey},
    verified::VerifiedTokens,
};

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 4096;

/// What opens the session's endpoints for a few minutes: a JWT (RFC 9068) signed with Ed25519.
///
/// It is a secret. It neither prints, clones nor serialises, and is wiped when dropped.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    /// The token as its client sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Who calls, as a verified access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCaller {
    /// Whose session it is: `sub`.
    pub account: AccountId,
    /// Which session: `sid`.
    pub session: SessionId,
    /// When the person signed in, to the second: `auth_time`.
    pub authenticated_at: Timestamp,
    /// How the person signed in: `amr`.
    pub method: Method,
}

/// Makes and reads access tokens.
#[derive(Debug)]
pub(crate) struct AccessTokens {
    issuer: String,
    /// One of each root, the one that makes first.
    keys: Vec<Key>,
    jwks: String,
    verified: VerifiedTokens,
    leeway: Duration,
}

#[derive(Debug)]
struct Key {
    pair: SigningKey,
    /// The first part of every token that this key signs. There is one header a key, so it is
    /// compared and never parsed: no `alg` is chosen by a token, no `crit` overlooked, no `jku`
    /// fetched, no name read twice.
    header: String,
}

impl AccessTokens {
    pub(crate) fn new(roots: &RootSecrets, issuer: String, leeway: Duration) -> Self {
        let keys: Vec<Key> = roots
            .seeds(KeyPurpose::AccessToken)
            .map(|seed| Key::new(SigningKey::new(&seed)))
            .collect();
        Self {
            issuer,
            jwks: json!({ "keys": keys.iter().map(Key::jwk).collect::<Vec<_>>() }).to_string(),
            keys,
            verified: VerifiedTokens::default(),
            leeway,
        }
    }

    /// The public keys as a JWK set (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> &str {
        &self.jwks
    }

    /// A token for `session`, and how long it lives: `life`, or until the session ends.
    pub(crate) fn issue(
        &self,
        session: &SessionRecord,
        life: Duration,
        random: &dyn Random,
        now: Timestamp,
    ) -> (AccessToken, Duration) {
        let mut jti = [0; 22];
        random_base62(random, &mut jti);
        let jti = std::str::from_utf8(&jti).expect("base62 digits are ASCII");
        let claims = Claims::new(session, life, now);
        let token = self.keys[0].write(&claims.write(&self.issuer, jti));
        (token, claims.life())
    }

    /// What a token says that counts at `now`.
    pub(crate) fn verify(&self, text: &str, now: Timestamp) -> Result<SessionCaller, Refusal> {
        if let Some(claims) = self.verified.find(text) {
            claims.judge_time(self.leeway, now)?;
            return Ok(claims.caller);
        }
        let claims = self.read(text)?;
        claims.judge_time(self.leeway, now)?;
        self.verified.remember(text, claims.clone());
        Ok(claims.caller)
    }

    /// What an authentic token says, however old it is: enough to end its session, and no more.
    pub(crate) fn verify_at_any_age(&self, text: &str) -> Result<SessionCaller, Refusal> {
        self.read(text).map(|claims| claims.caller)
    }

    fn read(&self, text: &str) -> Result<Claims, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::Malformed);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Malformed);
        };
        let key = self.keys.iter().find(|key| key.header == header);
        let key = key.ok_or(Refusal::Unknown)?;
        let signature: [u8; SIGNATURE] = decode(signature)?
            .try_into()
            .map_err(|_| Refusal::Malformed)?;
        let signed = &text[..header.len() + 1 + claims.len()];
        if !key.pair.verifies(signed.as_bytes(), &signature) {
            return Err(Refusal::Wrong);
        }
        Claims::read(&decode(claims)?, &self.issuer).ok_or(Refusal::Malformed)
    }
}

impl Key {
    fn new(pair: SigningKey) -> Self {
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, pair.id());
        Self {
            header: BASE64_URL_SAFE_NO_PAD.encode(header),
            pair,
        }
    }

    fn write(&self, claims: &str) -> AccessToken {
        // Room for all of it, so that no part is left behind in memory when it grows.
        let room = self.header.len() + claims.len() * 4 / 3 + SIGNATURE * 4 / 3 + 6;
        let mut text = Zeroizing::new(String::with_capacity(room));
        text.push_str(&self.header);
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut text);
        let signature = self.pair.sign(text.as_bytes());
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        AccessToken(text)
    }

    fn jwk(&self) -> serde_json::Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.pair.id(),
            "x": self.pair.x(),
        })
    }
}

/// Reads base64url without padding, written in the one canonical way.
fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::Malformed)
}
