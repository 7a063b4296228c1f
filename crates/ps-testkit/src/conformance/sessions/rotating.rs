//! When the head moves on.

use super::*;

// SE14, ST2
pub(super) async fn of_many_rotations_at_once_one_advances(store: Store) {
    let session = session("a", NOW);
    open(&store, &session, NOW).await;
    for generation in 0..100 {
        let rotated = race(50, |_| {
            let (store, session) = (store.clone(), session.clone());
            async move { rotate(&store, &session, generation, None, NOW).await }
        })
        .await;
        let advanced: Vec<_> = rotated.into_iter().flatten().collect();
        assert_eq!(advanced.len(), 1);
        assert_eq!(advanced[0].generation, generation + 1);
    }
}

pub(super) async fn a_rotation_moves_the_head(store: Store) {
    let session = session("a", NOW);
    open(&store, &session, NOW).await;
    let keys = [1, 2].map(|byte| Some(RotationKey::from_bytes([byte; 32])));
    let first = rotate(&store, &session, 0, keys[0], NOW.plus(MINUTE))
        .await
        .unwrap();
    let expected = SessionRecord {
        generation: 1,
        rotation_key: keys[0],
        refreshed_at: NOW.plus(MINUTE),
        idle_ends_at: NOW.plus(MINUTE).plus(IDLE),
        ..session.clone()
    };
    assert_eq!(first, expected);
    assert_eq!(find(&store, &session).await, Some(expected));
    let second = rotate(&store, &session, 1, keys[1], NOW.plus(HOUR))
        .await
        .unwrap();
    assert_eq!(
        (second.rotation_key, second.rotation_key_before),
        (keys[1], keys[0])
    );
    let third = rotate(&store, &session, 2, None, NOW.plus(HOUR))
        .await
        .unwrap();
    assert_eq!(
        (third.rotation_key, third.rotation_key_before),
        (None, keys[1])
    );
    assert_eq!(third.authenticated_at, NOW, "SE26: no refresh renews it");
    assert_eq!(feed(&*store).await, []);
}

// SE14, SE23
pub(super) async fn only_the_head_of_a_live_session_rotates(store: Store) {
    let session = session("a", NOW);
    open(&store, &session, NOW).await;
    rotate(&store, &session, 0, None, NOW).await.unwrap();
    let unknown = self::session("a", NOW);
    let refused = [
        (&session, 0, NOW, "an older token"),
        (&session, 2, NOW, "beyond the head"),
        (&unknown, 0, NOW, "unknown"),
        (&session, 1, NOW.plus(IDLE), "idle"),
    ];
    let before = find(&store, &session).await;
    for (session, generation, now, why) in refused {
        assert_eq!(
            rotate(&store, session, generation, None, now).await,
            None,
            "{why}"
        );
    }
    assert_eq!(find(&store, &session).await, before);
    let last = just_before(NOW.plus(IDLE));
    assert!(rotate(&store, &session, 1, None, last).await.is_some());
    for generation in 2..5 {
        rotate(
            &store,
            &session,
            generation,
            None,
            NOW.plus(DAY * 6 * generation),
        )
        .await
        .unwrap();
    }
    assert!(
        rotate(&store, &session, 5, None, just_before(session.ends_at))
            .await
            .is_some()
    );
    assert_eq!(
        rotate(&store, &session, 6, None, session.ends_at).await,
        None,
        "at its end"
    );

    let ended = self::session("a", NOW);
    open(&store, &ended, NOW).await;
    end(&store, End::Family(&ended.family), NOW).await.unwrap();
    assert_eq!(rotate(&store, &ended, 0, None, NOW).await, None, "ended");

    let disabled = self::session("b", NOW);
    open(&store, &disabled, NOW).await;
    store.disable(&disabled.account, NOW).await.unwrap();
    assert_eq!(
        rotate(&store, &disabled, 0, None, NOW).await,
        None,
        "disabled"
    );
    store.enable(&disabled.account, NOW).await.unwrap();
    assert_eq!(
        rotate(&store, &disabled, 0, None, NOW).await,
        None,
        "for good"
    );
}

// SE22, SE23
pub(super) async fn a_late_caller_does_not_outrun_what_overturned_the_account(store: Store) {
    for is_claim in [true, false] {
        let session = session(if is_claim { "a" } else { "b" }, NOW);
        open(&store, &session, NOW).await;
        // It has expired by then, so there is nothing to end: only the version tells.
        if is_claim {
            claim(&*store, &session.account, NOW.plus(IDLE)).await;
        } else {
            store
                .disable(&session.account, NOW.plus(IDLE))
                .await
                .unwrap();
            store
                .enable(&session.account, NOW.plus(IDLE))
                .await
                .unwrap();
        }
        let earlier = just_before(NOW.plus(IDLE));
        assert_eq!(rotate(&store, &session, 0, None, earlier).await, None);
        let others = End::Others(&session.account, &session.id);
        assert_eq!(end(&store, others, earlier).await, None);
        assert_eq!(rotate(&store, &session, 0, None, earlier).await, None);
    }
}
