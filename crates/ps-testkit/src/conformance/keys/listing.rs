//! What an owner is shown.

use super::*;

pub(super) async fn a_list_is_newest_first(store: Store) {
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

pub(super) async fn pages_show_each_key_once(store: Store) {
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
pub(super) async fn another_account_sees_nothing(store: Store) {
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
