//! Limiters.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{Hit, HitEffect, LimitRule, Limited, Limiter, StoreResult, Timestamp};
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
        (Flaw::LimitCountsAKeyOnce, "two_hits_of_one_key_are_two"),
        (
            Flaw::LimitGivesNothingBack,
            "what_is_given_back_is_free_again",
        ),
        (Flaw::LimitGivesAllBack, "what_is_given_back_is_free_again"),
        (
            Flaw::LimitGivesTheLatestBack,
            "what_was_not_counted_then_is_not_given_back",
        ),
        (
            Flaw::LimitGivesBackWithoutEnd,
            "what_was_not_counted_then_is_not_given_back",
        ),
        (
            Flaw::LimitGivesBackFirst,
            "what_a_call_gives_back_makes_no_room_in_it",
        ),
        (
            Flaw::LimitGivesBackLast,
            "what_a_call_gives_back_makes_no_room_in_it",
        ),
        (
            Flaw::LimitGivesNothingBack,
            "right_guesses_among_many_wrong_ones_cost_nothing",
        ),
        (
            Flaw::LimitReadsThenWrites,
            "right_guesses_among_many_wrong_ones_cost_nothing",
        ),
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
                let peeks = each(|hit| match hit.effect {
                    HitEffect::Counts => Hit::peek(hit.key, hit.rule),
                    HitEffect::Asks | HitEffect::GivesBack => hit,
                });
                let asked = sound.hit(&peeks, now).await?;
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
                let counted = each(|hit| match hit.effect {
                    HitEffect::Asks => Hit::new(hit.key, hit.rule),
                    HitEffect::Counts | HitEffect::GivesBack => hit,
                });
                sound.hit(&counted, now).await
            }
            Flaw::LimitGivesNothingBack => sound.hit(&given_and_others(hits).1, now).await,
            Flaw::LimitGivesAllBack => {
                let (given, mut all) = given_and_others(hits);
                all.extend(given.iter().cycle().take(given.len() * 100).cloned());
                sound.hit(&all, now).await
            }
            Flaw::LimitGivesTheLatestBack => {
                let (given, others) = given_and_others(hits);
                let latest = {
                    let mut notes = self.notes();
                    if !others.is_empty() {
                        notes.latest = Some(now);
                    }
                    notes.latest.unwrap_or(now)
                };
                sound.hit(&given, latest).await?;
                sound.hit(&others, now).await
            }
            Flaw::LimitGivesBackWithoutEnd => {
                // Below nothing is a debt, which later hits pay first.
                let (given, mut others) = given_and_others(hits);
                sound.hit(&given, now).await?;
                {
                    let owed = &mut self.notes().owed;
                    let mut count = |hit: &Hit, by: i32| {
                        let count = owed.entry((hit.key.clone(), now)).or_default();
                        *count += by;
                        *count
                    };
                    given.iter().for_each(|hit| {
                        count(hit, -1);
                    });
                    others.retain(|hit| hit.effect == HitEffect::Asks || count(hit, 1) > 0);
                }
                sound.hit(&others, now).await
            }
            Flaw::LimitGivesBackFirst => {
                let (given, others) = given_and_others(hits);
                sound.hit(&given, now).await?;
                sound.hit(&others, now).await
            }
            Flaw::LimitGivesBackLast => {
                let (given, others) = given_and_others(hits);
                let answer = sound.hit(&others, now).await?;
                sound.hit(&given, now).await?;
                Ok(answer)
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

fn given_and_others(hits: &[Hit]) -> (Vec<Hit>, Vec<Hit>) {
    let gives = |hit: &Hit| hit.effect == HitEffect::GivesBack;
    hits.iter().cloned().partition(gives)
}
