//! HMAC-SHA256 under derived keys.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::KeyVersion;

/// One HMAC-SHA256 key (RFC 2104), its inner and outer state prepared.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Prepares a key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// The tag over `parts`, one after the other.
    ///
    /// The caller makes the whole unambiguous: every part but one has a fixed length, or is
    /// preceded by its length.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        Tag(mac.finalize().into_bytes().into())
    }

    /// Whether `tag` is the tag over `parts`, in time that does not depend on where they differ.
    #[must_use]
    pub fn verifies(&self, parts: &[&[u8]], tag: &[u8; 32]) -> bool {
        self.tag(parts).0.ct_eq(tag).into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

/// An HMAC-SHA256 tag: 32 bytes that only the holder of the key can make.
pub struct Tag([u8; 32]);

impl Tag {
    /// The bytes of the tag.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(…)")
    }
}

/// The keys of one purpose, one of each root secret: the first makes, all verify.
#[derive(Clone, Debug)]
pub struct MacKeys(Vec<(KeyVersion, MacKey)>);

impl MacKeys {
    /// `keys` holds at least one: [`RootSecrets`](crate::RootSecrets) sees to it.
    pub(crate) fn new(keys: Vec<(KeyVersion, MacKey)>) -> Self {
        Self(keys)
    }

    /// The key that makes, and its version.
    #[must_use]
    pub fn current(&self) -> (KeyVersion, &MacKey) {
        let (version, key) = &self.0[0];
        (*version, key)
    }

    /// The key of this version, if its root is still in force.
    #[must_use]
    pub fn find(&self, version: KeyVersion) -> Option<&MacKey> {
        self.0
            .iter()
            .find_map(|(known, key)| (*known == version).then_some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.2, its 20-byte key padded with zeros as HMAC itself pads it.
    #[test]
    fn agrees_with_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let tag = MacKey::new(&key).tag(&[b"Hi ", b"There"]);
        assert_eq!(tag.0[..4], [0xb0, 0x34, 0x4c, 0x61]);
        assert_eq!(tag.0[28..], [0x2e, 0x32, 0xcf, 0xf7]);
    }

    #[test]
    fn one_flipped_bit_is_refused() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag(&[b"text"]).0;
        assert!(key.verifies(&[b"text"], &tag));
        for bit in 0..256 {
            let mut forged = tag;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(&[b"text"], &forged), "bit {bit}");
        }
    }
}
