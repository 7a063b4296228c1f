//! What was under way when an account changed.

use super::*;

// SE22
pub(super) async fn what_was_in_flight_finds_the_account_changed(store: Store) {
    for overturn in OVERTURNS {
        let name = format!("{overturn:?}");
        let asking = asking(&store, &name).await;
        let under = store.standing(&account(&name)).await.unwrap().version;
        let old = key(&name, NOW);
        let inserted = store.insert(&old, under, 25, NOW).await.unwrap();
        assert_eq!(inserted, KeyInserted::Done);
        let linked = identity(&name, "google", &name);
        let done = store.link(&linked, Removed::Stays, under).await;
        assert_eq!(done.unwrap(), Linked::Done);
        overturn_account(&store, overturn, &asking).await;
        let password = PasswordStore::find(&*store, &account(&name)).await.unwrap();
        for enabled in [false, true] {
            let (key, session) = (key(&name, NOW), session_under(&name, under));
            let inserted = store.insert(&key, under, 25, NOW).await.unwrap();
            assert_eq!(inserted, KeyInserted::AccountChanged, "{overturn:?}");
            let rotated = rotate_key(&store, &old, under).await;
            assert!(!matches!(rotated, KeyRotated::Done { .. }), "{overturn:?}");
            let opened = store.open(&session, None, 20, NOW).await.unwrap();
            assert_eq!(opened, Opened::AccountChanged, "{overturn:?}");
            let raised = store
                .claim(&account(&name), &proof("a@example.com"), under, NOW)
                .await;
            assert_eq!(raised.unwrap(), Raised::Changed, "{overturn:?}");
            let new = identity(&name, "linkedin", &name);
            let linked = store.link(&new, Removed::IsLifted, under).await;
            assert_eq!(linked.unwrap(), Linked::AccountChanged, "{overturn:?}");
            let unlinked = store
                .unlink_unless_last(&account(&name), "google", &[], true, under, NOW)
                .await
                .unwrap();
            assert_eq!(unlinked, Unlinked::AccountChanged, "{overturn:?}");
            let late = PasswordHash::new("late");
            let raised = store
                .replace(&account(&name), &late, None, under, NOW)
                .await;
            assert_eq!(raised.unwrap(), Raised::Changed, "{overturn:?}");
            let found = PasswordStore::find(&*store, &account(&name)).await;
            assert_eq!(found.unwrap(), password, "{overturn:?}");
            if !enabled {
                store.enable(&account(&name), NOW).await.unwrap();
            }
        }
    }
}

// SE22
pub(super) async fn no_session_in_flight_survives(store: Store) {
    for overturn in OVERTURNS {
        for round in 0..10 {
            let name = format!("{overturn:?}{round}");
            let asking = asking(&store, &name).await;
            let opened = race(64, |task| {
                let (store, name, asking) = (store.clone(), name.clone(), asking.clone());
                async move {
                    if task == 32 {
                        overturn_account(&store, overturn, &asking).await;
                        return None;
                    }
                    let under = store.standing(&account(&name)).await.unwrap().version;
                    tokio::task::yield_now().await;
                    let session = session_under(&name, under);
                    store.open(&session, None, 100, NOW).await.unwrap();
                    Some(session)
                }
            })
            .await;
            let now = store.standing(&account(&name)).await.unwrap().version;
            for session in opened.into_iter().flatten().filter(|one| one.version < now) {
                let row = find(&store, &session).await;
                assert!(row.is_none_or(|row| row.ended_at.is_some()), "{overturn:?}");
            }
        }
    }
}

// SE22
pub(super) async fn no_key_in_flight_survives_a_claim(store: Store) {
    for round in 0..10 {
        let name = format!("{round}");
        let inserted = race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let under = store.standing(&account(&name)).await.unwrap().version;
                tokio::task::yield_now().await;
                if task == 32 {
                    let proof = proof("a@example.com");
                    let raised = store.claim(&account(&name), &proof, under, NOW).await;
                    assert!(matches!(raised.unwrap(), Raised::To(_)));
                    return None;
                }
                let key = key(&name, NOW);
                let inserted = store.insert(&key, under, 100, NOW).await.unwrap();
                (inserted == KeyInserted::Done).then_some((key, under))
            }
        })
        .await;
        for (key, under) in inserted.into_iter().flatten() {
            let one = Listing::One(key.id);
            let one = ApiKeyStore::list(&*store, &key.account, &one)
                .await
                .unwrap();
            let is_revoked = one.keys[0].revoked_at.is_some();
            assert_eq!(is_revoked, under == AccountVersion::default());
        }
    }
}

