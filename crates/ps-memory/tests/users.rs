//! What a store of users promises.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{collections::HashSet, sync::Arc};

use common::{NOW, SECOND, email, proof, race};
use ps_core::{Registered, Timestamp, Users};
use ps_memory::MemoryStore;

type Store = Arc<dyn Users>;

hold_on_memory! {
    a_registered_user_is_found
    one_address_makes_one_user
    spellings_of_one_mailbox_are_one_user
    what_looks_alike_is_another_user
}

async fn a_registered_user_is_found(users: Store) {
    let user = register(&users, "alice@example.com", NOW).await.into_user();
    assert_eq!(
        (&user.email, user.created_at),
        (&email("alice@example.com"), NOW)
    );
    assert_eq!(users.find(&user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(users.find_by_email(&user.email).await.unwrap(), Some(user));
    assert_eq!(users.find(&common::account("nobody")).await.unwrap(), None);
    assert_eq!(
        users
            .find_by_email(&email("bob@example.com"))
            .await
            .unwrap(),
        None
    );
}

// OA25
async fn one_address_makes_one_user(users: Store) {
    let made = race(64, |_| {
        let users = users.clone();
        async move { register(&users, "alice@example.com", NOW).await }
    })
    .await;
    let new = made.iter().filter(|one| matches!(one, Registered::New(_)));
    assert_eq!(new.count(), 1);
    let ids: HashSet<_> = made.into_iter().map(|one| one.into_user().id).collect();
    assert_eq!(ids.len(), 1);
}

async fn spellings_of_one_mailbox_are_one_user(users: Store) {
    let first = register(&users, "alice@bücher.example", NOW)
        .await
        .into_user();
    let again = register(&users, " Alice@XN--bcher-kva.Example ", NOW.plus(SECOND)).await;
    assert_eq!(again, Registered::Existing(first));
}

// MC20
async fn what_looks_alike_is_another_user(users: Store) {
    let mut ids = HashSet::new();
    for text in [
        "a.b@example.com",
        "ab@example.com",
        "ab+c@example.com",
        "ab@xn--exmple-cua.com",
    ] {
        let user = register(&users, text, NOW).await;
        assert!(matches!(user, Registered::New(_)), "{text}");
        ids.insert(user.into_user().id);
    }
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn an_imported_user_is_the_one_of_the_address() {
    let store = MemoryStore::new();
    let user = store.import_user(&email("alice@example.com"), NOW);
    assert_eq!(user.id.as_str().len(), 22);
    assert!(
        user.id
            .as_str()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
    );
    assert_eq!(
        store.import_user(&email("Alice@example.com"), NOW.plus(SECOND)),
        user
    );
    let users: Store = Arc::new(store.clone());
    let registered = register(&users, "alice@example.com", NOW).await;
    assert_eq!(registered, Registered::Existing(user));
}

async fn register(users: &Store, text: &str, now: Timestamp) -> Registered {
    users.register(&proof(text), now).await.unwrap()
}
