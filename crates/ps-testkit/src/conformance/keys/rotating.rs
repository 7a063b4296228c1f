//! How a key is replaced by another.

use std::slice;

use super::*;

pub(super) async fn a_rotation_replaces_a_key_by_one_like_it(store: Store) {
    let old = full_key("a");
    insert(&store, &old, NOW).await;
    let replacement = replacement(NOW.plus(HOUR));
    let now = NOW.plus(MINUTE);
    let new = ApiKeyRecord {
        id: replacement.id,
        digest: replacement.digest,
        hint: replacement.hint.clone(),
        created_at: now,
        last_used_at: None,
        ..old.clone()
    };
    let rotated = rotate(&store, &old, &replacement, now).await;
    let expected = KeyRotated::Done {
        new: Box::new(new.clone()),
        old: old.digest,
    };
    assert_eq!(rotated, expected);
    assert_eq!(find(&store, &new).await, new);
    let ending = ApiKeyRecord {
        revoked_at: Some(NOW.plus(HOUR)),
        ..old
    };
    assert_eq!(find(&store, &ending).await, ending);
    assert_eq!(all(&store, "a").await, [new, ending]);
}

pub(super) async fn the_grace_ends_no_later_than_the_key(store: Store) {
    let end = NOW.plus(HOUR);
    let table = [
        (None, end, end),
        (Some(end), just_before(end), just_before(end)),
        (Some(end), end, end),
        (Some(end), end.plus(MILLISECOND), end),
        (Some(end), NOW, NOW),
        (None, NOW, NOW),
    ];
    for (place, (expires_at, old_ends, revoked_at)) in table.into_iter().enumerate() {
        let old = ApiKeyRecord {
            expires_at,
            ..key("a", NOW)
        };
        insert(&store, &old, NOW).await;
        let rotated = rotate(&store, &old, &replacement(old_ends), NOW).await;
        assert!(matches!(rotated, KeyRotated::Done { .. }), "row {place}");
        let found = find(&store, &old).await;
        assert_eq!(found.revoked_at, Some(revoked_at), "row {place}");
    }
}

// AK5
pub(super) async fn of_many_rotations_at_once_one_is_done(store: Store) {
    for round in 0..10 {
        let old = key(&format!("{round}"), NOW);
        insert(&store, &old, NOW).await;
        let rotated = race(64, |_| {
            let (store, old) = (Arc::clone(&store), old.clone());
            async move { rotate(&store, &old, &replacement(NOW.plus(HOUR)), NOW).await }
        })
        .await;
        let is_done = |one: &KeyRotated| matches!(one, KeyRotated::Done { .. });
        let (done, others): (Vec<_>, Vec<_>) = rotated.into_iter().partition(is_done);
        assert_eq!(done.len(), 1);
        assert!(others.iter().all(|one| *one == KeyRotated::Revoked));
        assert_eq!(all(&store, old.account.as_str()).await.len(), 2);
    }
}

// SE22
pub(super) async fn rotating_needs_the_version_of_the_proof(store: Store) {
    let id = account("a");
    let version = claim(&*store, &id, NOW).await;
    let old = key("a", NOW);
    let inserted = store.insert(&old, version, AT_MOST, NOW).await;
    assert_eq!(inserted.unwrap(), KeyInserted::Done);
    let rotate_under = async |under| {
        let new = replacement(NOW);
        let rotated = store.rotate(&id, &old.id, &new, under, NOW).await;
        rotated.unwrap()
    };
    for other in [AccountVersion::default(), version.next()] {
        assert_eq!(rotate_under(other).await, KeyRotated::AccountChanged);
    }
    store.disable(&id, NOW).await.unwrap();
    let disabled = rotate_under(version.next()).await;
    assert_eq!(disabled, KeyRotated::AccountChanged, "disabled");
    assert_eq!(all(&store, "a").await, slice::from_ref(&old));
    store.enable(&id, NOW).await.unwrap();
    let rotated = rotate_under(version.next()).await;
    assert!(matches!(rotated, KeyRotated::Done { .. }));
}

