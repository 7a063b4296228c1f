//! What a patch changes.

use super::*;

fn renamed() -> KeyPatch {
    KeyPatch {
        name: Some(KeyName::new("renamed").unwrap()),
        ..KeyPatch::default()
    }
}

/// Four patches, one for each thing that can be changed, and what each makes of a key.
fn patches(key: &ApiKeyRecord) -> [(KeyPatch, ApiKeyRecord); 4] {
    let name = KeyName::new("renamed").unwrap();
    let scopes = Scopes::new(["other:scope"]).unwrap();
    let allowed_addresses = AllowedAddresses::parse(["198.51.100.7"]).unwrap();
    let expires_at = Some(NOW.plus(DAY * 2));
    let (none, key) = (KeyPatch::default, || key.clone());
    [
        (renamed(), ApiKeyRecord { name, ..key() }),
        (
            KeyPatch {
                scopes: Some(scopes.clone()),
                ..none()
            },
            ApiKeyRecord { scopes, ..key() },
        ),
        (
            KeyPatch {
                allowed_addresses: Some(allowed_addresses.clone()),
                ..none()
            },
            ApiKeyRecord {
                allowed_addresses,
                ..key()
            },
        ),
        (
            KeyPatch {
                expires_at: Some(expires_at),
                ..none()
            },
            ApiKeyRecord {
                expires_at,
                ..key()
            },
        ),
    ]
}

pub(super) async fn a_patch_changes_what_it_names_and_nothing_else(store: Store) {
    for number in 0..4 {
        let key = full_key("a");
        insert(&store, &key, NOW).await;
        let (patch, expected) = &patches(&key)[number];
        let updated = update(&store, &key, patch, NOW).await;
        assert_eq!(updated, KeyUpdated::Done(Box::new(expected.clone())));
        assert_eq!(find(&store, &key).await, *expected);
    }
    let key = full_key("b");
    insert(&store, &key, NOW).await;
    let same = update(&store, &key, &KeyPatch::default(), NOW).await;
    assert_eq!(same, KeyUpdated::Done(Box::new(key.clone())));

    // What is emptied is not left as it was.
    let emptied = KeyPatch {
        name: None,
        scopes: Some(Scopes::default()),
        allowed_addresses: Some(AllowedAddresses::default()),
        expires_at: Some(None),
    };
    let expected = ApiKeyRecord {
        scopes: Scopes::default(),
        allowed_addresses: AllowedAddresses::default(),
        expires_at: None,
        ..key.clone()
    };
    let updated = update(&store, &key, &emptied, NOW).await;
    assert_eq!(updated, KeyUpdated::Done(Box::new(expected.clone())));
    assert_eq!(find(&store, &key).await, expected);
}

pub(super) async fn an_expired_key_may_be_given_a_longer_life(store: Store) {
    let key = ApiKeyRecord {
        expires_at: Some(NOW),
        ..key("a", NOW)
    };
    insert(&store, &key, NOW).await;
    let longer = KeyPatch {
        expires_at: Some(Some(NOW.plus(DAY))),
        ..KeyPatch::default()
    };
    let updated = update(&store, &key, &longer, NOW.plus(HOUR)).await;
    let expected = ApiKeyRecord {
        expires_at: Some(NOW.plus(DAY)),
        ..key
    };
    assert_eq!(updated, KeyUpdated::Done(Box::new(expected)));
}

// AK6
pub(super) async fn a_patch_needs_its_owner_and_a_key_that_is_not_revoked(store: Store) {
    let mine = key("a", NOW);
    let over = [NOW.minus(SECOND), NOW, NOW.plus(HOUR)].map(|end| ApiKeyRecord {
        revoked_at: Some(end),
        ..key("a", NOW)
    });
    for key in over.iter().chain([&mine]) {
        insert(&store, key, NOW).await;
    }
    let stranger = store.update(&account("b"), &mine.id, &renamed(), NOW).await;
    assert_eq!(stranger.unwrap(), KeyUpdated::NotFound);
    let unknown = update(&store, &key("a", NOW), &renamed(), NOW).await;
    assert_eq!(unknown, KeyUpdated::NotFound);
    for key in &over {
        let updated = update(&store, key, &renamed(), NOW).await;
        assert_eq!(updated, KeyUpdated::Revoked, "even one in its grace");
        assert_eq!(find(&store, key).await, *key);
    }
    assert_eq!(find(&store, &mine).await, mine);
    assert_eq!(feed(&*store).await, []);
}

pub(super) async fn patches_at_once_lose_nothing(store: Store) {
    let mut keys = Vec::new();
    for number in 0..64 {
        let key = full_key(&format!("{number}"));
        insert(&store, &key, NOW).await;
        keys.push(key);
    }
    let racing: Arc<[_]> = keys.clone().into();
    race(64 * 4, |task| {
        let (store, keys) = (Arc::clone(&store), Arc::clone(&racing));
        async move {
            let key = &keys[task / 4];
            let (patch, _) = &patches(key)[task % 4];
            let updated = update(&store, key, patch, NOW).await;
            assert!(matches!(updated, KeyUpdated::Done(_)));
        }
    })
    .await;
    for key in &keys {
        let [name, scopes, addresses, expiry] = patches(key).map(|(_, patched)| patched);
        let all = ApiKeyRecord {
            name: name.name,
            scopes: scopes.scopes,
            allowed_addresses: addresses.allowed_addresses,
            ..expiry
        };
        assert_eq!(find(&store, key).await, all);
    }
}

// AK7
pub(super) async fn a_patch_never_undoes_a_revocation(store: Store) {
    let mut keys = Vec::new();
    for number in 0..64 {
        let key = key(&format!("{number}"), NOW);
        insert(&store, &key, NOW).await;
        keys.push(key);
    }
    let keys: Arc<[_]> = keys.into();
    race(64 * 4, |task| {
        let (store, keys) = (Arc::clone(&store), Arc::clone(&keys));
        async move {
            let key = &keys[task / 4];
            if task % 4 == 0 {
                let revoked = store.revoke(&key.account, &key.id, NOW).await;
                assert_eq!(revoked.unwrap(), Some(key.digest));
            }
            update(&store, key, &renamed(), NOW).await;
        }
    })
    .await;
    for key in &*keys {
        assert_eq!(find(&store, key).await.revoked_at, Some(NOW));
        let updated = update(&store, key, &renamed(), NOW).await;
        assert_eq!(updated, KeyUpdated::Revoked);
    }
}
