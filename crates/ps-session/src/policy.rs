//! The numbers that a host may change.

use std::time::Duration;

/// The longest life of an access token. Ended sessions are remembered this long, and a little more.
pub(crate) const LONGEST_ACCESS_LIFE: Duration = Duration::from_secs(15 * 60);
const SHORTEST_ACCESS_LIFE: Duration = Duration::from_secs(60);
const LARGEST_LEEWAY: Duration = Duration::from_secs(60);

/// How long sessions and their tokens live, and how a refresh that comes twice is taken.
///
/// The default is what the documentation promises; each `with_…` changes one number.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    pub(crate) access_life: Duration,
    pub(crate) idle_life: Duration,
    pub(crate) absolute_life: Duration,
    pub(crate) retry_window: Duration,
    pub(crate) race_window: Duration,
    pub(crate) delivery_window: Duration,
    pub(crate) at_most: u32,
    pub(crate) leeway: Duration,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            access_life: LONGEST_ACCESS_LIFE,
            idle_life: 7 * DAY,
            absolute_life: 30 * DAY,
            retry_window: Duration::from_secs(10 * 60),
            race_window: Duration::from_secs(10),
            delivery_window: Duration::from_secs(60),
            at_most: 20,
            leeway: Duration::from_secs(5),
        }
    }
}

impl SessionPolicy {
    /// How long an access token lives, unless its session ends sooner. 15 minutes; held between
    /// one minute and 15.
    #[must_use]
    pub fn with_access_life(mut self, life: Duration) -> Self {
        self.access_life = life.clamp(SHORTEST_ACCESS_LIFE, LONGEST_ACCESS_LIFE);
        self
    }

    /// How long a session lives that nobody refreshes. 7 days.
    #[must_use]
    pub fn with_idle_life(mut self, life: Duration) -> Self {
        self.idle_life = life;
        self
    }

    /// How long a session lives whatever anybody does, counted from the sign-in. 30 days.
    #[must_use]
    pub fn with_absolute_life(mut self, life: Duration) -> Self {
        self.absolute_life = life;
        self
    }

    /// How long a refresh may be sent again under its `Idempotency-Key` to get the answer that was
    /// lost. 10 minutes; zero repeats nothing.
    #[must_use]
    pub fn with_retry_window(mut self, window: Duration) -> Self {
        self.retry_window = window;
        self
    }

    /// For how long the refresh token just used up is taken for the loser of a race between tabs,
    /// and not for a stolen one. 10 seconds; zero takes every repetition for theft.
    #[must_use]
    pub fn with_race_window(mut self, window: Duration) -> Self {
        self.race_window = window;
        self
    }

    /// For how long a proof that names its session may be delivered again, to be answered with the
    /// same refresh token. 60 seconds; zero answers no second delivery.
    #[must_use]
    pub fn with_delivery_window(mut self, window: Duration) -> Self {
        self.delivery_window = window;
        self
    }

    /// How many live sessions an account may have; a new one ends the idlest beyond. 20; at least
    /// one.
    #[must_use]
    pub fn with_at_most(mut self, sessions: u32) -> Self {
        self.at_most = sessions.max(1);
        self
    }

    /// By how much the clocks of two nodes may differ where they judge each other's access tokens.
    /// 5 seconds; held to a minute, because an ended session is not remembered for ever.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(LARGEST_LEEWAY);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SE1
    #[test]
    fn no_policy_outlives_the_memory_of_ended_sessions() {
        let policy = SessionPolicy::default()
            .with_access_life(Duration::MAX)
            .with_leeway(Duration::MAX)
            .with_at_most(0);
        assert_eq!(policy.access_life, Duration::from_secs(900));
        assert_eq!(policy.leeway, Duration::from_secs(60));
        assert_eq!(policy.at_most, 1);
        let short = policy.with_access_life(Duration::ZERO);
        assert_eq!(short.access_life, Duration::from_secs(60));
    }
}
