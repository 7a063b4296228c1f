//! What must not be found in what a store keeps.

use std::fmt;

use sha2::{Digest, Sha256};

/// What a property found out that must stand nowhere in the store; nothing for most.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// Whoever reads these bytes, or what anybody can compute from them without a key, holds the
    /// secret `what`.
    pub(crate) fn add(&mut self, what: impl fmt::Display, bytes: &[u8]) {
        self.0.push((what.to_string(), bytes.to_vec()));
        self.0.push((format!("{what}, in hex"), hex(bytes)));
    }

    /// The SHA-256 of a secret with so few values that each can be tried.
    pub(crate) fn add_digest(&mut self, what: impl fmt::Display, bytes: &[u8]) {
        self.add(
            format_args!("the SHA-256 of {what}"),
            &Sha256::digest(bytes),
        );
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn are_not_in(&self, dump: &[u8]) {
        for (what, bytes) in &self.0 {
            assert!(!stands_in(bytes, dump), "{what} is at rest");
        }
    }
}

impl From<()> for Secrets {
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// Whether `bytes` stand in `dump`. Digits count only where no other digit adjoins them, since six
/// of them may well be a part of some time.
fn stands_in(bytes: &[u8], dump: &[u8]) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let are_digits = bytes.iter().all(u8::is_ascii_digit);
    let is_whole = |place: usize| {
        let before = place.checked_sub(1).and_then(|place| dump.get(place));
        !is_digit(before) && !is_digit(dump.get(place + bytes.len()))
    };
    let mut places = (0..dump.len()).filter(|place| dump[*place] == bytes[0]);
    places.any(|place| dump[place..].starts_with(bytes) && (!are_digits || is_whole(place)))
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_where_they_are() {
        let table: [(&[u8], &[u8], bool); 8] = [
            (b"secret", b"a secret", true),
            (b"secret", b"a secre", false),
            (b"secret", b"736563726574", false),
            (b"012345", b"code=012345", true),
            (b"012345", b"012345", true),
            (b"012345", b"1012345", false),
            (b"012345", b"0123456, 012345;", true),
            (b"012345", b"", false),
        ];
        for (bytes, dump, found) in table {
            assert_eq!(stands_in(bytes, dump), found, "{dump:?}");
        }
    }

    #[test]
    #[should_panic(expected = "the key, in hex is at rest")]
    fn hex_hides_nothing() {
        let mut secrets = Secrets::default();
        secrets.add("the key", b"secret");
        secrets.are_not_in(b"x'736563726574'");
    }
}