// AK6
pub(super) async fn rotating_needs_an_active_key_of_its_owner(store: Store) {
    let end = NOW.plus(MINUTE);
    let expiring = ApiKeyRecord {
        expires_at: Some(end),
        ..key("a", NOW)
    };
    let over = [NOW, NOW.plus(HOUR)].map(|end| ApiKeyRecord {
        revoked_at: Some(end),
        ..key("a", NOW)
    });
    for key in over.iter().chain([&expiring]) {
        insert(&store, key, NOW).await;
    }
    let before = all(&store, "a").await;
    let (new, under) = (replacement(end), AccountVersion::default());
    let stranger = account("b");
    let foreign = store.rotate(&stranger, &expiring.id, &new, under, NOW);
    assert_eq!(foreign.await.unwrap(), KeyRotated::NotFound);
    let unknown = rotate(&store, &key("a", NOW), &new, NOW).await;
    assert_eq!(unknown, KeyRotated::NotFound);
    for key in &over {
        let rotated = rotate(&store, key, &new, NOW).await;
        assert_eq!(rotated, KeyRotated::Revoked);
    }
    let expired = rotate(&store, &expiring, &new, end).await;
    assert_eq!(expired, KeyRotated::Revoked, "expired");
    assert_eq!(all(&store, "a").await, before);
    assert_eq!(store.find(&[new.digest]).await.unwrap(), []);
    assert_eq!(feed(&*store).await, []);
    let in_time = rotate(&store, &expiring, &new, just_before(end)).await;
    assert!(matches!(in_time, KeyRotated::Done { .. }));
}

pub(super) async fn rotating_needs_a_name_and_a_digest_of_its_own(store: Store) {
    let (old, other) = (key("a", NOW), key("b", NOW));
    for key in [&old, &other] {
        insert(&store, key, NOW).await;
    }
    let taken = [
        Replacement {
            id: other.id,
            ..replacement(NOW)
        },
        Replacement {
            digest: other.digest,
            ..replacement(NOW)
        },
        Replacement {
            digest: old.digest,
            ..replacement(NOW)
        },
    ];
    for new in &taken {
        let (account, under) = (&old.account, AccountVersion::default());
        let rotated = store.rotate(account, &old.id, new, under, NOW).await;
        assert!(rotated.is_err(), "{rotated:?}");
        assert_eq!(find(&store, &old).await, old, "nothing of it was done");
    }
    assert_eq!(all(&store, "a").await.len(), 1);
    assert_eq!(feed(&*store).await, []);
}

// AK5
pub(super) async fn a_rotation_needs_no_room_and_makes_none(store: Store) {
    let mut keys = Vec::new();
    for _ in 0..AT_MOST {
        let key = key("a", NOW);
        assert_eq!(insert(&store, &key, NOW).await, KeyInserted::Done);
        keys.push(key);
    }
    for key in &keys[..3] {
        let rotated = rotate(&store, key, &replacement(NOW.plus(HOUR)), NOW).await;
        assert!(matches!(rotated, KeyRotated::Done { .. }));
        let another = self::key("a", NOW);
        assert_eq!(insert(&store, &another, NOW).await, KeyInserted::Full);
    }
}

// AK7
pub(super) async fn a_rotation_and_a_revocation_at_once_leave_the_old_key_revoked(store: Store) {
    for round in 0..ROUNDS {
        let mut keys = Vec::new();
        for number in 0..32 {
            let key = key(&format!("{round}/{number}"), NOW);
            insert(&store, &key, NOW).await;
            keys.push(key);
        }
        let racing: Arc<[_]> = keys.clone().into();
        let rotated = race(64, |task| {
            let (store, keys) = (Arc::clone(&store), Arc::clone(&racing));
            async move {
                // The first half rotates what the second revokes.
                let key = &keys[task % 32];
                if task < 32 {
                    let new = replacement(NOW.plus(HOUR));
                    return Some(rotate(&store, key, &new, NOW).await);
                }
                store.revoke(&key.account, &key.id, NOW).await.unwrap();
                None
            }
        })
        .await;
        for (key, rotated) in keys.iter().zip(rotated.into_iter().flatten()) {
            assert_eq!(find(&store, key).await.revoked_at, Some(NOW));
            let is_replaced = all(&store, key.account.as_str()).await.len() == 2;
            let is_done = matches!(rotated, KeyRotated::Done { .. });
            assert_eq!(is_replaced, is_done, "{rotated:?}");
        }
    }
}
