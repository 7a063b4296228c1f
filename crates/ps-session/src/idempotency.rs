//! The name that a client gives one refresh, so that it can ask for a lost answer again.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{InvalidIdempotencyKey, RotationKey};

/// An `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a fresh random value for each
/// refresh, sent again with its repetition.
///
/// Only its digest is kept, here as in a store.
pub struct IdempotencyKey(RotationKey);

impl IdempotencyKey {
    /// Takes the header's value.
    ///
    /// # Errors
    /// [`InvalidIdempotencyKey`] if it is not 8 to 255 characters from `!` to `~`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let valid = (8..=255).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
        valid
            .then(|| Self(RotationKey::from_bytes(Sha256::digest(text).into())))
            .ok_or(InvalidIdempotencyKey)
    }

    pub(crate) fn digest(&self) -> RotationKey {
        self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_8_to_255_visible_characters() {
        for good in ["!~!~!~!~", &"k".repeat(255)] {
            assert!(IdempotencyKey::parse(good).is_ok(), "{good}");
        }
        let long = "k".repeat(256);
        for bad in [
            "",
            "seven77",
            &long,
            "with space",
            "with\ttab",
            "uml\u{e4}ut-key",
            "del\u{7f}delete",
        ] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_does_not_print() {
        let key = IdempotencyKey::parse("visible-or-not").unwrap();
        assert_eq!(format!("{key:?}"), "IdempotencyKey(…)");
    }
}
