//! What a host may decide.

use std::time::Duration;

/// RFC 9700 names no number; ten minutes is what RFC 6749 §4.1.2 gives the code itself.
const LONGEST_LIFE: Duration = Duration::from_secs(600);

/// When a provider's word links an identity to an account that exists, without its owner's doing.
///
/// The default takes a provider's word for a verified address wherever the account's own mailbox is
/// proven. Whatever the policy, an address that the provider has not verified opens nothing, and an
/// account whose mailbox is unproven is claimed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkPolicy {
    pub(crate) is_strict: bool,
}

impl LinkPolicy {
    /// Links by itself only where the provider hosts the mailbox and the account has no other
    /// identity there; elsewhere a code to the mailbox comes first.
    ///
    /// It is the policy for those who do not want an address that passed to somebody else to open
    /// the account that it once belonged to. It costs a detour wherever a provider vouches for the
    /// address of another host.
    #[must_use]
    pub const fn strict() -> Self {
        Self { is_strict: true }
    }
}

/// The numbers and choices of the flow. The default is what the documentation promises: an attempt
/// lives for ten minutes, and identities are linked as [`LinkPolicy`]'s default says.
#[derive(Clone, Debug)]
pub struct SocialPolicy {
    pub(crate) attempt_life: Duration,
    pub(crate) linking: LinkPolicy,
}

impl SocialPolicy {
    /// With this long between leaving for a provider and coming back. Ten minutes is the longest
    /// there is: more is taken as ten.
    #[must_use]
    pub fn with_attempt_life(mut self, life: Duration) -> Self {
        self.attempt_life = life.min(LONGEST_LIFE);
        self
    }

    /// With this rule for linking.
    #[must_use]
    pub fn with_linking(mut self, linking: LinkPolicy) -> Self {
        self.linking = linking;
        self
    }
}

impl Default for SocialPolicy {
    fn default() -> Self {
        Self {
            attempt_life: LONGEST_LIFE,
            linking: LinkPolicy::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OA1
    #[test]
    fn no_attempt_lives_longer_than_ten_minutes() {
        let policy = SocialPolicy::default().with_attempt_life(2 * LONGEST_LIFE);
        assert_eq!(policy.attempt_life, LONGEST_LIFE);
        let policy = policy.with_attempt_life(Duration::from_secs(60));
        assert_eq!(policy.attempt_life, Duration::from_secs(60));
    }
}
