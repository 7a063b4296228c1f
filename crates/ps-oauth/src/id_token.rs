//! What an ID token says, judged (OpenID Connect Core §3.1.3.7).

#[cfg(test)]
mod attacks;

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{
    Provider,
    failure::InvalidIdToken,
    json::{given, is_true, object, text},
};

/// How much clocks may differ.
const SKEW: Duration = Duration::from_secs(60);

/// How old a token may be that the provider has just handed out.
const OLDEST: Duration = Duration::from_secs(10 * 60);

/// What a token is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) client_id: &'a str,
    pub(crate) hosted_domain: Option<&'a str>,
    pub(crate) nonce: &'a str,
    /// The access token that came with it.
    pub(crate) access_token: &'a str,
}

/// What a good token says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdToken {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) hosted_domain: Option<String>,
}

impl IdToken {
    /// Reads the claims of a token whose signature has been verified, and checks each.
    pub(crate) fn read(
        json: &[u8],
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Self, InvalidIdToken> {
        let claims: Claims = object(json).ok_or(InvalidIdToken::Malformed)?;
        claims.judge_parties(expected)?;
        claims.judge_time(now)?;
        claims.judge_attempt(expected)?;
        let hosted_domain = claims.hd.filter(|domain| !domain.is_empty());
        if let Some(required) = expected.hosted_domain
            && !hosted_domain
                .as_ref()
                .is_some_and(|domain| domain.eq_ignore_ascii_case(required))
        {
            return Err(InvalidIdToken::HostedDomain);
        }
        Ok(Self {
            subject: claims.sub,
            email: claims.email,
            email_verified: claims.email_verified,
            hosted_domain,
        })
    }
}

/// The claims that are read. Those that decide have their type or are refused; those that only tell
/// something are nothing where they have not.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    iat: u64,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    azp: Option<String>,
    #[serde(default, deserialize_with = "given")]
    nonce: Option<String>,
    #[serde(default, deserialize_with = "given")]
    at_hash: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "is_true")]
    email_verified: bool,
    #[serde(default, deserialize_with = "text")]
    hd: Option<String>,
}

impl Claims {
    /// By the provider, about somebody, for us and nobody else.
    fn judge_parties(&self, expected: &Expected<'_>) -> Result<(), InvalidIdToken> {
        if !expected.provider.issues_as(&self.iss) {
            return Err(InvalidIdToken::Issuer);
        }
        if !is_subject(&self.sub) {
            return Err(InvalidIdToken::Malformed);
        }
        let Audience(audience) = &self.aud;
        if audience.is_empty() || audience.iter().any(|one| one != expected.client_id) {
            return Err(InvalidIdToken::Audience);
        }
        match &self.azp {
            Some(azp) if azp != expected.client_id => Err(InvalidIdToken::AuthorizedParty),
            _ => Ok(()),
        }
    }

    fn judge_time(&self, now: Timestamp) -> Result<(), InvalidIdToken> {
        let latest = now.plus(SKEW);
        let (issued, expires) = (moment(self.iat)?, moment(self.exp)?);
        if now >= expires.plus(SKEW) {
            return Err(InvalidIdToken::Expired);
        }
        if issued > latest || now.since(issued) > OLDEST {
            return Err(InvalidIdToken::IssuedAt);
        }
        match self.nbf.map(moment).transpose()? {
            Some(begins) if begins > latest => Err(InvalidIdToken::NotYetValid),
            _ => Ok(()),
        }
    }

    /// Of this attempt, and made with this access token.
    fn judge_attempt(&self, expected: &Expected<'_>) -> Result<(), InvalidIdToken> {
        let nonce_is_good = match &self.nonce {
            Some(nonce) => nonce.as_bytes().ct_eq(expected.nonce.as_bytes()).into(),
            None => !expected.provider.quirks.echoes_nonce,
        };
        if !nonce_is_good {
            return Err(InvalidIdToken::Nonce);
        }
        match &self.at_hash {
            Some(hash) if *hash != at_hash(expected.access_token) => {
                Err(InvalidIdToken::AccessTokenHash)
            }
            _ => Ok(()),
        }
    }
}

/// `sub`: 1 to 255 ASCII characters (§2), none of control, which no store would keep as it is.
pub(crate) fn is_subject(sub: &str) -> bool {
    (1..=255).contains(&sub.len()) && sub.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The left half of the SHA-256 that RS256 and ES256 are made with (§3.1.3.6).
fn at_hash(access_token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}

fn moment(seconds: u64) -> Result<Timestamp, InvalidIdToken> {
    i64::try_from(seconds)
        .map(Timestamp::from_seconds)
        .map_err(|_| InvalidIdToken::Malformed)
}

/// `aud`: one, or a list (RFC 7519 §4.1.3).
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an audience or a list of them")
            }

            fn visit_str<E>(self, one: &str) -> Result<Audience, E> {
                Ok(Audience(vec![one.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut many: A) -> Result<Audience, A::Error> {
                let mut audience = Vec::new();
                while let Some(one) = many.next_element()? {
                    audience.push(one);
                }
                Ok(Audience(audience))
            }
        }

        from.deserialize_any(OneOrMany)
    }
}
