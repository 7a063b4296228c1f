//! What is stored, and for how long.

use super::*;

pub(super) async fn what_was_placed_is_as_it_was_asked_for(store: Store) {
    let new = new("a", NOW);
    let expected = Challenge {
        id: new.id,
        purpose: new.purpose,
        email: new.email.clone(),
        digits: 6,
        key_version: new.key_version,
        attempts_left: 5,
        mailed_at: NOW,
        expires_at: new.expires_at,
    };
    let placed = store
        .place(&new, &EXPOSURE, &strangers(SENDS), NOW)
        .await
        .unwrap();
    assert_eq!(placed, Placed::Send(expected));
}

pub(super) async fn an_id_is_not_used_twice(store: Store) {
    let first = place(&store, "a", NOW).await;
    let second = NewChallenge {
        id: first.id,
        ..new("b", NOW)
    };
    assert!(
        store
            .place(&second, &EXPOSURE, &strangers(SENDS), NOW)
            .await
            .is_err()
    );
    assert!(claim(&store, &first, NOW).await.is_some());
}

pub(super) async fn a_long_rule_is_kept_as_long(store: Store) {
    let sends = SendBudget {
        daily: LimitRule {
            limit: 1,
            per: DAY * 3,
        },
        ..SENDS
    };
    let exposure = Exposure {
        address: LimitRule {
            limit: 6,
            per: DAY * 3,
        },
        ..EXPOSURE
    };
    let placed = store
        .place(&new("a", NOW), &exposure, &strangers(sends), NOW)
        .await
        .unwrap();
    let Placed::Send(challenge) = placed else {
        panic!("{placed:?}");
    };
    for _ in 0..5 {
        claim(&store, &challenge, NOW).await.unwrap();
    }
    let last = just_before(NOW.plus(DAY * 3));
    // Others come by in between, and what is old is looked through.
    many_at_once(3_000, |other| {
        let store = Arc::clone(&store);
        async move {
            place(&store, &format!("x{other}"), NOW.plus(DAY * 2)).await;
        }
    })
    .await;
    let placed = store
        .place(&new("a", last), &exposure, &strangers(sends), last)
        .await
        .unwrap();
    assert_eq!(
        placed,
        Placed::Spent {
            rule: sends.daily,
            retry_after: MILLISECOND
        }
    );
    let strict = Exposure {
        address: LimitRule {
            limit: 5,
            ..exposure.address
        },
        ..exposure
    };
    let placed = store
        .place(&new("a", last), &strict, &strangers(MANY_SENDS), last)
        .await
        .unwrap();
    assert!(matches!(placed, Placed::Send(Challenge { digits: 8, .. })));
}

// MC24
pub(super) async fn a_purge_forgets_what_expired_and_no_count(store: Store) {
    let mut placed = Vec::new();
    for minute in 0..5 {
        placed.push(place(&store, "a", NOW.plus(MINUTE * minute)).await);
    }
    guess(&store, "b", 5, NOW).await;
    let third = placed[2].expires_at;
    assert_eq!(store.purge(third, 2).await.unwrap(), 2);
    assert_eq!(store.purge(third, 10).await.unwrap(), 1);
    assert_eq!(store.purge(third, 10).await.unwrap(), 0);
    let now = NOW.plus(MINUTE * 4);
    assert_eq!(claim(&store, &placed[1], now).await, None);
    assert!(claim(&store, &placed[2], now).await.is_some());
    assert_eq!(refused(&store, "a", now).await, MINUTE * 56);
    let strict = Exposure {
        address: LimitRule { limit: 5, per: DAY },
        ..EXPOSURE
    };
    let placed = store
        .place(&new("b", now), &strict, &strangers(SENDS), now)
        .await
        .unwrap();
    assert!(matches!(placed, Placed::Send(Challenge { digits: 8, .. })));
}
