//! Logs of when things were counted, short because they forget.

use std::{collections::HashMap, hash::Hash, time::Duration};

use ps_core::Timestamp;

/// Callers read their clocks before they wait for the lock, so one who comes later may stand
/// earlier in time, and must still find what counts for them.
const SLACK: Duration = Duration::from_secs(10);

/// Below this many keys it is not worth looking for those that could go.
const FEW: usize = 1024;

/// When something was counted, oldest first.
#[derive(Default)]
pub(crate) struct Log {
    times: Vec<Timestamp>,
    /// How far back the longest rule looks that was ever asked.
    span: Duration,
}

impl Log {
    pub(crate) fn times(&self) -> &[Timestamp] {
        &self.times
    }

    pub(crate) fn add(&mut self, at: Timestamp) {
        let place = self.times.partition_point(|other| *other <= at);
        self.times.insert(place, at);
    }

    /// Gives back one that was counted at `at`.
    pub(crate) fn take(&mut self, at: Timestamp) {
        if let Ok(place) = self.times.binary_search(&at) {
            self.times.remove(place);
        }
    }

    /// Keeps what is within `span` from now on, and drops what nobody can ask for.
    pub(crate) fn keep(&mut self, span: Duration, now: Timestamp) {
        self.span = self.span.max(span);
        let kept = self.span.saturating_add(SLACK);
        let over = self.times.partition_point(|at| at.plus(kept) <= now);
        // Moving the rest down is worth it once it is the smaller part.
        if over * 2 >= self.times.len() {
            self.times.drain(..over);
        }
    }
}

#[cfg(feature = "magiccode")]
impl Log {
    /// Gives back what was counted last, and answers when that was.
    pub(crate) fn take_last(&mut self) -> Option<Timestamp> {
        self.times.pop()
    }
}

/// How many of `times` are in the `span` that ends at `now`.
#[cfg(feature = "magiccode")]
pub(crate) fn within(times: &[Timestamp], span: Duration, now: Timestamp) -> u32 {
    let over = times.partition_point(|at| at.plus(span) <= now);
    u32::try_from(times.len() - over).unwrap_or(u32::MAX)
}

/// One log for each key.
pub(crate) struct Logs<K> {
    by_key: HashMap<K, Log>,
    sweep_at: usize,
}

impl<K> Default for Logs<K> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            sweep_at: FEW,
        }
    }
}

impl<K: Clone + Eq + Hash> Logs<K> {
    /// What was counted under `key`, oldest first.
    pub(crate) fn times(&self, key: &K) -> &[Timestamp] {
        self.by_key.get(key).map_or(&[], Log::times)
    }

    /// The log of `key`, which from now on keeps what is within `span`.
    pub(crate) fn log(&mut self, key: &K, span: Duration, now: Timestamp) -> &mut Log {
        if self.by_key.len() >= self.sweep_at {
            self.sweep(now);
        }
        let log = self.by_key.entry(key.clone()).or_default();
        log.keep(span, now);
        log
    }

    /// Gives back one that was counted under `key` at `at`.
    pub(crate) fn take(&mut self, key: &K, at: Timestamp) {
        if let Some(log) = self.by_key.get_mut(key) {
            log.take(at);
        }
    }

    /// Forgets the keys under which nothing counts any more. Waiting until they have doubled makes
    /// this cost little for each.
    fn sweep(&mut self, now: Timestamp) {
        self.by_key.retain(|_, log| {
            log.keep(Duration::ZERO, now);
            !log.times.is_empty()
        });
        self.sweep_at = FEW.max(self.by_key.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn times_are_in_order_whoever_comes_first() {
        let mut log = Log::default();
        for seconds in [5, 3, 9, 3] {
            log.add(at(seconds));
        }
        assert_eq!(log.times(), [at(3), at(3), at(5), at(9)]);
    }

    #[test]
    fn what_a_rule_may_ask_for_stays() {
        let mut log = Log::default();
        log.keep(SPAN, at(0));
        log.add(at(0));
        log.keep(Duration::ZERO, at(60 + 9));
        assert_eq!(
            log.times(),
            [at(0)],
            "the longer span counts, and a caller may be late"
        );
        log.keep(SPAN, at(60 + 10));
        assert!(log.times().is_empty());
    }

    // MC13, MC24
    #[test]
    fn a_flood_of_keys_does_not_grow_for_ever() {
        let mut logs = Logs::default();
        for second in 0..100_000 {
            logs.log(&second, SPAN, at(second)).add(at(second));
        }
        assert!(
            logs.by_key.len() <= FEW,
            "{} keys are kept",
            logs.by_key.len()
        );
        assert_eq!(logs.times(&99_999), [at(99_999)]);
    }
}
