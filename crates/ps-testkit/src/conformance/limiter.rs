//! What a limiter promises: [`Limiter`].

use std::{sync::Arc, time::Duration};

use ps_core::{Hit, LimitKey, LimitRule, Limited, Limiter, Timestamp};

use super::common::{MILLISECOND, MINUTE, NOW, SECOND, just_before, many_at_once, race};

/// What this suite tests.
pub trait Ports: Limiter {}
impl<T: Limiter> Ports for T {}
type Store = Arc<dyn Ports>;

const FIVE: LimitRule = LimitRule {
    limit: 5,
    per: MINUTE,
};

suite! {
    $ limiter __limiter {
        self {
            of_many_at_once_as_many_pass_as_the_rule_allows
            no_span_of_any_beginning_holds_more
            a_span_ends_to_the_millisecond
            one_refusal_counts_nothing_under_any_rule
            asking_counts_nothing
            a_cost_is_counted_whole_or_not_at_all
            two_hits_of_one_key_are_two
            who_read_the_clock_earlier_and_comes_later_is_counted
            a_flood_of_other_keys_makes_nothing_forgotten
        }
    }
}

async fn of_many_at_once_as_many_pass_as_the_rule_allows(limiter: Store) {
    let rule = LimitRule {
        limit: 100,
        per: MINUTE,
    };
    let passed = race(64, |_| {
        let limiter = limiter.clone();
        async move {
            let mut passed = 0;
            for _ in 0..10 {
                passed += u32::from(passes(&limiter, &[hit("a", rule)], NOW).await);
            }
            passed
        }
    })
    .await;
    assert_eq!(passed.into_iter().sum::<u32>(), 100);
}

async fn no_span_of_any_beginning_holds_more(limiter: Store) {
    let mut now = NOW;
    let mut counted: Vec<Timestamp> = Vec::new();
    for step in 0..2_000u64 {
        // Gaps without a pattern, from none to twenty seconds.
        now = now.plus(Duration::from_millis(step * step * 7919 % 20_011));
        let recent = counted.iter().filter(|at| now < at.plus(MINUTE)).count();
        let expected = recent < 5;
        assert_eq!(
            passes(&limiter, &[hit("a", FIVE)], now).await,
            expected,
            "step {step}"
        );
        if expected {
            counted.push(now);
        }
    }
    assert!(counted.len() > 100);
}

async fn a_span_ends_to_the_millisecond(limiter: Store) {
    for millisecond in 0..5 {
        let now = NOW.plus(MILLISECOND * millisecond);
        assert!(passes(&limiter, &[hit("a", FIVE)], now).await);
    }
    for millisecond in 0..5 {
        let free = NOW.plus(MINUTE).plus(MILLISECOND * millisecond);
        let refused = limiter.hit(&[hit("a", FIVE)], just_before(free)).await;
        let expected = Limited::Refused {
            rule: 0,
            retry_after: MILLISECOND,
        };
        assert_eq!(refused.unwrap(), expected);
        assert!(passes(&limiter, &[hit("a", FIVE)], free).await);
    }
}

async fn one_refusal_counts_nothing_under_any_rule(limiter: Store) {
    let strict = LimitRule {
        limit: 1,
        per: MINUTE,
    };
    assert!(passes(&limiter, &[hit("a", FIVE), hit("b", strict)], NOW).await);
    for _ in 0..10 {
        let answer = limiter
            .hit(&[hit("a", FIVE), hit("b", strict)], NOW)
            .await
            .unwrap();
        assert_eq!(
            answer,
            Limited::Refused {
                rule: 1,
                retry_after: MINUTE
            }
        );
    }
    let answer = limiter.hit(&[hit("a", FIVE)], NOW).await.unwrap();
    assert_eq!(
        answer,
        Limited::Passed {
            left: 3,
            reset: MINUTE
        }
    );
}

async fn asking_counts_nothing(limiter: Store) {
    let key = || LimitKey::new("test", "a");
    for _ in 0..10 {
        assert!(passes(&limiter, &[Hit::peek(key(), FIVE)], NOW).await);
    }
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    assert!(
        !passes(
            &limiter,
            &[Hit::peek(key(), FIVE)],
            just_before(NOW.plus(MINUTE))
        )
        .await
    );
    assert!(passes(&limiter, &[Hit::peek(key(), FIVE)], NOW.plus(MINUTE)).await);
}

async fn a_cost_is_counted_whole_or_not_at_all(limiter: Store) {
    let costing = |cost| Hit {
        cost,
        ..hit("a", FIVE)
    };
    assert!(passes(&limiter, &[costing(3)], NOW).await);
    assert!(!passes(&limiter, &[costing(3)], NOW).await);
    assert!(passes(&limiter, &[costing(2)], NOW).await);
    assert!(!passes(&limiter, &[costing(1)], NOW).await);
    assert!(
        !passes(
            &limiter,
            &[Hit {
                cost: u32::MAX,
                ..hit("b", FIVE)
            }],
            NOW
        )
        .await
    );
}

async fn two_hits_of_one_key_are_two(limiter: Store) {
    let twice = [hit("a", FIVE), hit("a", FIVE)];
    assert!(passes(&limiter, &twice, NOW).await);
    assert!(passes(&limiter, &twice, NOW).await);
    assert!(!passes(&limiter, &twice, NOW).await);
    assert!(passes(&limiter, &twice[..1], NOW).await);
    assert!(!passes(&limiter, &twice[..1], NOW).await);
}

async fn who_read_the_clock_earlier_and_comes_later_is_counted(limiter: Store) {
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    assert!(passes(&limiter, &[hit("a", FIVE)], NOW.plus(MINUTE)).await);
    let earlier = just_before(NOW.plus(MINUTE));
    assert!(!passes(&limiter, &[hit("a", FIVE)], earlier).await);
    assert!(!passes(&limiter, &[hit("a", FIVE)], just_before(NOW.plus(SECOND))).await);
}

// MC13
async fn a_flood_of_other_keys_makes_nothing_forgotten(limiter: Store) {
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    let last = just_before(NOW.plus(MINUTE));
    many_at_once(5_000, |other| {
        let limiter = Arc::clone(&limiter);
        async move {
            let key = LimitKey::new("flood", other);
            assert!(passes(&limiter, &[Hit::new(key, FIVE)], last).await);
        }
    })
    .await;
    assert!(!passes(&limiter, &[hit("a", FIVE)], last).await);
    assert!(passes(&limiter, &[hit("a", FIVE)], NOW.plus(MINUTE)).await);
}

fn hit(whom: &str, rule: LimitRule) -> Hit {
    Hit::new(LimitKey::new("test", whom), rule)
}

async fn passes(limiter: &Store, hits: &[Hit], now: Timestamp) -> bool {
    let answer = limiter.hit(hits, now).await.unwrap();
    matches!(answer, Limited::Passed { .. })
}
