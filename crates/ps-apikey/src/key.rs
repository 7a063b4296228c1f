//! The text of a key.

use std::fmt;

use ps_core::{KeyDigest, Random, random_base62};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const SECRET: usize = 32;
const CHECKSUM: usize = 6;

/// Why a text cannot be the prefix of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key prefix must be 2 to 16 characters of a-z, 0-9 and '_', and end with '_'")]
pub struct InvalidPrefix;

/// What every key begins with, so that people and secret scanners know one when they see it.
///
/// 2 to 16 characters of `a-z`, `0-9` and `_`, the last one `_`. The default is `ps_`. With any
/// prefix a key is at most 54 bytes and so a single block of SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(Box<str>);

impl KeyPrefix {
    /// Takes a prefix such as `ps_live_`.
    ///
    /// # Errors
    /// [`InvalidPrefix`] for whatever the type's documentation refuses.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidPrefix> {
        let text = text.into();
        let known = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let valid =
            (2..=16).contains(&text.len()) && text.ends_with('_') && text.bytes().all(known);
        valid.then_some(Self(text)).ok_or(InvalidPrefix)
    }

    /// The prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Draws a new key: the prefix, 32 base62 digits (190 random bits), and 6 base62 digits of the
    /// CRC-32 of what stands before them.
    #[must_use]
    pub fn issue(&self, random: &dyn Random) -> ApiKey {
        let mut text = Zeroizing::new(Vec::with_capacity(self.0.len() + SECRET + CHECKSUM));
        text.extend_from_slice(self.0.as_bytes());
        text.resize(self.0.len() + SECRET, 0);
        random_base62(random, &mut text[self.0.len()..]);
        let checksum = checksum(&text);
        text.extend_from_slice(&checksum);
        ApiKey(text)
    }

    /// The digest of `text` if it has the form of a key of this prefix, checksum included.
    ///
    /// What does not is refused here, before any hash is made or store asked.
    #[must_use]
    pub fn digest(&self, text: &str) -> Option<KeyDigest> {
        let bytes = text.as_bytes();
        let body = bytes.strip_prefix(self.0.as_bytes())?;
        let body: &[u8; SECRET + CHECKSUM] = body.try_into().ok()?;
        // Without a way out in the middle it is done for many bytes at once.
        let alphanumeric = body
            .iter()
            .fold(true, |all, byte| all & byte.is_ascii_alphanumeric());
        if !alphanumeric {
            return None;
        }
        let (covered, check) = bytes.split_at(bytes.len() - CHECKSUM);
        (checksum(covered) == *check).then(|| digest(bytes))
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("ps_".into())
    }
}

/// A key in the clear: made once, shown once.
///
/// It does not print, clone or serialise, and is wiped when dropped; [`expose`](Self::expose) is
/// the one way to its text.
///
/// ```compile_fail
/// # fn shown(key: ps_apikey::ApiKey) -> String {
/// key.to_string()
/// # }
/// ```
/// ```compile_fail
/// # fn kept(key: &ps_apikey::ApiKey) -> ps_apikey::ApiKey {
/// key.clone()
/// # }
/// ```
pub struct ApiKey(Zeroizing<Vec<u8>>);

impl ApiKey {
    /// The text, to be shown to its owner and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a key is ASCII")
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        digest(&self.0)
    }

    /// What its owner recognises it by in a list: the prefix, `…`, and the last four characters,
    /// which belong to the checksum and give away nothing of the secret part but 24 bits of its CRC.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = self.expose();
        let prefix = &text[..text.len() - SECRET - CHECKSUM];
        format!("{prefix}…{}", &text[text.len() - 4..])
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

fn digest(bytes: &[u8]) -> KeyDigest {
    KeyDigest::from_bytes(Sha256::digest(bytes).into())
}

