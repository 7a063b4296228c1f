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
    /// What it does to the count.
    pub effect: HitEffect,
}

/// What a hit does to the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitEffect {
    /// It asks whether one more would pass, and counts nothing.
    Asks,
    /// It counts one.
    Counts,
    /// It gives back one that an earlier call counted at exactly the moment of this one.
    GivesBack,
}

impl Hit {
    /// Counts one.
    #[must_use]
    pub fn new(key: LimitKey, rule: LimitRule) -> Self {
        let effect = HitEffect::Counts;
        Self { key, rule, effect }
    }

    /// Asks only.
    #[must_use]
    pub fn peek(key: LimitKey, rule: LimitRule) -> Self {
        let effect = HitEffect::Asks;
        Self { key, rule, effect }
    }

    /// Gives one back: what looked like a wrong guess when it was counted turned out to be a right
    /// one. The `now` of the call is when it was counted.
    #[must_use]
    pub fn back(key: LimitKey, rule: LimitRule) -> Self {
        let effect = HitEffect::GivesBack;
        Self { key, rule, effect }
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

/// Judges the hits of one call: the whole rule of [`Limiter::hit`], as a pure function.
///
/// For each hit, `times` has the times already counted under its key, oldest first. Each hit is
/// judged with those before it that count under the same key. What gives back is judged by nothing
/// and makes no room for the others.
pub fn judge_hits<'a>(
    hits: &[Hit],
    times: impl IntoIterator<Item = &'a [Timestamp]>,
    now: Timestamp,
) -> Limited {
    let all = hits.iter().zip(times).enumerate();
    let judged = all.filter(|(_, (hit, _))| hit.effect != HitEffect::GivesBack);
    let rules = judged.map(|(place, (hit, times))| {
        let many = counted_by(&hits[..=place], &hit.key);
        (place, (hit.rule, many, times))
    });
    judge(rules, now)
}

/// How many of `hits` count under `key`: two hits of one key in one call are two.
fn counted_by(hits: &[Hit], key: &LimitKey) -> u32 {
    let counted = hits
        .iter()
        .filter(|hit| hit.effect == HitEffect::Counts && hit.key == *key);
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}

/// Judges whether so many more may be counted, as a pure function.
///
/// Each item is a rule, how many are to be counted (0 asks for one and counts nothing) and the
/// times already counted, oldest first. Times outside the rule's span count for nothing. Where
/// several rules refuse, the answer is the one that refuses longest.
pub fn judge_limits<'a>(
    rules: impl IntoIterator<Item = (LimitRule, u32, &'a [Timestamp])>,
    now: Timestamp,
) -> Limited {
    judge(rules.into_iter().enumerate(), now)
}

fn judge<'a>(
    rules: impl Iterator<Item = (usize, (LimitRule, u32, &'a [Timestamp]))>,
    now: Timestamp,
) -> Limited {
    let mut passed = (u32::MAX, Duration::ZERO);
    let mut refused: Option<(usize, Duration)> = None;
    for (place, (rule, many, times)) in rules {
        let recent = &times[times.partition_point(|at| is_over(*at, rule, now))..];
        let used = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        let needed = many.max(1);
        if used.saturating_add(needed) > rule.limit {
            let retry_after = wait(recent, rule, needed, now);
            if refused.is_none_or(|(_, longest)| retry_after > longest) {
                refused = Some((place, retry_after));
            }
        } else {
            let left = rule.limit - used - many;
            if left < passed.0 {
                let newest = if many > 0 { Some(&now) } else { recent.last() };
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
    /// Carries out all of `hits`, or none of them if any rule forbids it.
    ///
    /// *Atomicity*: one step; of many at once exactly as many pass as the rule allows. Two hits of one
    /// key in one call both count, so two rules for one act need two keys. *Time*: `now`, at which a
    /// hit is counted and of which one is given back; where earlier calls counted none then, giving
    /// back does nothing. *Security*: exact over every span, as [`judge_hits`] decides; a store error
    /// counts nothing.
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

    fn judge(times: &[i64], many: u32, now: i64) -> Limited {
        let times: Vec<_> = times.iter().map(|s| at(*s)).collect();
        judge_limits([(RULE, many, times.as_slice())], at(now))
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
        for (times, many, now, answer) in table {
            assert_eq!(
                judge(times, many, now),
                answer,
                "{times:?} and {many} at {now}"
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

    #[test]
    fn hits_of_one_call_are_judged_together() {
        let [a, b] = ["a", "b"].map(|whom| LimitKey::new("test", whom));
        let new = || Hit::new(a.clone(), RULE);
        let back = || Hit::back(a.clone(), RULE);
        let (one, three) = ([at(95)], [at(95), at(96), at(97)]);
        let judge = |hits: &[Hit], times: &[Timestamp]| {
            judge_hits(hits, hits.iter().map(|_| times), at(100))
        };
        assert_eq!(judge(&[new(), new()], &one), passed(0, 10));
        assert!(matches!(
            judge(&[new(), new(), new()], &one),
            Limited::Refused { rule: 2, .. }
        ));
        let others = [Hit::new(b.clone(), RULE), new(), Hit::peek(b, RULE)];
        assert_eq!(judge(&others, &one), passed(1, 10));
        // What is given back is never refused, makes no room, and leaves the others their places.
        let unlimited = Limited::Passed {
            left: u32::MAX,
            reset: Duration::ZERO,
        };
        assert_eq!(judge(&[back()], &three), unlimited);
        assert_eq!(judge(&[back(), new()], &one), passed(1, 10));
        assert_eq!(
            judge(&[back(), new()], &three),
            Limited::Refused {
                rule: 1,
                retry_after: Duration::from_secs(5)
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
