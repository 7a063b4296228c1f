//! Lanes: whose acts on one address are counted together.

use std::fmt;

use crate::{EmailAddress, Network, Timestamp};

/// A browser that signed in to an address before, as a cookie of it says that only we can make.
///
/// It authenticates nobody. It moves whoever asks out of the strangers' lanes, so that what they use
/// up is not missing where the owner is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Where it signed in, and the only address that it is known for.
    pub address: EmailAddress,
    /// When it last did.
    pub since: Timestamp,
}

/// Whose acts on one address are counted together: strangers' by their networks, and those of each
/// browser that is known by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// One browser that signed in to the address, last at this time.
    Browser(Timestamp),
    /// Whoever asks from one network.
    Network(Network),
}

impl Lane {
    /// Whether it is a browser's that is known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Browser(_))
    }
}

impl fmt::Display for Lane {
    /// Its name in a store and in a [`LimitKey`](crate::LimitKey): `203.0.113.7/32`, or
    /// `browser:1795341600000`. No secret is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Browser(since) => write!(f, "browser:{}", since.as_millis()),
            Self::Network(network) => network.fmt(f),
        }
    }
}
