//! argon2id (RFC 9106): making a hash, and comparing a password with one.

use std::fmt;

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output, ParamsString, Salt},
};
use ps_core::Random;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{HashCost, PasswordHash, cost};

const VERSION: Version = Version::V0x13;
const SALT: usize = 16;
const OUTPUT: usize = Params::DEFAULT_OUTPUT_LEN;

/// A stored hash as it was read: what a password is compared with.
#[derive(Clone)]
pub(crate) struct Target {
    params: Params,
    salt: Salt,
    output: Output,
}

impl Target {
    /// Reads a stored hash; `None` for what is not argon2id, version 0x13, or too dear to compute.
    pub(crate) fn read(hash: &PasswordHash) -> Option<Self> {
        let read = phc::PasswordHash::new(hash.as_str()).ok()?;
        let params = Params::try_from(&read).ok()?;
        let is_known = read.algorithm == ARGON2ID_IDENT && read.version == Some(VERSION.into());
        if !is_known || !cost::is_bearable(&params) {
            return None;
        }
        Some(Self {
            params,
            salt: read
                .salt
                .filter(|salt| salt.len() >= argon2::MIN_SALT_LEN)?,
            output: read.hash?,
        })
    }

    /// What no password fits and what is as dear to compare with as a hash of this cost.
    pub(crate) fn decoy(cost: HashCost, random: &dyn Random) -> Self {
        let mut output = [0; OUTPUT];
        random.fill(&mut output);
        Self {
            params: cost.params(),
            salt: fresh_salt(random),
            output: Output::new(&output).expect("32 bytes are a good length"),
        }
    }

    /// Whether this is the password, in time that does not depend on where they differ.
    pub(crate) fn is_of(&self, password: &str, memory: &mut Memory) -> bool {
        let found = memory.hash(&self.params, password, &self.salt, self.output.len());
        found.ct_eq(self.output.as_ref()).into()
    }

    /// Whether a hash that is made now would be made like this one.
    pub(crate) fn is_up_to_date(&self, cost: HashCost) -> bool {
        cost.is(&self.params) && self.salt.len() == SALT && self.output.len() == OUTPUT
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target(…)")
    }
}

/// A new salt of 16 bytes (RFC 9106 §3.1).
pub(crate) fn fresh_salt(random: &dyn Random) -> Salt {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    Salt::new(&salt).expect("16 bytes are a good length")
}

/// Makes the hash of a password.
pub(crate) fn make(
    password: &str,
    salt: Salt,
    cost: HashCost,
    memory: &mut Memory,
) -> PasswordHash {
    let params = cost.params();
    let output = memory.hash(&params, password, &salt, OUTPUT);
    let hash = phc::PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(VERSION.into()),
        params: ParamsString::try_from(&params).expect("three numbers fit"),
        salt: Some(salt),
        hash: Some(Output::new(&output).expect("32 bytes are a good length")),
    };
    PasswordHash::new(hash.to_string())
}

/// What hashes are computed in, one after the other. It keeps the size of the last one.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    /// The first `length` bytes of the hash. Whoever reads the blocks guesses for nothing, so they
    /// are wiped.
    fn hash(
        &mut self,
        params: &Params,
        password: &str,
        salt: &[u8],
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        if self.0.len() != params.block_count() {
            self.0 = Vec::new(); // never both
            self.0 = vec![Block::new(); params.block_count()];
        }
        let mut output = Zeroizing::new(vec![0; length]);
        Argon2::new(Algorithm::Argon2id, VERSION, params.clone())
            .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, &mut *self.0)
            .expect("salt, length and memory are within argon2's bounds");
        self.0.fill(Block::new());
        output
    }
}

#[cfg(test)]
mod tests {
    use ps_core::SystemRandom;

    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    fn made(cost: HashCost) -> PasswordHash {
        let salt = fresh_salt(&SystemRandom);
        make(PASSWORD, salt, cost, &mut Memory::default())
    }

    fn is_of(hash: &PasswordHash, password: &str) -> Option<bool> {
        Some(Target::read(hash)?.is_of(password, &mut Memory::default()))
    }

    #[test]
    fn a_hash_is_of_its_password_and_of_no_other() {
        let hash = made(HashCost::CHEAP);
        assert_eq!(is_of(&hash, PASSWORD), Some(true));
        for other in [
            "",
            "correct horse battery stapl",
            "Correct horse battery staple",
        ] {
            assert_eq!(is_of(&hash, other), Some(false), "{other}");
        }
        assert_ne!(made(HashCost::CHEAP), hash, "salted");
    }

