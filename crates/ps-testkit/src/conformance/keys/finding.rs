//! What is found by its digest.

use super::*;

pub(super) async fn what_was_inserted_is_found_by_its_digest(store: Store) {
    let keys = [key("a", NOW), key("a", NOW), key("b", NOW)];
    for key in &keys {
        assert_eq!(insert(&store, key, NOW).await, KeyInserted::Done);
    }
    let unknown = key("a", NOW).digest;
    let mut found = store
        .find(&[keys[2].digest, unknown, keys[0].digest])
        .await
        .unwrap();
    found.sort_by_key(|found| found.digest != keys[0].digest);
    assert_eq!(found, [keys[0].clone(), keys[2].clone()]);
    assert_eq!(store.find(&[unknown]).await.unwrap(), []);
    assert_eq!(store.find(&[]).await.unwrap(), []);
    // Of the expired and the revoked the caller judges.
    let expired = ApiKeyRecord {
        expires_at: Some(NOW),
        ..key("a", NOW)
    };
    insert(&store, &expired, NOW).await;
    store.revoke(&account("a"), &keys[1].id, NOW).await.unwrap();
    let found = store.find(&[expired.digest, keys[1].digest]).await.unwrap();
    assert_eq!(found.len(), 2);
}

// AK9
pub(super) async fn a_disabled_owner_has_no_keys(store: Store) {
    let live = [
        key("a", NOW),
        ApiKeyRecord {
            revoked_at: Some(NOW.plus(HOUR)),
            ..key("a", NOW)
        },
    ];
    let over = [
        ApiKeyRecord {
            expires_at: Some(NOW),
            ..key("a", NOW)
        },
        ApiKeyRecord {
            revoked_at: Some(NOW),
            ..key("a", NOW)
        },
    ];
    let other = key("b", NOW);
    for key in live.iter().chain(&over).chain([&other]) {
        assert_eq!(insert(&store, key, NOW).await, KeyInserted::Done);
    }
    let digests: Vec<_> = live.iter().chain(&over).map(|key| key.digest).collect();
    let told = live.iter().map(|key| Change::Key(key.digest));

    store.disable(&account("a"), NOW).await.unwrap();
    assert_eq!(store.find(&digests).await.unwrap(), []);
    for digest in &digests {
        assert_eq!(store.find(&[*digest]).await.unwrap(), []);
    }
    assert_eq!(store.find(&[other.digest]).await.unwrap(), [other]);
    let after_disable = feed(&*store).await;
    assert_eq!(after_disable.len(), 2);
    assert!(told.clone().all(|change| after_disable.contains(&change)));

    store.enable(&account("a"), NOW).await.unwrap();
    assert_eq!(store.find(&digests).await.unwrap().len(), 4);
    let after_enable = feed(&*store).await.split_off(2);
    assert_eq!(after_enable.len(), 2);
    assert!(told.clone().all(|change| after_enable.contains(&change)));
}

pub(super) async fn every_field_comes_back(store: Store) {
    let full = full_key("a/ö🗝 of somebody");
    let hardly = ApiKeyRecord {
        last_used_at: None,
        expires_at: None,
        ..full_key("b")
    };
    for key in [&full, &hardly] {
        assert_eq!(insert(&store, key, NOW).await, KeyInserted::Done);
        assert_eq!(find(&store, key).await, *key);
        let one = Listing::One(key.id);
        let listed = store.list(&key.account, &one).await.unwrap();
        assert_eq!(listed.keys, std::slice::from_ref(key));
    }
}

pub(super) async fn a_batch_of_any_size_is_found(store: Store) {
    let mut keys = Vec::new();
    for number in 0..256 {
        let key = key(&format!("{number}"), NOW);
        assert_eq!(insert(&store, &key, NOW).await, KeyInserted::Done);
        keys.push(key);
    }
    for size in [1, 2, 7, 8, 9, 63, 64, 65, 255, 256] {
        let digests: Vec<_> = keys[..size].iter().map(|key| key.digest).collect();
        let mut found = store.find(&digests).await.unwrap();
        found.sort_by_key(|found| digests.iter().position(|one| *one == found.digest));
        assert_eq!(found, keys[..size], "{size} at once");
    }
}
