//! The root secret, and the keys derived from it.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{MacKey, MacKeys};

/// Why a list of root secrets cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// There is no root secret at all.
    #[error("there is no root secret")]
    Missing,
    /// The same root secret (or two with the same version) stands in the list twice.
    #[error("a root secret stands in the list twice")]
    Repeated,
    /// Fewer than 32 bytes.
    #[error("a root secret has fewer than 32 bytes")]
    Short,
    /// Too few different bytes to have come from a random generator.
    #[error("a root secret is not random: too few of its bytes differ")]
    Weak,
}

/// At least 32 random bytes from which every key is derived.
///
/// It never prints, clones or serialises, and is wiped when dropped.
pub struct RootSecret(Zeroizing<Vec<u8>>);

impl RootSecret {
    /// Takes a root secret.
    ///
    /// # Errors
    /// [`InvalidSecret::Short`] under 32 bytes; [`InvalidSecret::Weak`] where fewer than 10 of them
    /// differ, which 32 random bytes practically never do.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidSecret> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < 32 {
            return Err(InvalidSecret::Short);
        }
        let mut seen = [false; 256];
        for byte in bytes.iter() {
            seen[usize::from(*byte)] = true;
        }
        if seen.iter().filter(|seen| **seen).count() < 10 {
            return Err(InvalidSecret::Weak);
        }
        Ok(Self(bytes))
    }

    /// Derives `N` bytes with HKDF-SHA256 (RFC 5869) under `label`.
    fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(Some(b"ps-auth v1"), &self.0)
            .expand(label.as_bytes(), &mut *key)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        key
    }

    fn version(&self) -> KeyVersion {
        KeyVersion(u32::from_be_bytes(*self.derive("version")))
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootSecret(…)")
    }
}

/// Which root a thing was made under: four bytes derived from the root itself.
///
/// What is made carries its version, so that the list of roots can be reordered and shortened
/// without any number being reassigned. The version tells nothing of the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyVersion(u32);

impl KeyVersion {
    /// The version with this number, as read from a token or a row.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number, as written into a token or a row.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// What a derived key is for. Keys of different purposes have nothing in common, so nothing made
/// for one can pass as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPurpose {
    /// Signs access tokens.
    AccessToken,
    /// Authenticates the cookie by which a browser is known again.
    DeviceCookie,
    /// Derives the digits of magic codes.
    MagicCode,
    /// Authenticates refresh tokens.
    RefreshToken,
    /// Authenticates attempts to sign in elsewhere.
    SignInAttempt,
}

impl KeyPurpose {
    const fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "access token, Ed25519 seed",
            Self::DeviceCookie => "device cookie, HMAC-SHA256",
            Self::MagicCode => "magic code, HMAC-SHA256",
            Self::RefreshToken => "refresh token, HMAC-SHA256",
            Self::SignInAttempt => "sign-in attempt, HMAC-SHA256",
        }
    }
}

/// 32 derived bytes from which an asymmetric key pair is made. Wiped when dropped.
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// The bytes. Whoever reads them holds the private key.
    #[must_use]
    pub fn danger_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// The root secrets in force: the first makes, all verify.
///
/// A root is replaced in three rollouts, so that no node ever meets what it cannot verify: append
/// the new one (it verifies), move it to the front (it makes), and remove the old one when all that
/// it made has expired, seven days later.
#[derive(Debug)]
pub struct RootSecrets(Vec<(KeyVersion, RootSecret)>);

impl RootSecrets {
    /// Takes the list, the one that makes first.
    ///
    /// # Errors
    /// [`InvalidSecret::Missing`] for an empty list, [`InvalidSecret::Repeated`] where two have the
    /// same version.
    pub fn new(roots: impl IntoIterator<Item = RootSecret>) -> Result<Self, InvalidSecret> {
        let mut list: Vec<(KeyVersion, RootSecret)> = Vec::new();
        for root in roots {
            let version = root.version();
            if list.iter().any(|(other, _)| *other == version) {
                return Err(InvalidSecret::Repeated);
            }
            list.push((version, root));
        }
        if list.is_empty() {
            return Err(InvalidSecret::Missing);
        }
        Ok(Self(list))
    }

    /// The HMAC-SHA256 keys for `purpose`, one of each root, in the order of the roots.
    #[must_use]
    pub fn mac_keys(&self, purpose: KeyPurpose) -> MacKeys {
        let keys = self.0.iter().map(|(version, root)| {
            let key = root.derive::<32>(purpose.label());
            (*version, MacKey::new(&key))
        });
        MacKeys::new(keys.collect())
    }

    /// The seeds for `purpose`, one of each root, in the order of the roots.
    pub fn seeds(&self, purpose: KeyPurpose) -> impl Iterator<Item = Seed> {
        self.0
            .iter()
            .map(move |(_, root)| Seed(root.derive(purpose.label())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(first: u8) -> RootSecret {
        RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    // SE7
    #[test]
    fn what_is_not_secret_enough_is_refused() {
        let table: [(&[u8], InvalidSecret); 4] = [
            (b"", InvalidSecret::Short),
            (b"0123456789abcdefghijklmnopqrstu", InvalidSecret::Short),
            (&[0; 64], InvalidSecret::Weak),
            (b"abcabcabcabcabcabcabcabcabcabcabc", InvalidSecret::Weak),
        ];
        for (bytes, why) in table {
            assert_eq!(RootSecret::new(bytes).unwrap_err(), why, "{bytes:?}");
        }
    }

    #[test]
    fn a_list_has_at_least_one_and_none_twice() {
        assert_eq!(RootSecrets::new([]).unwrap_err(), InvalidSecret::Missing);
        let twice = RootSecrets::new([root(1), root(1)]);
        assert_eq!(twice.unwrap_err(), InvalidSecret::Repeated);
    }

    #[test]
    fn a_version_stays_with_its_root_wherever_it_stands() {
        let before = RootSecrets::new([root(1), root(2)]).unwrap();
        let after = RootSecrets::new([root(2), root(1)]).unwrap();
        let made = before.mac_keys(KeyPurpose::RefreshToken);
        let (version, key) = made.current();
        let found = after.mac_keys(KeyPurpose::RefreshToken);
        let tag = key.tag(&[b"x"]);
        assert!(
            found
                .find(version)
                .unwrap()
                .verifies(&[b"x"], tag.as_bytes())
        );
        assert_ne!(found.current().0, version);
    }

    #[test]
    fn purposes_and_roots_share_no_key() {
        let roots = RootSecrets::new([root(1), root(2)]).unwrap();
        let mut tags = Vec::new();
        for purpose in [KeyPurpose::MagicCode, KeyPurpose::RefreshToken] {
            let keys = roots.mac_keys(purpose);
            for (version, _) in &roots.0 {
                tags.push(*keys.find(*version).unwrap().tag(&[b"x"]).as_bytes());
            }
        }
        let seeds = roots.seeds(KeyPurpose::AccessToken);
        tags.extend(seeds.map(|seed| *seed.danger_bytes()));
        let distinct: std::collections::HashSet<_> = tags.iter().collect();
        assert_eq!(distinct.len(), 6);
    }

    #[test]
    fn secrets_do_not_print() {
        let roots = RootSecrets::new([root(65)]).unwrap();
        let seed = roots.seeds(KeyPurpose::AccessToken).next().unwrap();
        let keys = roots.mac_keys(KeyPurpose::MagicCode);
        let shown = format!("{roots:?} {seed:?} {keys:?}");
        assert!(
            !shown.contains("ABCDEF") && !shown.contains("65, 66"),
            "{shown}"
        );
    }
}
