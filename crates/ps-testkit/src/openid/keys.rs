//! The keys that sign, and their public halves as JWKs.

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What ID tokens are signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, on 2048 bits (RFC 7518 §3.3).
    #[default]
    Rs256,
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// What becomes of the keys that signed until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OldKeys {
    /// They are no longer in the set.
    Leave,
    /// They stay in the set behind the new ones.
    Stay,
}

/// One key for each algorithm.
pub(super) struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

/// The keys of this generation, made when first asked for and shared by every provider in the
/// process: RSA keys are dear, and hundreds of tests want one.
pub(super) fn generation(number: usize) -> Arc<Keys> {
    static MADE: Mutex<Vec<Arc<Keys>>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    while made.len() <= number {
        made.push(Arc::new(Keys::make()));
    }
    Arc::clone(&made[number])
}

/// Keys that are no provider's.
pub(super) fn strangers() -> &'static Keys {
    static MADE: LazyLock<Keys> = LazyLock::new(Keys::make);
    &MADE
}

impl Keys {
    fn make() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("the library makes RSA keys"),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .expect("the library makes P-256 keys"),
        }
    }

    /// The signature as a JWS wants it: for ES256 `r ‖ s`, 32 bytes each.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Es256 => {
                let signature = self.ec.sign(&random, message);
                signature
                    .expect("a P-256 key signs any message")
                    .as_ref()
                    .to_vec()
            }
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("an RSA key signs any message");
                signature
            }
        }
    }

    /// The name of the key: its thumbprint (RFC 7638).
    pub(super) fn id(&self, algorithm: Algorithm) -> String {
        // serde_json sorts the members, as the thumbprint wants them.
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.bare_jwk(algorithm).to_string()))
    }

    /// The public half (RFC 7517).
    pub(super) fn jwk(&self, algorithm: Algorithm) -> Value {
        let mut jwk = self.bare_jwk(algorithm);
        jwk["alg"] = algorithm.name().into();
        jwk["kid"] = self.id(algorithm).into();
        jwk["use"] = "sig".into();
        jwk
    }

    fn bare_jwk(&self, algorithm: Algorithm) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match algorithm {
            Algorithm::Es256 => {
                let (x, y) = self.ec.public_key().as_ref()[1..].split_at(32);
                json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)})
            }
            Algorithm::Rs256 => {
                let public = self.rsa.public_key();
                let n = encode(public.modulus().big_endian_without_leading_zero());
                let e = encode(public.exponent().big_endian_without_leading_zero());
                json!({"e": e, "kty": "RSA", "n": n})
            }
        }
    }

    /// The public half of the RSA key as PEM (RFC 7468 §13).
    pub(super) fn rsa_pem(&self) -> String {
        let der = self.rsa.public_key().as_der();
        let der = der.expect("a key that was made can be written");
        let text = BASE64_STANDARD.encode(der.as_ref());
        let lines: String = text
            .as_bytes()
            .chunks(64)
            .flat_map(|line| line.iter().map(|byte| char::from(*byte)).chain(['\n']))
            .collect();
        format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id(Algorithm::Rs256))
    }
}
