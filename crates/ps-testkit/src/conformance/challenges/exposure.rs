//! When a new code has more digits.

use super::*;

// MC11
pub(super) async fn wrong_guesses_lengthen_new_codes(store: Store) {
    for round in 0..3 {
        guess(&store, "a", 5, NOW.plus(MINUTE * round)).await;
    }
    let late = NOW.plus(HOUR);
    guess(&store, "a", 4, late).await;
    assert_eq!(
        digits(&store, "a", late.plus(HOUR)).await,
        6,
        "19 wrong ones, none open"
    );
    guess(&store, "a", 1, late.plus(HOUR * 2)).await;
    assert_eq!(
        digits(&store, "a", late.plus(HOUR * 3)).await,
        8,
        "20 wrong ones"
    );
    assert_eq!(
        digits(&store, "b", late.plus(HOUR * 3)).await,
        6,
        "another address"
    );
    assert_eq!(digits(&store, "a", just_before(NOW.plus(DAY))).await, 8);
    assert_eq!(
        digits(&store, "a", NOW.plus(DAY)).await,
        6,
        "only time resets it"
    );
}

// MC11
pub(super) async fn open_attempts_lengthen_new_codes(store: Store) {
    let mut placed = Vec::new();
    for _ in 0..4 {
        placed.push(unlimited(&store, "a", NOW).await);
    }
    let expected = [6, 6, 6, 6];
    assert_eq!(
        placed.iter().map(|one| one.digits).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(digits(&store, "a", NOW).await, 8, "20 attempts are open");
    let claimed = claim(&store, &placed[0], NOW).await.unwrap();
    assert_eq!(claimed.digits, 6, "fixed for the row's life");
    assert_eq!(
        digits(&store, "a", NOW).await,
        8,
        "a wrong guess counts as an open one did"
    );
    let end = placed[0].expires_at;
    assert_eq!(digits(&store, "a", just_before(end)).await, 8);
    assert_eq!(digits(&store, "a", end).await, 6, "the dead are not open");
}

// MC11
pub(super) async fn a_right_guess_does_not_lengthen_codes(store: Store) {
    let one = EXPOSURE.address.limit - 1;
    for _ in 0..one * 2 {
        let challenge = unlimited(&store, "a", NOW).await;
        assert_eq!(challenge.digits, 6);
        claim(&store, &challenge, NOW).await.unwrap();
        assert!(store.consume(&challenge.id, NOW).await.unwrap());
    }
    // One wrong, one right: the right one gives back its own and no more.
    let challenge = unlimited(&store, "a", NOW).await;
    claim(&store, &challenge, NOW).await.unwrap();
    claim(&store, &challenge, NOW).await.unwrap();
    assert!(store.consume(&challenge.id, NOW).await.unwrap());
    let strict = Exposure {
        address: LimitRule { limit: 1, per: DAY },
        ..EXPOSURE
    };
    let placed = store
        .place(&new("a", NOW), &strict, &strangers(MANY_SENDS), NOW)
        .await
        .unwrap();
    assert!(matches!(placed, Placed::Send(Challenge { digits: 8, .. })));
}

// MC14
pub(super) async fn wrong_guesses_on_all_addresses_lengthen_every_new_code(store: Store) {
    many_at_once(1_999, |address| {
        let store = Arc::clone(&store);
        async move { guess(&store, &format!("a{address}"), 1, NOW).await }
    })
    .await;
    let right = unlimited(&store, "b", NOW).await;
    claim(&store, &right, NOW).await.unwrap();
    assert_eq!(digits(&store, "c", NOW).await, 8, "it might be wrong");
    assert!(store.consume(&right.id, NOW).await.unwrap());
    assert_eq!(digits(&store, "d", NOW).await, 6, "it was right");
    guess(&store, "e", 1, NOW.plus(MINUTE)).await;
    assert_eq!(digits(&store, "f", just_before(NOW.plus(HOUR))).await, 8);
    assert_eq!(digits(&store, "g", NOW.plus(HOUR)).await, 6);
}

// MC11
pub(super) async fn guesses_at_once_are_all_counted(store: Store) {
    race(64, |_| {
        let store = store.clone();
        async move { guess(&store, "a", 5, NOW).await }
    })
    .await;
    let later = NOW.plus(HOUR);
    let at_limit = async |limit| {
        let address = LimitRule { limit, per: DAY };
        let exposure = Exposure {
            address,
            ..EXPOSURE
        };
        let new = NewChallenge {
            attempts: 0,
            ..new("a", later)
        };
        match store
            .place(&new, &exposure, &strangers(MANY_SENDS), later)
            .await
            .unwrap()
        {
            Placed::Send(challenge) => challenge.digits,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(at_limit(64 * 5 + 1).await, 6);
    assert_eq!(at_limit(64 * 5).await, 8);
}