    #[test]
    fn what_is_stored_says_how_it_was_made() {
        let hash = made(HashCost::default());
        let (head, tail) = hash
            .as_str()
            .split_at("$argon2id$v=19$m=19456,t=2,p=1$".len());
        assert_eq!(head, "$argon2id$v=19$m=19456,t=2,p=1$");
        // 16 and 32 bytes in base64 without padding.
        assert_eq!(tail.split('$').map(str::len).collect::<Vec<_>>(), [22, 43]);
    }

    /// Made by the reference implementation (argon2-cffi 25.1.0, Python): other parameters, another
    /// length of salt and output, several lanes.
    const FOREIGN: [&str; 3] = [
        "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$77UfmnZYT23WpPeUKhovauWm5OxRQv9nTf1dJ+tF5EY",
        "$argon2id$v=19$m=19456,t=2,p=2$YSBzYWx0IG9mIHR3ZW50eSBieS4$r/xCi2QKeNP+sq4azRBN8qQxtXifxizFqKt5fG769SSRLydJs1FvI12CQ49QMa6iFE0aXxuafwlkJ4a1RQH5fA",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$z/s8SQ4lniHPgQk0FFC3ZQ",
    ];

    #[test]
    fn hashes_from_elsewhere_are_read() {
        for phc in FOREIGN {
            let hash = PasswordHash::new(phc);
            assert_eq!(is_of(&hash, PASSWORD), Some(true), "{phc}");
            assert_eq!(is_of(&hash, "another"), Some(false), "{phc}");
        }
    }

    #[test]
    fn what_is_unreadable_or_unbearable_is_no_hash() {
        let good = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
        assert!(Target::read(&PasswordHash::new(good)).is_some());
        let changes = [
            ("argon2id", "argon2i"),
            ("argon2id", "argon2d"),
            ("argon2id", "scrypt"),
            ("$v=19", "$v=16"),
            ("$v=19", ""),
            ("m=8,", "m=4294967295,"),
            ("m=8,", "m=65537,"),
            ("m=8,", "m=7,"),
            ("m=8,", "m=99999999999,"),
            ("t=1", "t=11"),
            ("t=1", "t=0"),
            ("p=1", "p=5"),
            ("p=1", "p=0"),
            ("p=1", "p=1,x=1"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "c2FsdA"),
            ("c2FsdHNhbHRzYWx0c2FsdA", ""),
            ("$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI", ""),
            ("$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI", "$!"),
        ];
        for (from, to) in changes {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            assert!(Target::read(&PasswordHash::new(&*bad)).is_none(), "{bad}");
        }
        for bad in ["", "$", "plain", "$2b$12$abcdefghijklmnopqrstuv", "\0", "é"] {
            assert!(Target::read(&PasswordHash::new(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_hash_is_up_to_date_until_the_cost_changes() {
        let target = Target::read(&made(HashCost::CHEAP)).unwrap();
        assert!(target.is_up_to_date(HashCost::CHEAP));
        assert!(!target.is_up_to_date(HashCost::default()));
        let short = Target::read(&PasswordHash::new(FOREIGN[2])).unwrap();
        assert!(!short.is_up_to_date(HashCost::CHEAP), "8 and 16 bytes");
    }

    #[test]
    fn a_decoy_is_as_dear_as_the_real_thing_and_no_password_fits() {
        let decoy = Target::decoy(HashCost::CHEAP, &SystemRandom);
        assert!(decoy.is_up_to_date(HashCost::CHEAP));
        assert!(!decoy.is_of(PASSWORD, &mut Memory::default()));
    }

    #[test]
    fn memory_is_of_the_last_hash_and_wiped() {
        let mut memory = Memory::default();
        for cost in [HashCost::default(), HashCost::CHEAP] {
            make(PASSWORD, fresh_salt(&SystemRandom), cost, &mut memory);
            let blocks = &memory.0;
            assert_eq!(blocks.capacity(), cost.memory_kib() as usize);
            assert!(
                blocks
                    .iter()
                    .all(|block| block.as_ref().iter().all(|word| *word == 0))
            );
        }
    }

    #[test]
    fn hashes_do_not_print() {
        let hash = made(HashCost::CHEAP);
        let shown = format!("{hash:?} {:?}", Target::read(&hash));
        assert_eq!(shown, "PasswordHash(…) Some(Target(…))");
    }
}
