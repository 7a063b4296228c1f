//! Limiters.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{Hit, LimitRule, Limited, Limiter, StoreResult, Timestamp};
use ps_testkit::conformance::limiter as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limiters_fail() {
    let table = [
        (
            Flaw::LimitReadsThenWrites,
            "of_many_at_once_as_many_pass_as_the_rule_allows",
        ),
        (Flaw::LimitEndsEarly, "a_span_ends_to_the_millisecond"),
        (Flaw::LimitEndsLate, "a_span_ends_to_the_millisecond"),
        (
            Flaw::LimitByTheMinute,
            "no_span_of_any_beginning_holds_more",
        ),
        (
            Flaw::LimitCountsRefused,
            "one_refusal_counts_nothing_under_any_rule",
        ),
        (Flaw::LimitCountsQuestions, "asking_counts_nothing"),
        (Flaw::LimitCostsOne, "a_cost_is_counted_whole_or_not_at_all"),
        (Flaw::LimitCountsAKeyOnce, "two_hits_of_one_key_are_two"),
        (
            Flaw::LimitByTheLatestClock,
            "who_read_the_clock_earlier_and_comes_later_is_counted",
        ),
        (
            Flaw::LimitEvicts,
            "a_flood_of_other_keys_makes_nothing_forgotten",
        ),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl Limiter for Broken {
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited> {
        let sound = self.sound();
        let each = |change: fn(Hit) -> Hit| hits.iter().cloned().map(change).collect::<Vec<_>>();
        match self.flaw {
            Flaw::LimitReadsThenWrites => {
                let asked = sound
                    .hit(&each(|hit| Hit::peek(hit.key, hit.rule)), now)
                    .await?;
                if let Limited::Passed { .. } = asked {
                    self.pause().await;
                    let unlimited = each(|hit| Hit {
                        rule: LimitRule {
                            limit: u32::MAX,
                            ..hit.rule
                        },
                        ..hit
                    });
                    sound.hit(&unlimited, now).await?;
                }
                Ok(asked)
            }
            Flaw::LimitEndsEarly => {
                let shorter = each(|hit| lasting(hit.rule.per - MILLISECOND, hit));
                sound.hit(&shorter, now).await
            }
            Flaw::LimitEndsLate => {
                let longer = each(|hit| lasting(hit.rule.per + MILLISECOND, hit));
                sound.hit(&longer, now).await
            }
            Flaw::LimitByTheMinute => {
                let minute = now.as_millis() / 60_000 * 60_000;
                sound.hit(hits, Timestamp::from_millis(minute)).await
            }
            Flaw::LimitCountsRefused => {
                let mut answer = None;
                for hit in hits {
                    let one = sound.hit(std::slice::from_ref(hit), now).await?;
                    answer = match answer {
                        Some(refused @ Limited::Refused { .. }) => Some(refused),
                        _ => Some(one),
                    };
                }
                Ok(answer.unwrap())
            }
            Flaw::LimitCountsQuestions => {
                let counted = each(|hit| Hit {
                    cost: hit.cost.max(1),
                    ..hit
                });
                sound.hit(&counted, now).await
            }
            Flaw::LimitCostsOne => {
                let cheap = each(|hit| Hit {
                    cost: hit.cost.min(1),
                    ..hit
                });
                sound.hit(&cheap, now).await
            }
            Flaw::LimitCountsAKeyOnce => {
                let mut once = hits.to_vec();
                once.dedup_by(|one, other| one.key == other.key);
                sound.hit(&once, now).await
            }
            Flaw::LimitByTheLatestClock => {
                let latest = {
                    let mut notes = self.notes();
                    notes.latest = notes.latest.max(Some(now));
                    notes.latest.unwrap()
                };
                sound.hit(hits, latest).await
            }
            Flaw::LimitEvicts => {
                let sound = {
                    let mut notes = self.notes();
                    notes.asked += 1;
                    if notes.asked.is_multiple_of(1_000) {
                        notes.sound = ps_memory::MemoryStore::new();
                    }
                    notes.sound.clone()
                };
                sound.hit(hits, now).await
            }
            _ => sound.hit(hits, now).await,
        }
    }
}

fn lasting(per: Duration, hit: Hit) -> Hit {
    let limit = hit.rule.limit;
    Hit {
        rule: LimitRule { limit, per },
        ..hit
    }
}
