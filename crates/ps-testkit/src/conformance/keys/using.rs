//! When a key was last used.

use super::*;

// AK10
pub(super) async fn a_use_is_noted_forwards_only(store: Store) {
    let mut keys = [key("a", NOW), key("a", NOW)];
    keys.sort_by_key(|key| key.id);
    for key in &keys {
        insert(&store, key, NOW).await;
    }
    let later = NOW.plus(MINUTE);
    store
        .touch(&[(keys[0].id, later), (keys[1].id, NOW)])
        .await
        .unwrap();
    store
        .touch(&[(keys[0].id, NOW), (KeyId::random(&SystemRandom), NOW)])
        .await
        .unwrap();
    let expected = ApiKeyRecord {
        last_used_at: Some(later),
        ..keys[0].clone()
    };
    assert_eq!(find(&store, &keys[0]).await, expected);
    assert_eq!(find(&store, &keys[1]).await.last_used_at, Some(NOW));
    assert_eq!(feed(&*store).await, []);
}

// AK10
pub(super) async fn a_use_never_undoes_a_revocation(store: Store) {
    for round in 0..ROUNDS {
        let key = key(&format!("{round}"), NOW);
        insert(&store, &key, NOW).await;
        race(64, |task| {
            let (store, key) = (store.clone(), key.clone());
            async move {
                if task == 32 {
                    store.revoke(&key.account, &key.id, NOW).await.unwrap();
                }
                store.touch(&[(key.id, NOW.plus(SECOND))]).await.unwrap();
            }
        })
        .await;
        let before = find(&store, &key).await;
        assert_eq!(before.revoked_at, Some(NOW));
        store.touch(&[(key.id, NOW.plus(HOUR))]).await.unwrap();
        assert_eq!(find(&store, &key).await, before);
    }
}

// AK10
pub(super) async fn a_use_is_noted_until_the_end_of_a_grace(store: Store) {
    let old = key("a", NOW);
    insert(&store, &old, NOW).await;
    let end = NOW.plus(HOUR);
    rotate(&store, &old, &replacement(end), NOW).await;
    for (at, noted) in [
        (NOW.plus(MINUTE), NOW.plus(MINUTE)),
        (just_before(end), just_before(end)),
        (end, just_before(end)),
        (end.plus(DAY), just_before(end)),
    ] {
        store.touch(&[(old.id, at)]).await.unwrap();
        assert_eq!(find(&store, &old).await.last_used_at, Some(noted));
    }
}
