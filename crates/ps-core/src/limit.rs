//! Limits on how often something may happen, exact over every span.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::{StoreResult, Timestamp};

/// What is counted: a kind of act and whoever does it, such as `("code request", network)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey(String);

impl LimitKey {
    /// `act` by `whom`. Neither may hold a secret: the key is stored as it is.
    #[must_use]
    pub fn new(act: &'static str, whom: impl fmt::Display) -> Self {
        Self(format!("{act}:{whom}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// At most `limit` in *any* span of `per`, not only in spans that begin on the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRule {
    /// How many.
    pub limit: u32,
    /// In which span.
    pub per: Duration,
}

/// One thing to be counted under one rule.
#[derive(Clone, Debug)]
pub struct Hit {
    /// What is counted.
    pub key: LimitKey,
    /// How many may be.
    pub rule: LimitRule,
    /// How many this is; 0 asks whether one more would pass and counts nothing.
    pub cost: u32,
}

impl Hit {
    /// Counts one.
    #[must_use]
    pub fn new(key: LimitKey, rule: LimitRule) -> Self {
        Self { key, rule, cost: 1 }
    }

    /// Asks only.
    #[must_use]
    pub fn peek(key: LimitKey, rule: LimitRule) -> Self {
        Self { key, rule, cost: 0 }
    }
}

/// The answer to one or several hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// All rules allow it, and it was counted.
    Passed {
        /// How many more the tightest rule allows now.
        left: u32,
        /// When that rule allows its full number again.
        reset: Duration,
    },
    /// A rule forbids it, and nothing was counted under any.
    Refused {
        /// Which of the rules, by its place.
        rule: usize,
        /// When it would pass.
        retry_after: Duration,
    },
}

/// Judges hits against the times of earlier ones: the whole rule, as a pure function.
///
/// Each item is a rule, the cost of the hit and the times already counted under its key, oldest
/// first. Times outside the rule's span count for nothing. Where several rules refuse, the answer
/// is the one that refuses longest.
pub fn judge_limits<'a>(
    rules: impl IntoIterator<Item = (LimitRule, u32, &'a [Timestamp])>,
    now: Timestamp,
) -> Limited {
    let mut passed = (u32::MAX, Duration::ZERO);
    let mut refused: Option<(usize, Duration)> = None;
    for (place, (rule, cost, times)) in rules.into_iter().enumerate() {
        let recent = &times[times.partition_point(|at| is_over(*at, rule, now))..];
        let used = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        let needed = cost.max(1);
        if used.saturating_add(needed) > rule.limit {
            let retry_after = wait(recent, rule, needed, now);
            if refused.is_none_or(|(_, longest)| retry_after > longest) {
                refused = Some((place, retry_after));
            }
        } else {
            let left = rule.limit - used - cost;
            if left < passed.0 {
                let newest = if cost > 0 { Some(&now) } else { recent.last() };
                passed = (
                    left,
                    newest.map_or(Duration::ZERO, |at| remaining(*at, rule, now)),
                );
            }
        }
    }
    match refused {
        Some((rule, retry_after)) => Limited::Refused { rule, retry_after },
        None => Limited::Passed {
            left: passed.0,
            reset: passed.1,
        },
    }
}

/// How long until `needed` more fit: until enough of the oldest times have left the span.
fn wait(recent: &[Timestamp], rule: LimitRule, needed: u32, now: Timestamp) -> Duration {
    let over = (recent.len() + needed as usize).saturating_sub(rule.limit as usize);
    match over.checked_sub(1).and_then(|last| recent.get(last)) {
        Some(at) => remaining(*at, rule, now),
        None => rule.per, // more at once than the rule ever allows
    }
}

fn is_over(at: Timestamp, rule: LimitRule, now: Timestamp) -> bool {
    at.plus(rule.per) <= now
}

fn remaining(at: Timestamp, rule: LimitRule, now: Timestamp) -> Duration {
    at.plus(rule.per).since(now)
}

/// Counts hits, for one node or for all of them.
#[async_trait]
pub trait Limiter: fmt::Debug + Send + Sync + 'static {
    /// Counts all of `hits`, or none of them if any rule forbids it.
    ///
    /// *Atomicity*: one step; of many at once exactly as many pass as the rule allows. Two hits of one
    /// key in one call both count, so two rules for one act need two keys. *Time*: `now`.
    /// *Security*: exact over every span, as [`judge_limits`] decides; a store error counts nothing.
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: LimitRule = LimitRule {
        limit: 3,
        per: Duration::from_secs(10),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn judge(times: &[i64], cost: u32, now: i64) -> Limited {
        let times: Vec<_> = times.iter().map(|s| at(*s)).collect();
        judge_limits([(RULE, cost, times.as_slice())], at(now))
    }

    fn passed(left: u32, reset: u64) -> Limited {
        Limited::Passed {
            left,
            reset: Duration::from_secs(reset),
        }
    }

    fn refused(retry_after: u64) -> Limited {
        Limited::Refused {
            rule: 0,
            retry_after: Duration::from_secs(retry_after),
        }
    }

    #[test]
    fn the_table() {
        let table: [(&[i64], u32, i64, Limited); 8] = [
            (&[], 1, 100, passed(2, 10)),
            (&[99], 1, 100, passed(1, 10)),
            (&[95, 96, 97], 1, 100, refused(5)),
            (&[90, 96, 97], 1, 100, passed(0, 10)), // 90 left the span at exactly 100
            (&[95, 96, 97], 0, 100, refused(5)),
            (&[95, 96], 0, 100, passed(1, 6)),
            (&[95, 96], 2, 100, refused(5)),
            (&[], 4, 100, refused(10)),
        ];
        for (times, cost, now, answer) in table {
            assert_eq!(
                judge(times, cost, now),
                answer,
                "{times:?} cost {cost} at {now}"
            );
        }
    }

    #[test]
    fn the_longest_refusal_is_told() {
        let slow = LimitRule {
            limit: 1,
            per: Duration::from_secs(60),
        };
        let times = [at(95), at(96), at(97)];
        let both = judge_limits([(RULE, 1, &times[..]), (slow, 1, &times[..])], at(100));
        assert_eq!(
            both,
            Limited::Refused {
                rule: 1,
                retry_after: Duration::from_secs(57)
            }
        );
    }

    proptest! {
        /// The promise itself: whatever the arrivals, no span of the rule's length holds more than its limit.
        #[test]
        fn no_span_ever_holds_more_than_the_limit(gaps in prop::collection::vec(0i64..6_000, 1..60)) {
            let mut now = 0;
            let mut counted: Vec<Timestamp> = Vec::new();
            for gap in gaps {
                now += gap;
                let moment = Timestamp::from_millis(now);
                match judge_limits([(RULE, 1, counted.as_slice())], moment) {
                    Limited::Passed { .. } => counted.push(moment),
                    Limited::Refused { retry_after, .. } => {
                        let later = moment.plus(retry_after);
                        let then = judge_limits([(RULE, 1, counted.as_slice())], later);
                        let passes = matches!(then, Limited::Passed { .. });
                        prop_assert!(passes, "refused until {:?} and refused then", later);
                    }
                }
            }
            for window in counted.windows(RULE.limit as usize + 1) {
                let span = window[RULE.limit as usize].since(window[0]);
                prop_assert!(span >= RULE.per);
            }
        }
    }
}
