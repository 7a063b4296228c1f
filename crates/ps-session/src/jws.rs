//! Ed25519 signatures: the one file that knows which library makes them.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER, jwk::EllipticCurve,
};
use ps_core::Seed;
use sha2::{Digest, Sha256};

/// What precedes the seed in the PKCS#8 form of an Ed25519 private key (RFC 8410 §7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// How long a signature is, in bytes.
pub(crate) const SIGNATURE: usize = 64;

/// One Ed25519 key pair (RFC 8032), derived from a seed.
///
/// The provider's functions are called by name and not through the process's default, which belongs
/// to the host: whichever it installs, and whichever features its tree enables, nothing changes here.
pub(crate) struct SigningKey {
    private: EncodingKey,
    public: DecodingKey,
    x: String,
}

impl SigningKey {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self::from_bytes(seed.danger_bytes())
    }

    fn from_bytes(seed: &[u8; 32]) -> Self {
        let mut der = zeroize::Zeroizing::new([0; 48]);
        der[..16].copy_from_slice(&PKCS8);
        der[16..].copy_from_slice(seed);
        let derive = DEFAULT_PROVIDER
            .key_utils
            .ed_pub_components_from_private_key;
        let public = derive(&*der, &EllipticCurve::Ed25519).expect("any 32 bytes are a seed");
        Self {
            private: EncodingKey::from_ed_der(&*der),
            public: DecodingKey::from_ed_der(&public),
            x: BASE64_URL_SAFE_NO_PAD.encode(public),
        }
    }

    /// Its name: the thumbprint of the public key (RFC 7638, RFC 8037 §2).
    pub(crate) fn id(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x);
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// The public key in base64url: `x` of its JWK (RFC 8037 §2).
    pub(crate) fn x(&self) -> &str {
        &self.x
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::EdDSA, &self.private)
            .expect("the key was read before");
        signer.sign(message)
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::EdDSA, &self.public)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.1 to A.4.
    fn rfc_8037() -> SigningKey {
        let seed = BASE64_URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        SigningKey::from_bytes(&seed.try_into().unwrap())
    }

    #[test]
    fn agrees_with_rfc_8037() {
        let key = rfc_8037();
        assert_eq!(key.x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = key.sign(message);
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(&signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        assert!(key.verifies(message, &signature.try_into().unwrap()));
    }

    #[test]
    fn one_flipped_bit_is_refused() {
        let key = rfc_8037();
        let signature: [u8; SIGNATURE] = key.sign(b"message").try_into().unwrap();
        for bit in 0..SIGNATURE * 8 {
            let mut forged = signature;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(b"message", &forged), "bit {bit}");
        }
        assert!(!key.verifies(b"massage", &signature));
    }

    #[test]
    fn the_private_key_does_not_print() {
        assert_eq!(
            format!("{:?}", rfc_8037()),
            "SigningKey(kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k)"
        );
    }
}
