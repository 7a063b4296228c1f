//! The refresh token: one family reference, a generation, and a MAC over both.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{KeyPurpose, KeyVersion, MacKey, MacKeys, Random, Refusal, RootSecrets};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::FamilyDigest;

const FORMAT: u8 = 1;
const LABEL: &[u8] = b"ps-auth refresh token v1";
/// Format, key version, family reference, generation.
const SIGNED: usize = 1 + 4 + 32 + 4;
const LENGTH: usize = SIGNED + 32;
const TEXT_LENGTH: usize = LENGTH.div_ceil(3) * 4 - 2;

/// What carries a session on, once. It is a secret, and authentic: whoever holds this value has
/// seen its MAC verified or has made it.
///
/// As text it is 98 characters of base64url. It neither prints, clones nor serialises, and is wiped
/// when dropped.
pub struct RefreshToken {
    text: Zeroizing<String>,
    reference: Zeroizing<[u8; 32]>,
    version: KeyVersion,
    generation: u32,
}

impl RefreshToken {
    /// The token as its client keeps it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The digest under which its session is stored.
    #[must_use]
    pub fn family(&self) -> FamilyDigest {
        FamilyDigest::from_bytes(Sha256::digest(self.reference.as_slice()).into())
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// Makes and reads refresh tokens. Everything about one is derived from its family reference, its
/// generation and a root secret, so that the answer to a repeated request can be made again and
/// nothing of it is stored.
#[derive(Debug)]
pub(crate) struct RefreshTokens(MacKeys);

impl RefreshTokens {
    pub(crate) fn new(roots: &RootSecrets) -> Self {
        Self(roots.mac_keys(KeyPurpose::RefreshToken))
    }

    /// The first token of a new family.
    pub(crate) fn first(&self, random: &dyn Random) -> RefreshToken {
        let mut reference = Zeroizing::new([0; 32]);
        random.fill(&mut *reference);
        self.first_of(&reference)
    }

    /// The first token of the family with this reference.
    pub(crate) fn first_of(&self, reference: &[u8; 32]) -> RefreshToken {
        let (version, key) = self.0.current();
        make(version, key, Zeroizing::new(*reference), 0)
    }

    /// The token of this generation in the family of `token`, under the root that makes.
    pub(crate) fn head(&self, token: &RefreshToken, generation: u32) -> RefreshToken {
        let (version, key) = self.0.current();
        make(version, key, token.reference.clone(), generation)
    }

    /// The token of this generation in the family of `token`, under the root that `token` is under:
    /// what `token` brought the first time, byte for byte, unless the roots were replaced between.
    pub(crate) fn again(&self, token: &RefreshToken, generation: u32) -> RefreshToken {
        match self.0.find(token.version) {
            Some(key) => make(token.version, key, token.reference.clone(), generation),
            // It was read by a service with other roots than this one.
            None => self.head(token, generation),
        }
    }

    /// Reads what a client presents, with no store call.
    pub(crate) fn read(&self, text: &str) -> Result<RefreshToken, Refusal> {
        let bytes = decode(text).ok_or(Refusal::Malformed)?;
        let (signed, mac) = bytes.split_at(SIGNED);
        let ([FORMAT], rest) = signed.split_at(1) else {
            return Err(Refusal::Malformed);
        };
        let (version, rest) = rest.split_at(4);
        let (reference, generation) = rest.split_at(32);
        let version = KeyVersion::new(number(version));
        let key = self.0.find(version).ok_or(Refusal::Unknown)?;
        if !key.verifies(
            &[LABEL, signed],
            mac.try_into().expect("a MAC has 32 bytes"),
        ) {
            return Err(Refusal::Wrong);
        }
        let mut copy = Zeroizing::new([0; 32]);
        copy.copy_from_slice(reference);
        Ok(RefreshToken {
            text: Zeroizing::new(text.to_owned()),
            reference: copy,
            version,
            generation: number(generation),
        })
    }
}

fn make(
    version: KeyVersion,
    key: &MacKey,
    reference: Zeroizing<[u8; 32]>,
    generation: u32,
) -> RefreshToken {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    bytes[0] = FORMAT;
    bytes[1..5].copy_from_slice(&version.number().to_be_bytes());
    bytes[5..37].copy_from_slice(&*reference);
    bytes[37..SIGNED].copy_from_slice(&generation.to_be_bytes());
    let tag = key.tag(&[LABEL, &bytes[..SIGNED]]);
    bytes[SIGNED..].copy_from_slice(tag.as_bytes());
    RefreshToken {
        text: Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())),
        reference,
        version,
        generation,
    }
}

