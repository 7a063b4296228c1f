//! Signed tokens (RFC 7515), and the one file that knows which library checks signatures.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod vectors;

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    failure::InvalidIdToken,
    json::{given, is_there, object},
};

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// The signatures that are taken (RFC 7518 §3.1). There is no other: a token that names `none` or a
/// shared secret names nothing that exists here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// `ECDSA` on P-256 with SHA-256.
    Es256,
    /// `RSASSA-PKCS1-v1_5` with SHA-256.
    Rs256,
}

impl Algorithm {
    pub(crate) fn read(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// A token in its parts. Nothing in it counts before [`is_by`](Self::is_by) says so.
pub(crate) struct Signed<'a> {
    pub(crate) algorithm: Algorithm,
    /// Which key is said to have signed it.
    pub(crate) key_id: Option<String>,
    pub(crate) payload: Zeroizing<Vec<u8>>,
    message: &'a str,
    signature: Vec<u8>,
}

/// The part of the header that is read (RFC 7515 §4.1). Keys and places to fetch them from (`jwk`,
/// `jku`, `x5u`, `x5c`) are not: a token does not choose who vouches for it.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "given")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "given")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
    /// RFC 7797.
    #[serde(default, deserialize_with = "is_there")]
    b64: bool,
    #[serde(default, deserialize_with = "is_there")]
    zip: bool,
}

impl<'a> Signed<'a> {
    /// Takes `text` apart: three parts in unpadded base64url, the first a header with nothing in it
    /// that changes how the others are read.
    pub(crate) fn parse(text: &'a str) -> Result<Self, InvalidIdToken> {
        if text.len() > LONGEST {
            return Err(InvalidIdToken::Malformed);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidIdToken::Malformed);
        };
        let header: Header = object(&decode(header)?).ok_or(InvalidIdToken::Malformed)?;
        let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("JWT");
        if header.crit || header.b64 || header.zip || !header.typ.as_ref().is_none_or(is_jwt) {
            return Err(InvalidIdToken::Malformed);
        }
        Ok(Self {
            algorithm: Algorithm::read(&header.alg).ok_or(InvalidIdToken::Algorithm)?,
            key_id: header.kid,
            message: &text[..text.len() - signature.len() - 1],
            payload: Zeroizing::new(decode(payload)?),
            signature: decode(signature)?,
        })
    }

    /// Whether `key` signed it, by the algorithm that both name.
    pub(crate) fn is_by(&self, key: &PublicKey) -> bool {
        key.algorithm == self.algorithm && key.verifies(self.message.as_bytes(), &self.signature)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, InvalidIdToken> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidIdToken::Malformed)
}

/// A public key and the one algorithm that it is for.
///
/// The provider's functions are called by name and not through the process's default, which belongs
/// to the host.
pub(crate) struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl PublicKey {
    /// A point on P-256, if its coordinates are of the right length; whether it is on the curve is
    /// seen when it is used.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::Es256,
            key: DecodingKey::from_ec_der(&[&[4], x, y].concat()),
        })
    }

    /// An RSA key of 2048 to 8192 bits with an odd exponent from 65537 on (FIPS 186-5 §5.4), of 40
    /// bits at most.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let (modulus, exponent) = (significant(modulus), significant(exponent));
        let first = modulus.first()?;
        let bits = modulus.len() * 8 - first.leading_zeros() as usize;
        if !(2048..=8192).contains(&bits) || exponent.len() > 5 {
            return None;
        }
        let e = exponent.iter().fold(0, |e, byte| e << 8 | u64::from(*byte));
        if e < 65537 || e % 2 == 0 {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::Rs256,
            key: DecodingKey::from_rsa_raw_components(modulus, exponent),
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match self.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        };
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// A big-endian number without its leading zeros.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.algorithm)
    }
}
