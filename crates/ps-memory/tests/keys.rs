//! What a store of API keys promises.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{collections::HashSet, sync::Arc};

use common::{HOUR, MINUTE, NOW, SECOND, account, claim, feed, just_before, keys::key, race};
use ps_apikey::{ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted, KeyPage, Listing};
use ps_core::{AccountVersion, Accounts, Change, Changes, KeyId, SystemRandom, Timestamp};

trait Stores: Accounts + ApiKeyStore + Changes {}
impl<T: Accounts + ApiKeyStore + Changes> Stores for T {}
type Store = Arc<dyn Stores>;

const AT_MOST: u32 = 25;

hold_on_memory! {
    what_was_inserted_is_found_by_its_digest
    a_key_is_stored_once
    inserting_needs_the_version_of_the_proof
    many_inserts_at_once_end_at_the_bound
    only_active_keys_count
    a_disabled_owner_has_no_keys
    a_claim_revokes_every_key
    a_list_is_newest_first
    pages_show_each_key_once
    another_account_sees_nothing
    a_revoked_key_stays_revoked
    revoking_brings_a_later_end_forward
    a_use_is_noted_forwards_only
    a_use_never_undoes_a_revocation
}

async fn what_was_inserted_is_found_by_its_digest(store: Store) {
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

async fn a_key_is_stored_once(store: Store) {
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
async fn inserting_needs_the_version_of_the_proof(store: Store) {
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

// AK5
async fn many_inserts_at_once_end_at_the_bound(store: Store) {
    let inserted = race(200, |_| {
        let store = store.clone();
        async move { insert(&store, &key("a", NOW), NOW).await }
    })
    .await;
    let done = inserted.iter().filter(|one| **one == KeyInserted::Done);
    assert_eq!(done.count(), 25);
    let full = inserted.iter().filter(|one| **one == KeyInserted::Full);
    assert_eq!(full.count(), 175);
    assert_eq!(all(&store, "a").await.len(), 25);
    assert_eq!(insert(&store, &key("b", NOW), NOW).await, KeyInserted::Done);
}

// AK5
async fn only_active_keys_count(store: Store) {
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

// AK9
async fn a_disabled_owner_has_no_keys(store: Store) {
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

async fn a_claim_revokes_every_key(store: Store) {
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

async fn a_list_is_newest_first(store: Store) {
    let mut keys: Vec<_> = [2, 1, 3, 2, 2]
        .map(|second| key("a", NOW.plus(SECOND * second)))
        .into();
    for key in &keys {
        insert(&store, key, NOW).await;
    }
    store.revoke(&account("a"), &keys[2].id, NOW).await.unwrap();
    keys[2].revoked_at = Some(NOW);
    keys.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
    assert_eq!(all(&store, "a").await, keys);
}

async fn pages_show_each_key_once(store: Store) {
    for second in [1, 1, 1, 2, 3, 3, 4] {
        insert(&store, &key("a", NOW.plus(SECOND * second)), NOW).await;
    }
    let mut after = None;
    let mut shown = Vec::new();
    for expected in [3, 3, 1] {
        let page = list(&store, "a", after, 3).await;
        assert_eq!(page.keys.len(), expected);
        shown.extend(page.keys);
        after = page.next;
        // What comes meanwhile stands before what was shown.
        insert(&store, &key("a", NOW.plus(MINUTE)), NOW).await;
    }
    assert_eq!(after, None);
    assert_eq!(
        shown.iter().map(|key| key.id).collect::<HashSet<_>>().len(),
        7
    );
    assert!(shown.is_sorted_by_key(|key| std::cmp::Reverse((key.created_at, key.id))));
    assert_eq!(
        list(&store, "a", None, 10).await.next,
        None,
        "exactly all is all"
    );
    assert_eq!(
        list(&store, "a", None, 0).await,
        KeyPage {
            keys: Vec::new(),
            next: None
        }
    );
}

// AK6
async fn another_account_sees_nothing(store: Store) {
    let key = key("a", NOW);
    insert(&store, &key, NOW).await;
    let stranger = account("b");
    assert_eq!(all(&store, "b").await, []);
    assert_eq!(
        store
            .list(&stranger, &Listing::One(key.id))
            .await
            .unwrap()
            .keys,
        []
    );
    assert_eq!(store.revoke(&stranger, &key.id, NOW).await.unwrap(), None);
    let unknown = KeyId::random(&SystemRandom);
    assert_eq!(
        store.revoke(&key.account, &unknown, NOW).await.unwrap(),
        None
    );
    assert_eq!(feed(&*store).await, []);
    let one = store
        .list(&key.account, &Listing::One(key.id))
        .await
        .unwrap();
    assert_eq!(
        one,
        KeyPage {
            keys: vec![key],
            next: None
        }
    );
}

// AK6
async fn a_revoked_key_stays_revoked(store: Store) {
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

async fn revoking_brings_a_later_end_forward(store: Store) {
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

// AK10
async fn a_use_is_noted_forwards_only(store: Store) {
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
async fn a_use_never_undoes_a_revocation(store: Store) {
    let key = key("a", NOW);
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

async fn insert(store: &Store, key: &ApiKeyRecord, now: Timestamp) -> KeyInserted {
    let under = AccountVersion::default();
    store.insert(key, under, AT_MOST, now).await.unwrap()
}

async fn find(store: &Store, key: &ApiKeyRecord) -> ApiKeyRecord {
    let found = store.find(&[key.digest]).await.unwrap();
    found.into_iter().next().unwrap()
}

async fn list(store: &Store, name: &str, after: Option<KeyCursor>, limit: u32) -> KeyPage {
    let which = Listing::Page { after, limit };
    store.list(&account(name), &which).await.unwrap()
}

async fn all(store: &Store, name: &str) -> Vec<ApiKeyRecord> {
    let page = list(store, name, None, u32::MAX).await;
    assert_eq!(page.next, None);
    page.keys
}