/// The bytes of `text`, if it is the one way to write them.
fn decode(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    if text.len() != TEXT_LENGTH {
        return None;
    }
    let mut bytes = Zeroizing::new([0; LENGTH]);
    let length = BASE64_URL_SAFE_NO_PAD
        .decode_slice(text, &mut *bytes)
        .ok()?;
    (length == LENGTH).then_some(bytes)
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use ps_core::{RootSecret, SystemRandom};

    use super::*;

    fn root(first: u8) -> RootSecret {
        RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    fn tokens<const N: usize>(roots: [u8; N]) -> RefreshTokens {
        RefreshTokens::new(&RootSecrets::new(roots.map(root)).unwrap())
    }

    /// Always the same 32 bytes.
    #[derive(Debug)]
    struct Sevens;

    impl Random for Sevens {
        fn fill(&self, dest: &mut [u8]) {
            dest.fill(7);
        }
    }

    // SE11
    #[test]
    fn a_token_survives_its_text() {
        let tokens = tokens([1]);
        let first = tokens.first(&SystemRandom);
        let head = tokens.head(&first, 7);
        let read = tokens.read(head.expose()).unwrap();
        assert_eq!((read.generation(), read.family()), (7, first.family()));
        assert_eq!(read.expose(), head.expose());
        assert_ne!(tokens.first(&SystemRandom).family(), first.family());
    }

    // SE11
    #[test]
    fn the_golden_token_stays_what_it_is() {
        let token = tokens([1]).first(&Sevens);
        assert_eq!(token.expose(), GOLDEN);
        assert_eq!(token.expose().len(), TEXT_LENGTH);
    }

    // SE11: the row's digest and any other key mint nothing
    #[test]
    fn every_changed_byte_is_refused() {
        let tokens = tokens([1]);
        let text = tokens.first(&SystemRandom).expose().to_owned();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << bit;
                let why = tokens
                    .read(&BASE64_URL_SAFE_NO_PAD.encode(forged))
                    .unwrap_err();
                let expected = match at {
                    0 => Refusal::Malformed,
                    1..5 => Refusal::Unknown,
                    _ => Refusal::Wrong,
                };
                assert_eq!(why, expected, "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn only_the_one_way_to_write_a_token_is_read() {
        let tokens = tokens([1]);
        let text = tokens.first(&Sevens).expose().to_owned();
        let (body, last) = text.split_at(TEXT_LENGTH - 1);
        assert_eq!(last, "A");
        let variants = [
            String::new(),
            body.to_owned(),
            format!("{body}B"),
            format!("{text}="),
            format!("{text}=="),
            format!("{text}A"),
            format!(" {body}"),
            format!("{body}\n"),
            format!("+{}", &text[1..]),
            format!("é{}", &text[2..]),
        ];
        for variant in variants {
            let why = tokens.read(&variant).unwrap_err();
            assert_eq!(why, Refusal::Malformed, "{variant:?}");
        }
    }

    // SE8
    #[test]
    fn a_token_outlives_the_replacement_of_its_root() {
        let before = tokens([1]).first(&SystemRandom);
        let between = tokens([2, 1]);
        let read = between.read(before.expose()).unwrap();
        let fresh = between.head(&read, 1);
        let again = between.again(&read, 1);
        assert_eq!(again.expose(), tokens([1]).again(&before, 1).expose());
        assert_ne!(fresh.expose(), again.expose());
        assert_eq!(fresh.family(), again.family());
        let after = tokens([2]);
        assert!(after.read(fresh.expose()).is_ok());
        assert_eq!(after.read(before.expose()).unwrap_err(), Refusal::Unknown);
    }

    // SE9
    #[test]
    fn what_was_made_for_something_else_is_no_token() {
        let roots = RootSecrets::new([root(1)]).unwrap();
        let token = tokens([1]).first(&Sevens);
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        let foreign = [
            (KeyPurpose::MagicCode, LABEL),
            (KeyPurpose::RefreshToken, b"" as &[u8]),
        ];
        for (purpose, label) in foreign {
            let keys = roots.mac_keys(purpose);
            let tag = keys.current().1.tag(&[label, &bytes[..SIGNED]]);
            bytes[SIGNED..].copy_from_slice(tag.as_bytes());
            let why = tokens([1]).read(&BASE64_URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(why.unwrap_err(), Refusal::Wrong, "{purpose:?}");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let tokens = tokens([1]);
        let shown = format!("{:?}", tokens.first(&Sevens));
        assert_eq!(shown, "RefreshToken(…)");
    }

    /// Computed apart, by Python's `hmac`, from the root of the bytes 1 to 32.
    const GOLDEN: &str = "Acdk1t4HBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwAAAACs\
        VwW44MAjMuPvtMR_l3Qi4OP8jYEiKO0t25WSdPKGcA";

    proptest::proptest! {
        // SE11
        #[test]
        fn nothing_panics_and_nothing_passes_by_chance(
            text in "[ -~]{0,200}",
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 73),
        ) {
            use base64::Engine;
            let tokens = tokens([1]);
            proptest::prop_assert!(tokens.read(&text).is_err());
            let shaped = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
            proptest::prop_assert!(tokens.read(&shaped).is_err());
        }
    }
}
