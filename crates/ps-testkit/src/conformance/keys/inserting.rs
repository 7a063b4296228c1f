//! Who may store a key, and how many.

use super::*;

pub(super) async fn a_key_is_stored_once(store: Store) {
    let first = key("a", NOW);
    insert(&store, &first, NOW).await;
    let same_digest = ApiKeyRecord {
        digest: first.digest,
        ..key("b", NOW)
    };
    let same_id = ApiKeyRecord {
        id: first.id,
        ..key("b", NOW)
    };
    for again in [&same_digest, &same_id] {
        let inserted = store
            .insert(again, AccountVersion::default(), AT_MOST, NOW)
            .await;
        assert!(inserted.is_err());
    }
    assert_eq!(store.find(&[first.digest]).await.unwrap(), [first]);
    assert_eq!(all(&store, "b").await, []);
}

// SE22
pub(super) async fn inserting_needs_the_version_of_the_proof(store: Store) {
    let key = key("a", NOW);
    let version = claim(&*store, &key.account, NOW).await;
    for other in [AccountVersion::default(), version.next()] {
        let inserted = store.insert(&key, other, AT_MOST, NOW).await.unwrap();
        assert_eq!(inserted, KeyInserted::AccountChanged);
    }
    store.disable(&key.account, NOW).await.unwrap();
    let inserted = store
        .insert(&key, version.next(), AT_MOST, NOW)
        .await
        .unwrap();
    assert_eq!(inserted, KeyInserted::AccountChanged, "disabled");
    assert_eq!(all(&store, "a").await, []);
    store.enable(&key.account, NOW).await.unwrap();
    let inserted = store
        .insert(&key, version.next(), AT_MOST, NOW)
        .await
        .unwrap();
    assert_eq!(inserted, KeyInserted::Done);
}

// AK5, ST2
pub(super) async fn many_inserts_at_once_end_at_the_bound(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let inserted = race(200, |_| {
            let (store, key) = (store.clone(), key(&name, NOW));
            async move { insert(&store, &key, NOW).await }
        })
        .await;
        let done = inserted.iter().filter(|one| **one == KeyInserted::Done);
        assert_eq!(done.count(), 25);
        let full = inserted.iter().filter(|one| **one == KeyInserted::Full);
        assert_eq!(full.count(), 175);
        assert_eq!(all(&store, &name).await.len(), 25);
    }
    assert_eq!(insert(&store, &key("b", NOW), NOW).await, KeyInserted::Done);
}

// AK5
pub(super) async fn only_active_keys_count(store: Store) {
    let insert_one_of = async |at_most, key: ApiKeyRecord, now| {
        store
            .insert(&key, AccountVersion::default(), at_most, now)
            .await
            .unwrap()
    };
    let expiring = ApiKeyRecord {
        expires_at: Some(NOW.plus(MINUTE)),
        ..key("a", NOW)
    };
    let ending = ApiKeyRecord {
        revoked_at: Some(NOW.plus(HOUR)),
        ..key("a", NOW)
    };
    let lasting = key("a", NOW);
    assert_eq!(insert_one_of(1, ending, NOW).await, KeyInserted::Done);
    assert_eq!(
        insert_one_of(1, expiring, NOW).await,
        KeyInserted::Done,
        "one is in its grace"
    );
    let before = just_before(NOW.plus(MINUTE));
    assert_eq!(
        insert_one_of(1, lasting.clone(), before).await,
        KeyInserted::Full
    );
    let after = NOW.plus(MINUTE);
    assert_eq!(
        insert_one_of(1, lasting.clone(), after).await,
        KeyInserted::Done,
        "expired"
    );
    assert_eq!(
        insert_one_of(1, key("a", NOW), after).await,
        KeyInserted::Full
    );
    store
        .revoke(&lasting.account, &lasting.id, after)
        .await
        .unwrap();
    assert_eq!(
        insert_one_of(1, key("a", NOW), after).await,
        KeyInserted::Done,
        "revoked"
    );
    assert_eq!(
        insert_one_of(0, key("a", NOW), after).await,
        KeyInserted::Full
    );
}
