//! Limits, counted in one log of times for each key.

use async_trait::async_trait;
use ps_core::{Hit, Limited, Limiter, StoreResult, Timestamp, judge_limits};

use crate::MemoryStore;

#[async_trait]
impl Limiter for MemoryStore {
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited> {
        let limits = &mut self.state().limits;
        let rules = hits.iter().enumerate().map(|(place, hit)| {
            let cost = cost_so_far(&hits[..=place], hit);
            (hit.rule, cost, limits.times(&hit.key))
        });
        let answer = judge_limits(rules, now);
        if let Limited::Passed { .. } = answer {
            for hit in hits {
                let log = limits.log(&hit.key, hit.rule.per, now);
                (0..hit.cost).for_each(|_| log.add(now));
            }
        }
        Ok(answer)
    }
}

/// What `hit` and those before it cost under its key: two hits of one key in one call are two.
fn cost_so_far(hits: &[Hit], hit: &Hit) -> u32 {
    let same = hits.iter().filter(|other| other.key == hit.key);
    same.fold(0, |sum, other| sum.saturating_add(other.cost))
}
