//! What ends a key.

use super::*;

pub(super) async fn a_claim_revokes_every_key(store: Store) {
    let mine = [
        key("a", NOW),
        ApiKeyRecord {
            revoked_at: Some(NOW.plus(HOUR)),
            ..key("a", NOW)
        },
    ];
    let over = ApiKeyRecord {
        revoked_at: Some(NOW),
        ..key("a", NOW)
    };
    let other = key("b", NOW);
    for key in mine.iter().chain([&over, &other]) {
        insert(&store, key, NOW).await;
    }
    let now = NOW.plus(SECOND);
    claim(&*store, &account("a"), now).await;
    for key in &mine {
        assert_eq!(find(&store, key).await.revoked_at, Some(now));
    }
    assert_eq!(find(&store, &over).await.revoked_at, Some(NOW));
    assert_eq!(find(&store, &other).await.revoked_at, None);
    let told = feed(&*store).await;
    assert_eq!(told.len(), 2);
    assert!(
        mine.iter()
            .all(|key| told.contains(&Change::Key(key.digest)))
    );
}

// AK6
pub(super) async fn a_revoked_key_stays_revoked(store: Store) {
    let key = key("a", NOW);
    insert(&store, &key, NOW).await;
    let revoked = race(64, |task| {
        let (store, key) = (store.clone(), key.clone());
        async move {
            store
                .revoke(&key.account, &key.id, NOW.plus(SECOND * task as u32))
                .await
        }
    })
    .await;
    assert!(
        revoked
            .into_iter()
            .all(|one| one.unwrap() == Some(key.digest))
    );
    assert_eq!(
        find(&store, &key).await.revoked_at,
        Some(NOW),
        "the earliest counts"
    );
    store
        .revoke(&key.account, &key.id, NOW.plus(HOUR))
        .await
        .unwrap();
    assert_eq!(find(&store, &key).await.revoked_at, Some(NOW));
    let told = feed(&*store).await;
    assert!(!told.is_empty() && told.iter().all(|change| *change == Change::Key(key.digest)));
}

pub(super) async fn revoking_brings_a_later_end_forward(store: Store) {
    let key = ApiKeyRecord {
        revoked_at: Some(NOW.plus(HOUR)),
        ..key("a", NOW)
    };
    insert(&store, &key, NOW).await;
    let digest = store
        .revoke(&key.account, &key.id, NOW.plus(MINUTE))
        .await
        .unwrap();
    assert_eq!(digest, Some(key.digest));
    assert_eq!(find(&store, &key).await.revoked_at, Some(NOW.plus(MINUTE)));
    assert_eq!(feed(&*store).await, [Change::Key(key.digest)]);
}
