//! What a limiter promises: [`Limiter`].

use std::{sync::Arc, time::Duration};

use ps_core::{Hit, LimitKey, LimitRule, Limited, Limiter, Timestamp};

use super::common::{
    HOUR, MILLISECOND, MINUTE, NOW, ROUNDS, SECOND, just_before, many_at_once, race,
};

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
            two_hits_of_one_key_are_two
            what_is_given_back_is_free_again
            what_was_not_counted_then_is_not_given_back
            what_a_call_gives_back_makes_no_room_in_it
            right_guesses_among_many_wrong_ones_cost_nothing
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
    for _ in 0..10 {
        assert!(passes(&limiter, &[Hit::peek(key("a"), FIVE)], NOW).await);
    }
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    assert!(
        !passes(
            &limiter,
            &[Hit::peek(key("a"), FIVE)],
            just_before(NOW.plus(MINUTE))
        )
        .await
    );
    assert!(passes(&limiter, &[Hit::peek(key("a"), FIVE)], NOW.plus(MINUTE)).await);
}

async fn two_hits_of_one_key_are_two(limiter: Store) {
    let twice = [hit("a", FIVE), hit("a", FIVE)];
    assert!(passes(&limiter, &twice, NOW).await);
    assert!(passes(&limiter, &twice, NOW).await);
    assert!(!passes(&limiter, &twice, NOW).await);
    assert!(passes(&limiter, &twice[..1], NOW).await);
    assert!(!passes(&limiter, &twice[..1], NOW).await);
}

async fn what_is_given_back_is_free_again(limiter: Store) {
    let at = |number| NOW.plus(SECOND * number);
    for number in 0..4 {
        assert!(passes(&limiter, &[hit("a", FIVE)], at(number)).await);
    }
    assert!(passes(&limiter, &[hit("a", FIVE)], at(3)).await);
    assert!(!passes(&limiter, &[hit("a", FIVE)], at(4)).await);
    // The two of one moment are two, and each is given back once.
    for taken in [3, 1, 3] {
        assert!(passes(&limiter, &[back("a")], at(taken)).await);
        assert!(passes(&limiter, &[hit("a", FIVE)], at(5)).await);
        assert!(!passes(&limiter, &[hit("a", FIVE)], at(5)).await);
    }
    // What was given back hides nothing that was counted before.
    assert!(passes(&limiter, &[hit("b", FIVE)], NOW).await);
    for number in 1..20 {
        assert!(passes(&limiter, &[hit("b", FIVE)], at(number)).await);
        assert!(passes(&limiter, &[back("b")], at(number)).await);
    }
    for _ in 0..4 {
        assert!(passes(&limiter, &[hit("b", FIVE)], at(20)).await);
    }
    assert!(!passes(&limiter, &[hit("b", FIVE)], at(20)).await);
    // The others still count, each for its own span.
    for number in [0, 2] {
        let free = at(number).plus(MINUTE);
        assert!(!passes(&limiter, &[hit("a", FIVE)], just_before(free)).await);
        assert!(passes(&limiter, &[hit("a", FIVE)], free).await);
    }
}

async fn what_was_not_counted_then_is_not_given_back(limiter: Store) {
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    // Another moment, another key.
    for moment in [just_before(NOW), NOW.plus(MILLISECOND)] {
        assert!(passes(&limiter, &[back("a")], moment).await);
    }
    assert!(passes(&limiter, &[back("b")], NOW).await);
    assert!(!passes(&limiter, &[hit("a", FIVE)], NOW).await);
    // One too many leaves nothing to be had later.
    for _ in 0..7 {
        assert!(passes(&limiter, &[back("a")], NOW).await);
    }
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    assert!(!passes(&limiter, &[hit("a", FIVE)], NOW).await);
    // When all of it is over and long swept, there is nothing to give back.
    let later = NOW.plus(HOUR);
    many_at_once(100, |other| {
        let limiter = Arc::clone(&limiter);
        async move {
            let key = LimitKey::new("flood", other);
            assert!(passes(&limiter, &[Hit::new(key, FIVE)], later).await);
        }
    })
    .await;
    for _ in 0..5 {
        assert!(passes(&limiter, &[hit("a", FIVE)], later).await);
    }
    assert!(passes(&limiter, &[back("a")], NOW).await);
    assert!(!passes(&limiter, &[hit("a", FIVE)], later).await);
}

async fn what_a_call_gives_back_makes_no_room_in_it(limiter: Store) {
    let both = [back("a"), hit("a", FIVE)];
    // What it counts itself is not what it gives back.
    for _ in 0..5 {
        assert!(passes(&limiter, &both[..], NOW).await);
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW.plus(SECOND)).await);
        assert!(passes(&limiter, &[back("a")], NOW.plus(SECOND)).await);
    }
    let answer = limiter.hit(&[Hit::peek(key("a"), FIVE)], NOW).await;
    let expected = Limited::Passed {
        left: 4,
        reset: MINUTE,
    };
    assert_eq!(answer.unwrap(), expected);
    for _ in 0..4 {
        assert!(passes(&limiter, &[hit("a", FIVE)], NOW).await);
    }
    // All or nothing: where the others are refused nothing is given back.
    let answer = limiter.hit(&both, NOW).await.unwrap();
    let expected = Limited::Refused {
        rule: 1,
        retry_after: MINUTE,
    };
    assert_eq!(answer, expected);
    assert!(!passes(&limiter, &[hit("a", FIVE)], NOW).await);
}

async fn right_guesses_among_many_wrong_ones_cost_nothing(limiter: Store) {
    let ten = LimitRule {
        limit: 10,
        per: MINUTE,
    };
    for round in 0..ROUNDS {
        let whom = format!("{round}");
        let admitted = race(64, |_| {
            let (limiter, whom) = (limiter.clone(), whom.clone());
            async move { passes(&limiter, &[hit(&whom, ten)], NOW).await }
        })
        .await;
        assert_eq!(admitted.into_iter().filter(|passed| *passed).count(), 10);
        race(64, |task| {
            let (limiter, whom) = (limiter.clone(), whom.clone());
            async move {
                if task < 4 {
                    assert!(passes(&limiter, &[back(&whom)], NOW).await);
                }
            }
        })
        .await;
        let admitted = race(64, |_| {
            let (limiter, whom) = (limiter.clone(), whom.clone());
            async move { passes(&limiter, &[hit(&whom, ten)], NOW).await }
        })
        .await;
        assert_eq!(admitted.into_iter().filter(|passed| *passed).count(), 4);
    }
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

fn key(whom: &str) -> LimitKey {
    LimitKey::new("test", whom)
}

fn hit(whom: &str, rule: LimitRule) -> Hit {
    Hit::new(key(whom), rule)
}

/// No rule judges it, whichever it names.
fn back(whom: &str) -> Hit {
    let none = LimitRule {
        limit: 0,
        per: SECOND,
    };
    Hit::back(key(whom), none)
}

async fn passes(limiter: &Store, hits: &[Hit], now: Timestamp) -> bool {
    let answer = limiter.hit(hits, now).await.unwrap();
    matches!(answer, Limited::Passed { .. })
}