/// CRC-32 (IEEE 802.3) in six base62 digits, the most significant first.
fn checksum(covered: &[u8]) -> [u8; CHECKSUM] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(covered);
    let mut text = [0; CHECKSUM];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use ps_core::SystemRandom;

    use super::*;

    /// Computed by hand from the definition, so that a change of format cannot go unnoticed.
    const GOLDEN: &str = "ps_0123456789ABCDEFGHIJKLMNOPQRSTUV";

    // AK1
    #[test]
    fn keys_have_the_form_and_none_comes_twice() {
        let prefix = KeyPrefix::default();
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let key = prefix.issue(&SystemRandom);
            let text = key.expose();
            assert_eq!(text.len(), 41);
            assert!(text.starts_with("ps_"));
            assert!(text[3..].bytes().all(|b| b.is_ascii_alphanumeric()));
            assert_eq!(prefix.digest(text), Some(key.digest()));
            assert!(seen.insert(text.to_owned()));
        }
    }

    #[test]
    fn the_checksum_is_the_crc_32_of_what_stands_before() {
        let crc = crc32fast::hash(GOLDEN.as_bytes());
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926); // the check value of CRC-32/ISO-HDLC
        let text = String::from_utf8(checksum(GOLDEN.as_bytes()).to_vec()).unwrap();
        let value = text.bytes().fold(0u64, |sum, digit| {
            let place = match digit {
                b'0'..=b'9' => digit - b'0',
                b'A'..=b'Z' => digit - b'A' + 10,
                _ => digit - b'a' + 36,
            };
            sum * 62 + u64::from(place)
        });
        assert_eq!(value, u64::from(crc));
    }

    #[test]
    fn the_digest_is_the_sha_256_of_the_whole_text() {
        let key = KeyPrefix::default().issue(&SystemRandom);
        let expected: [u8; 32] = Sha256::digest(key.expose()).into();
        assert_eq!(key.digest().as_bytes(), &expected);
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let prefix = KeyPrefix::default();
        let key = prefix.issue(&SystemRandom);
        let good = key.expose();
        let mut wrong_check = good.to_owned();
        let last = if wrong_check.pop() == Some('0') {
            '1'
        } else {
            '0'
        };
        wrong_check.push(last);
        let longer = format!("{good}0");
        let padded = format!(" {good}");
        for text in [
            "",
            "ps_",
            "ps",
            &good[..40],
            &longer,
            &padded,
            &wrong_check,
            &good.to_uppercase(),
            &"ps_é".repeat(9),
        ] {
            assert_eq!(prefix.digest(text), None, "{text:?}");
        }
        let other = KeyPrefix::new("ps_live_").unwrap();
        assert_eq!(other.digest(good), None);
        assert_eq!(prefix.digest(other.issue(&SystemRandom).expose()), None);
    }

    #[test]
    fn a_prefix_is_short_and_ends_with_an_underscore() {
        for text in ["ps_", "ps_live_", "x_", "abcdefghijklmno_"] {
            assert!(KeyPrefix::new(text).is_ok(), "{text}");
        }
        for text in ["", "_", "ps", "PS_", "ps-", "p s_", "abcdefghijklmnop_"] {
            assert_eq!(KeyPrefix::new(text), Err(InvalidPrefix), "{text}");
        }
    }

    #[test]
    fn a_key_does_not_print() {
        let key = KeyPrefix::default().issue(&SystemRandom);
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        let hint = key.hint();
        assert_eq!(hint, format!("ps_…{}", &key.expose()[37..]));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_passes_by_chance(text in "\\PC{0,60}") {
            prop_assert_eq!(KeyPrefix::default().digest(&text), None);
        }

        #[test]
        fn one_changed_character_is_noticed(place in 3usize..41, to in "[0-9A-Za-z]") {
            let prefix = KeyPrefix::default();
            let key = prefix.issue(&SystemRandom);
            let mut text = key.expose().to_owned();
            text.replace_range(place..=place, &to);
            prop_assume!(text != key.expose());
            prop_assert_eq!(prefix.digest(&text), None);
        }
    }
}
