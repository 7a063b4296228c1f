//! The numbers that a service may change.

use std::time::Duration;

use crate::KeyPrefix;

/// How keys look and are kept. The default holds the documented numbers.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    pub(crate) prefix: KeyPrefix,
    pub(crate) at_most: u32,
    pub(crate) remembered: usize,
    pub(crate) remembered_for: Duration,
}

impl Default for KeyPolicy {
    /// Prefix `ps_`, 25 active keys an account, 100 000 keys remembered for 5 minutes at most.
    fn default() -> Self {
        Self {
            prefix: KeyPrefix::default(),
            at_most: 25,
            remembered: 100_000,
            remembered_for: Duration::from_secs(300),
        }
    }
}

impl KeyPolicy {
    /// With another prefix.
    #[must_use]
    pub fn with_prefix(mut self, prefix: KeyPrefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// With another bound on the active keys of one account.
    #[must_use]
    pub fn with_keys_per_account(mut self, at_most: u32) -> Self {
        self.at_most = at_most;
        self
    }

    /// With room for another number of keys in memory, about 400 bytes each.
    #[must_use]
    pub fn with_remembered_keys(mut self, capacity: usize) -> Self {
        self.remembered = capacity;
        self
    }
}
