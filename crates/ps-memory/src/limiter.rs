//! Limits, counted in one log of times for each key.

use async_trait::async_trait;
use ps_core::{Hit, HitEffect, Limited, Limiter, StoreResult, Timestamp, judge_hits};

use crate::MemoryStore;

#[async_trait]
impl Limiter for MemoryStore {
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited> {
        let limits = &mut self.state().limits;
        let times = hits.iter().map(|hit| limits.times(&hit.key));
        let answer = judge_hits(hits, times, now);
        if let Limited::Passed { .. } = answer {
            let with = |effect| hits.iter().filter(move |hit| hit.effect == effect);
            for hit in with(HitEffect::GivesBack) {
                limits.take(&hit.key, now);
            }
            for hit in with(HitEffect::Counts) {
                limits.log(&hit.key, hit.rule.per, now).add(now);
            }
        }
        Ok(answer)
    }
}
