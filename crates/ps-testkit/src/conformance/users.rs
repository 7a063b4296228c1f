//! What a store of users promises: [`Users`].

use std::{collections::HashSet, sync::Arc};

use ps_core::{Registered, Timestamp, Users};

use super::common::{NOW, ROUNDS, SECOND, account, email, proof, race};

/// What this suite tests.
pub trait Ports: Users {}
impl<T: Users> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ users __users {
        self {
            a_registered_user_is_found
            one_address_makes_one_user
            spellings_of_one_mailbox_are_one_user
            what_looks_alike_is_another_user
        }
    }
}

async fn a_registered_user_is_found(users: Store) {
    let user = register(&users, "alice@example.com", NOW).await.into_user();
    assert_eq!(
        (&user.email, user.created_at),
        (&email("alice@example.com"), NOW)
    );
    assert_eq!(users.find(&user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(users.find_by_email(&user.email).await.unwrap(), Some(user));
    assert_eq!(users.find(&account("nobody")).await.unwrap(), None);
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
    for round in 0..ROUNDS {
        let made = race(64, |_| {
            let users = users.clone();
            async move { register(&users, &format!("alice{round}@example.com"), NOW).await }
        })
        .await;
        let new = made.iter().filter(|one| matches!(one, Registered::New(_)));
        assert_eq!(new.count(), 1);
        let ids: HashSet<_> = made.into_iter().map(|one| one.into_user().id).collect();
        assert_eq!(ids.len(), 1);
    }
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

async fn register(users: &Store, text: &str, now: Timestamp) -> Registered {
    users.register(&proof(text), now).await.unwrap()
}
