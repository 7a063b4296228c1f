//! The numbers of the flow.

use std::{num::NonZero, thread, time::Duration};

use ps_core::LimitRule;

use crate::HashCost;

const HOUR: Duration = Duration::from_secs(3_600);
const LONGEST_QUEUE: usize = 4_096;

/// How dear, how many and how long. The default is what the documentation promises.
///
/// | | default |
/// |---|---|
/// | a hash | argon2id, 19 MiB, two passes |
/// | threads that hash | as many as the machine has cores |
/// | passwords that wait for one | 64 |
/// | wrong passwords on an address, of all strangers together | 10 in an hour |
/// | wrong passwords in one browser that signed in to it before | 10 in an hour |
/// | how long after a sign-in a password may be set by it | 10 minutes |
///
/// Hashing takes threads × memory of a hash and no more: 76 MiB on four cores.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    pub(crate) cost: HashCost,
    pub(crate) threads: NonZero<usize>,
    pub(crate) queue: usize,
    pub(crate) guesses: LimitRule,
    pub(crate) fresh_for: Duration,
}

impl PasswordPolicy {
    /// With hashes of this cost. One that was made at another cost is made anew when its password is
    /// next right.
    #[must_use]
    pub fn with_cost(mut self, cost: HashCost) -> Self {
        self.cost = cost;
        self
    }

    /// With this many threads that hash, and so this many hashes computed at once.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// With room for this many passwords that wait for a thread, held between 1 and 4 096. Beyond it
    /// they are refused at once.
    #[must_use]
    pub fn with_queue(mut self, passwords: usize) -> Self {
        self.queue = passwords.clamp(1, LONGEST_QUEUE);
        self
    }

    /// With this many wrong passwords on an address, strangers' together and each known browser's.
    #[must_use]
    pub fn with_guesses(mut self, rule: LimitRule) -> Self {
        self.guesses = rule;
        self
    }

    /// With a sign-in that is good for setting a password for this long.
    #[must_use]
    pub fn with_fresh_for(mut self, span: Duration) -> Self {
        self.fresh_for = span;
        self
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            cost: HashCost::default(),
            threads: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            queue: 64,
            guesses: LimitRule {
                limit: 10,
                per: HOUR,
            },
            fresh_for: Duration::from_secs(600),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_one_and_an_end_to_it() {
        for (asked, given) in [(0, 1), (1, 1), (64, 64), (usize::MAX, LONGEST_QUEUE)] {
            assert_eq!(PasswordPolicy::default().with_queue(asked).queue, given);
        }
    }
}