// SE22
pub(super) async fn no_rotated_key_in_flight_survives_a_claim(store: Store) {
    for round in 0..10 {
        let name = format!("{round}");
        let under = AccountVersion::default();
        let mut keys = Vec::new();
        for _ in 0..64 {
            let key = key(&name, NOW);
            store.insert(&key, under, 64, NOW).await.unwrap();
            keys.push(key);
        }
        let keys: Arc<[_]> = keys.into();
        let rotated = race(64, |task| {
            let (store, keys) = (Arc::clone(&store), Arc::clone(&keys));
            async move {
                if task == 32 {
                    claim(&*store, &keys[task].account, NOW).await;
                }
                rotate_key(&store, &keys[task], under).await
            }
        })
        .await;
        for rotated in rotated {
            if let KeyRotated::Done { new, .. } = rotated {
                let found = ApiKeyStore::find(&*store, &[new.digest]).await.unwrap();
                assert_eq!(found[0].revoked_at, Some(NOW));
            }
        }
        for key in &*keys {
            let found = ApiKeyStore::find(&*store, &[key.digest]).await.unwrap();
            assert_eq!(found[0].revoked_at, Some(NOW), "whatever grace it had");
        }
    }
}

// SE23
pub(super) async fn no_rotation_succeeds_after_a_disable(store: Store) {
    for round in 0..10 {
        let name = format!("{round}");
        let session = asking(&store, &name).await;
        race(64, |task| {
            let (store, session) = (store.clone(), session.clone());
            async move {
                if task == 32 {
                    store.disable(&session.account, NOW).await.unwrap();
                }
                let row = find(&store, &session).await.unwrap();
                let before = store.standing(&session.account).await.unwrap();
                let advance = Advance {
                    family: session.family,
                    generation: row.generation,
                    key: None,
                    idle_ends_at: NOW.plus(MINUTE),
                };
                let rotated = SessionStore::rotate(&*store, &advance, NOW).await.unwrap();
                assert!(rotated.is_none() || before.disabled_at.is_none());
            }
        })
        .await;
        assert!(find(&store, &session).await.unwrap().ended_at.is_some());
    }
}

// AK7, SE10
pub(super) async fn what_overturns_an_account_is_told_of_every_flow(store: Store) {
    for overturn in OVERTURNS {
        let name = format!("{overturn:?}");
        let asking = asking(&store, &name).await;
        let under = asking.version;
        let before = feed(&*store).await.len();
        // One of each is there before, the others come or come too late.
        let first = (key(&name, NOW), session_under(&name, under));
        store.insert(&first.0, under, 100, NOW).await.unwrap();
        store.open(&first.1, None, 100, NOW).await.unwrap();
        let raced = race(64, |task| {
            let (store, name, asking) = (Arc::clone(&store), name.clone(), asking.clone());
            async move {
                if task == 32 {
                    overturn_account(&store, overturn, &asking).await;
                    return None;
                }
                let (key, session) = (key(&name, NOW), session_under(&name, under));
                store.insert(&key, under, 100, NOW).await.unwrap();
                store.open(&session, None, 100, NOW).await.unwrap();
                Some((key, session))
            }
        })
        .await;
        let told = feed(&*store).await.split_off(before);
        for (key, session) in raced.into_iter().flatten().chain([first]) {
            let is_stored = find(&store, &session).await.is_some();
            let times = told
                .iter()
                .filter(|one| **one == Change::Session(session.id));
            assert_eq!(times.count(), usize::from(is_stored), "{overturn:?}");

            let one = Listing::One(key.id);
            let page = ApiKeyStore::list(&*store, &key.account, &one)
                .await
                .unwrap();
            let overturns_keys = matches!(overturn, Overturn::Claim | Overturn::Disable);
            let times = told.iter().filter(|one| **one == Change::Key(key.digest));
            let expected = usize::from(overturns_keys && !page.keys.is_empty());
            assert_eq!(times.count(), expected, "{overturn:?}");
        }
    }
}
