//! What other nodes learn of a key's changes.

use super::{super::common::while_followed, *};

// AK7
pub(super) async fn what_changes_a_key_is_in_the_feed(store: Store) {
    let key = key("a", NOW);
    insert(&store, &key, NOW).await;
    assert_eq!(
        feed(&*store).await,
        [],
        "nobody remembers a key that is new"
    );
    let told = async || {
        let told = feed(&*store).await;
        assert!(told.iter().all(|one| *one == Change::Key(key.digest)));
        told.len()
    };
    update(&store, &key, &KeyPatch::default(), NOW).await;
    assert_eq!(told().await, 1, "updated");
    rotate(&store, &key, &replacement(NOW.plus(HOUR)), NOW).await;
    assert_eq!(told().await, 2, "replaced");
    store.revoke(&key.account, &key.id, NOW).await.unwrap();
    assert_eq!(told().await, 3, "revoked");
}

// AK7
pub(super) async fn no_change_of_a_key_is_missed(store: Store) {
    let read = while_followed(&store, async {
        race(64, |task| {
            let store = Arc::clone(&store);
            async move {
                for _ in 0..10 {
                    let key = key(&format!("{task}"), NOW);
                    insert(&store, &key, NOW).await;
                    update(&store, &key, &KeyPatch::default(), NOW).await;
                    store.revoke(&key.account, &key.id, NOW).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
    })
    .await;
    assert_eq!(read.len(), 64 * 10 * 2);
    assert_eq!(read, feed(&*store).await);
}
