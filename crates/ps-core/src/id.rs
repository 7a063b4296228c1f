//! Names of things: opaque, checked once, cheap to pass on.

use std::{fmt, str::FromStr};

use crate::{
    ShortText,
    random::{Random, random_base62},
};

/// An id that is not in the form of one. Nothing can be stored under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

/// The application's name for an account: an opaque, non-empty string of at most 255 bytes.
///
/// ps-auth never makes one and never looks inside; it comes from [`Users`](crate::Users). Up to 40 bytes,
/// a UUID as text among them, it lies in place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(ShortText<40>);

impl AccountId {
    /// Takes the application's id as it is.
    ///
    /// # Errors
    /// [`InvalidId`] if `id` is empty, longer than 255 bytes or contains a control character.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidId> {
        let id = id.as_ref();
        let valid = (1..=255).contains(&id.len()) && !id.chars().any(char::is_control);
        valid.then(|| Self(id.into())).ok_or(InvalidId)
    }

    /// The id as the application wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({:?})", self.0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How often an account's credentials were overturned: raised by a claim, a disable, a password
/// change and "end all other sessions", in the same transaction.
///
/// Every proof reads the version before it checks anything, and what the proof leads to (a session,
/// a key, a password, an identity) is inserted only if the version is still the same. So nothing
/// that was in flight outlives the change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountVersion(u64);

impl AccountVersion {
    /// The version with this number; an account that was never touched has zero.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, as a store keeps it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The length of every id that ps-auth makes: 22 base62 digits, 131 bits.
const LENGTH: usize = 22;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 22 base62 digits (131 random bits), so it can be shown, logged and put into a URL as it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// Draws a new id.
            #[must_use]
            pub fn random(random: &dyn Random) -> Self {
                let mut digits = [0; LENGTH];
                random_base62(random, &mut digits);
                Self(digits)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("base62 digits are ASCII")
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let digits: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidId)?;
                let valid = digits.iter().all(u8::is_ascii_alphanumeric);
                valid.then_some(Self(digits)).ok_or(InvalidId)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

random_id! {
    /// The name of one API key's record. It is not the key and opens nothing.
    KeyId
}
random_id! {
    /// The name of one session: what its owner sees in a list and what an access token carries as `sid`.
    SessionId
}
random_id! {
    /// The name of one magic-code challenge. Whoever holds it may guess at its code, so only its
    /// requester is told.
    ChallengeId
}

/// SHA-256 of an API key: all that is stored of it.
///
/// A key has 190 random bits, so the digest can be neither reversed nor looked up in a table, and
/// needs neither salt nor stretching.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyDigest {
    /// Shows the first four bytes: enough to tell two apart in a log, too little to look one up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "KeyDigest({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn an_id_survives_its_text() {
        let id = SessionId::random(&SystemRandom);
        assert_eq!(id.as_str().len(), 22);
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "short",
            "0123456789012345678901_",
            "012345678901234567890é",
            "../../etc/passwd-------",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn an_account_id_is_any_printable_text() {
        assert!(AccountId::new("user:42/ö").is_ok());
        for text in ["", "a\nb", "\u{7f}", &"x".repeat(256)] {
            assert_eq!(AccountId::new(text), Err(InvalidId), "{text:?}");
        }
    }
}
