//! The numbers of the flow.

use std::time::Duration;

use ps_core::LimitRule;

use crate::{Exposure, ResendRule, SendBudget};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// NIST SP 800-63B §5.1.3.2.
const LONGEST_LIFE: Duration = Duration::from_secs(600);

/// How long, how often and how many. The default is what the documentation promises: with it an
/// address whose owner does nothing at all is guessed by strangers with a chance of 2.53·10⁻⁵ a day at most.
///
/// | | default |
/// |---|---|
/// | life of a code | 600 s |
/// | guesses at a code | 5 |
/// | between two mails of a code | 60 s |
/// | life that a code must have left to be mailed again | 120 s |
/// | unanswered mails to an address, asked for from one network | 5 an hour, 10 a day |
/// | asked for in one browser that signed in to it before | 5 an hour, 10 a day |
/// | from which on strangers get none for it | 30 a day (24 h and a code's life) |
/// | guesses on an address from which on a new code has 8 digits | 20 in 24 h |
/// | wrong guesses on all addresses from which on it has | 2 000 in an hour |
/// | mails waiting to be sent | 1 000 |
/// | until an expired challenge is forgotten | 24 h |
#[derive(Clone, Debug)]
pub struct CodePolicy {
    pub(crate) life: Duration,
    pub(crate) attempts: u32,
    pub(crate) resend: ResendRule,
    pub(crate) sends: SendBudget,
    pub(crate) exposure: Exposure,
    pub(crate) queue: usize,
    pub(crate) forgotten_after: Duration,
}

impl CodePolicy {
    /// With codes that live this long. Ten minutes is the longest there is (NIST SP 800-63B
    /// §5.1.3.2): more is taken as ten.
    #[must_use]
    pub fn with_life(mut self, life: Duration) -> Self {
        self.life = life.min(LONGEST_LIFE);
        self
    }

    /// With this many guesses at a code. Every guess is one in a million.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// With this rule for mailing a code again.
    #[must_use]
    pub fn with_resend(mut self, rule: ResendRule) -> Self {
        self.resend = rule;
        self
    }

    /// With this many unanswered mails to an address.
    #[must_use]
    pub fn with_sends(mut self, budget: SendBudget) -> Self {
        self.sends = budget;
        self
    }

    /// With these bounds from which on a new code has eight digits.
    #[must_use]
    pub fn with_exposure(mut self, exposure: Exposure) -> Self {
        self.exposure = exposure;
        self
    }

    /// With room for this many mails that wait to be sent. Beyond it mails are dropped.
    #[must_use]
    pub fn with_queue(mut self, mails: usize) -> Self {
        self.queue = mails;
        self
    }

    /// With expired challenges forgotten after this long, or ten minutes where that is longer.
    #[must_use]
    pub fn with_forgotten_after(mut self, span: Duration) -> Self {
        self.forgotten_after = span;
        self
    }
}

impl Default for CodePolicy {
    fn default() -> Self {
        Self {
            life: LONGEST_LIFE,
            attempts: 5,
            resend: ResendRule {
                pause: Duration::from_secs(60),
                life_left: Duration::from_secs(120),
            },
            sends: SendBudget {
                hourly: LimitRule {
                    limit: 5,
                    per: HOUR,
                },
                daily: LimitRule {
                    limit: 10,
                    per: DAY,
                },
                // So long that no 24 hours of guessing meet the codes of more than so many mails.
                address: LimitRule {
                    limit: 30,
                    per: DAY.saturating_add(LONGEST_LIFE),
                },
            },
            exposure: Exposure {
                address: LimitRule {
                    limit: 20,
                    per: DAY,
                },
                everywhere: LimitRule {
                    limit: 2_000,
                    per: HOUR,
                },
            },
            queue: 1_000,
            forgotten_after: DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // MC11: the bound of an address is proven for thirty codes in all that are alive in 24 hours.
    #[test]
    fn strangers_get_no_more_codes_in_a_day_of_guessing_than_the_bound_is_proven_for() {
        let policy = CodePolicy::default();
        let LimitRule { limit, per } = policy.sends.address;
        assert_eq!(limit, 30);
        assert!(per >= DAY + policy.life);
    }

    #[test]
    fn no_code_lives_longer_than_ten_minutes() {
        let policy = CodePolicy::default().with_life(DAY);
        assert_eq!(policy.life, LONGEST_LIFE);
        let policy = policy.with_life(Duration::from_secs(300));
        assert_eq!(policy.life, Duration::from_secs(300));
    }
}
