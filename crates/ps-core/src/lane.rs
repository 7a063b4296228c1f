//! Lanes: whose acts on one address are counted together.

use std::fmt;

use crate::Network;

/// Whose acts on one address are counted together: strangers' by their networks, and those of all
/// browsers that are known for it by themselves.
///
/// These have one lane and not one each: whoever could once sign in may have done so any number of
/// times and kept a cookie of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// The browsers that signed in to the address before.
    Known,
    /// Whoever asks from one network.
    Network(Network),
}

impl Lane {
    /// Whether it is that of the browsers that are known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known)
    }
}

impl fmt::Display for Lane {
    /// Its name in a store and in a [`LimitKey`](crate::LimitKey): `203.0.113.7/32`, or `known`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known => f.write_str("known"),
            Self::Network(network) => network.fmt(f),
        }
    }
}
