//! Access tokens whose signature was verified already.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use quick_cache::{Equivalent, sync::Cache};
use zeroize::Zeroizing;

use crate::claims::Claims;

/// How many are remembered: about 10 MB. What is forgotten costs one more signature check.
const CAPACITY: usize = 10_000;

/// What authentic tokens say, so that a repeat costs a lookup and no signature check. Whether the
/// token is still in time and its session alive is for the caller to judge, each time.
pub(crate) struct VerifiedTokens(Cache<Text, Claims>);

impl VerifiedTokens {
    pub(crate) fn find(&self, text: &str) -> Option<Claims> {
        self.0.get(&Presented(text))
    }

    /// Only a token that was verified may be passed.
    pub(crate) fn remember(&self, text: &str, claims: Claims) {
        self.0.insert(Text(Zeroizing::new(text.into())), claims);
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedTokens({})", self.0.len())
    }
}

/// A remembered token: the key is all of its bytes, and wiped with the entry.
#[derive(PartialEq, Eq)]
struct Text(Zeroizing<Box<str>>);

/// A presented one.
struct Presented<'a>(&'a str);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<Text> for Presented<'_> {
    fn equivalent(&self, key: &Text) -> bool {
        *self.0 == **key.0
    }
}

/// Every remembered text ends in a signature, of which a few bytes tell it from any other; whoever
/// sends a text that ends in the same bytes is found out when all of them are compared.
fn hash_end<H: Hasher>(text: &str, state: &mut H) {
    let bytes = text.as_bytes();
    state.write(&bytes[bytes.len().saturating_sub(16)..]);
}
