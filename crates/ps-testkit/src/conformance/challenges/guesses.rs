//! How often a challenge may be guessed at, and how often won.

use std::collections::HashSet;

use super::*;

// MC4
pub(super) async fn of_many_guesses_at_once_five_get_through(store: Store) {
    for round in 0..ROUNDS {
        // Ten thousand once, and then those only whom a lock could let through together.
        let each = if round == 0 { 10_000 / 64 + 1 } else { 1 };
        let challenge = place(&store, &format!("a{round}"), NOW).await;
        let claimed = race(64, |_| {
            let (store, challenge) = (store.clone(), challenge.clone());
            async move {
                let mut claimed = Vec::new();
                for _ in 0..each {
                    claimed.extend(claim(&store, &challenge, NOW).await);
                }
                claimed
            }
        })
        .await;
        let left: Vec<_> = claimed
            .into_iter()
            .flatten()
            .map(|one| one.attempts_left)
            .collect();
        assert_eq!(left.len(), 5);
        assert_eq!(
            left.into_iter().collect::<HashSet<_>>(),
            HashSet::from([4, 3, 2, 1, 0])
        );
    }
}

// MC5
pub(super) async fn attempts_stay_used(store: Store) {
    let challenge = place(&store, "a", NOW).await;
    for left in (0..5).rev() {
        let claimed = claim(&store, &challenge, NOW).await.unwrap();
        assert_eq!(
            claimed,
            Challenge {
                attempts_left: left,
                ..challenge.clone()
            }
        );
    }
    assert_eq!(claim(&store, &challenge, NOW).await, None);
    let other = place(&store, "a", NOW).await;
    assert!(
        claim(&store, &other, NOW).await.is_some(),
        "each challenge has its own"
    );
}

// MC6, MC7
pub(super) async fn another_address_or_purpose_costs_no_attempt(store: Store) {
    let challenge = place(&store, "a", NOW).await;
    let (id, mine) = (&challenge.id, Some(&challenge.email));
    let theirs = email("b@example.com");
    for _ in 0..10 {
        let refused = [
            store
                .claim_attempt(id, Some(&theirs), Purpose::SignIn, NOW)
                .await,
            store.claim_attempt(id, mine, Purpose::Register, NOW).await,
            store.claim_attempt(id, None, Purpose::Register, NOW).await,
            store
                .claim_attempt(
                    &ChallengeId::random(&SystemRandom),
                    mine,
                    Purpose::SignIn,
                    NOW,
                )
                .await,
        ];
        assert!(refused.into_iter().all(|one| one.unwrap().is_none()));
    }
    let claimed = store
        .claim_attempt(id, None, Purpose::SignIn, NOW)
        .await
        .unwrap();
    assert_eq!(claimed.unwrap().attempts_left, 4);
}

// MC2
pub(super) async fn a_code_dies_at_its_end(store: Store) {
    let challenge = place(&store, "a", NOW).await;
    let end = NOW.plus(MINUTE * 10);
    assert!(claim(&store, &challenge, just_before(end)).await.is_some());
    assert_eq!(claim(&store, &challenge, end).await, None);
    assert!(!store.consume(&challenge.id, end).await.unwrap());
    assert!(
        store
            .consume(&challenge.id, just_before(end))
            .await
            .unwrap()
    );
    assert!(
        !store
            .consume(&ChallengeId::random(&SystemRandom), NOW)
            .await
            .unwrap()
    );
}

// MC3, ST2
pub(super) async fn of_many_right_guesses_at_once_one_wins(store: Store) {
    for round in 0..ROUNDS {
        let challenge = place(&store, &format!("a{round}"), NOW).await;
        let won = race(64, |_| {
            let (store, challenge) = (store.clone(), challenge.clone());
            async move {
                claim(&store, &challenge, NOW).await;
                store.consume(&challenge.id, NOW).await.unwrap()
            }
        })
        .await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        assert_eq!(claim(&store, &challenge, NOW).await, None);
    }
}

// MC3
pub(super) async fn the_last_attempt_can_win_and_only_once(store: Store) {
    let challenge = place(&store, "a", NOW).await;
    for _ in 0..5 {
        assert!(claim(&store, &challenge, NOW).await.is_some());
    }
    assert!(store.consume(&challenge.id, NOW).await.unwrap());
    for _ in 0..2 {
        assert!(!store.consume(&challenge.id, NOW).await.unwrap());
        assert_eq!(claim(&store, &challenge, NOW).await, None);
    }
}
