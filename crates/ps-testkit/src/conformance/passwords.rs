//! What a store of passwords promises, apart from what a change does to sessions: [`PasswordStore`],
//! and what [`Accounts`] does about passwords.

use std::sync::Arc;

use ps_core::{AccountVersion, Accounts, Raised, SessionId, SystemRandom};
use ps_password::{PasswordHash, PasswordStore};

use super::common::{NOW, ROUNDS, account, claim, proof, race};

/// What this suite tests.
pub trait Ports: Accounts + PasswordStore {}
impl<T: Accounts + PasswordStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ passwords __passwords {
        self {
            a_password_is_found_as_it_was_set
            a_new_password_raises_the_version
            a_new_password_needs_the_version_of_the_proof
            of_many_new_passwords_at_once_one_is_set
            a_session_that_is_not_there_cannot_be_kept
            a_rehash_raises_nothing
            a_rehash_of_what_was_replaced_does_nothing
            no_rehash_outlives_a_new_password
            a_claim_removes_the_password
            a_disabled_owner_keeps_its_password
            no_password_in_flight_survives_a_claim
        }
    }
}

async fn a_password_is_found_as_it_was_set(store: Store) {
    // As long as they come, and not only of the kind that is made today.
    let long = format!(
        "$argon2id$v=19$m=2097152,t=10,p=8${0}${0}",
        "+/aA".repeat(64)
    );
    let mut under = AccountVersion::default();
    assert_eq!(find(&store, "a").await, None);
    for text in [
        &long,
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "it's \"ö\"",
    ] {
        under = set(&store, "a", text, under).await;
        assert_eq!(find(&store, "a").await, Some(hash(text)));
    }
    assert_eq!(find(&store, "b").await, None);
    assert_eq!(find(&store, "A").await, None);
}

async fn a_new_password_raises_the_version(store: Store) {
    let mut under = AccountVersion::default();
    for text in ["first", "second"] {
        let version = set(&store, "a", text, under).await;
        assert_eq!(version, under.next());
        let standing = store.standing(&account("a")).await.unwrap();
        assert_eq!(standing.version, version);
        assert_eq!(standing.proven_at, None, "it proves no mailbox");
        under = version;
    }
    let other = store.standing(&account("b")).await.unwrap();
    assert_eq!(other.version, AccountVersion::default());
}

// SE22
async fn a_new_password_needs_the_version_of_the_proof(store: Store) {
    let id = account("a");
    let version = claim(&*store, &id, NOW).await;
    for other in [AccountVersion::default(), version.next()] {
        assert_eq!(replace(&store, "a", "late", other).await, Raised::Changed);
    }
    store.disable(&id, NOW).await.unwrap();
    let disabled = store.standing(&id).await.unwrap();
    let raised = replace(&store, "a", "late", disabled.version).await;
    assert_eq!(raised, Raised::Changed);
    assert_eq!(store.standing(&id).await.unwrap(), disabled);
    assert_eq!(find(&store, "a").await, None);
    store.enable(&id, NOW).await.unwrap();
    set(&store, "a", "in time", disabled.version).await;
}

async fn of_many_new_passwords_at_once_one_is_set(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let raised = race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let under = AccountVersion::default();
                replace(&store, &name, &format!("{task}"), under).await
            }
        })
        .await;
        let is_done = |one: &Raised| *one != Raised::Changed;
        assert_eq!(raised.iter().filter(|one| is_done(one)).count(), 1);
        let winner = raised.iter().position(is_done).unwrap();
        assert_eq!(find(&store, &name).await, Some(hash(&format!("{winner}"))));
        let version = store.standing(&account(&name)).await.unwrap().version;
        assert_eq!(version, AccountVersion::default().next());
    }
}

async fn a_session_that_is_not_there_cannot_be_kept(store: Store) {
    let (id, nobody) = (account("a"), SessionId::random(&SystemRandom));
    let version = set(&store, "a", "mine", AccountVersion::default()).await;
    let theirs = hash("theirs");
    let raised = store
        .replace(&id, &theirs, Some(&nobody), version, NOW)
        .await;
    assert_eq!(raised.unwrap(), Raised::Changed);
    assert_eq!(find(&store, "a").await, Some(hash("mine")));
    assert_eq!(store.standing(&id).await.unwrap().version, version);
}

async fn a_rehash_raises_nothing(store: Store) {
    let version = set(&store, "a", "weak", AccountVersion::default()).await;
    set(&store, "b", "weak", AccountVersion::default()).await;
    rehash(&store, "a", "weak", "strong").await;
    assert_eq!(find(&store, "a").await, Some(hash("strong")));
    assert_eq!(find(&store, "b").await, Some(hash("weak")));
    let standing = store.standing(&account("a")).await.unwrap();
    assert_eq!(standing.version, version);
}

async fn a_rehash_of_what_was_replaced_does_nothing(store: Store) {
    rehash(&store, "a", "old", "late").await;
    assert_eq!(find(&store, "a").await, None, "there is none to rehash");
    let version = set(&store, "a", "old", AccountVersion::default()).await;
    set(&store, "a", "new", version).await;
    for from in ["old", "New", "new ", ""] {
        rehash(&store, "a", from, "late").await;
        assert_eq!(find(&store, "a").await, Some(hash("new")), "{from:?}");
    }
}

async fn no_rehash_outlives_a_new_password(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let version = set(&store, &name, "old", AccountVersion::default()).await;
        race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                if task == 32 {
                    set(&store, &name, "new", version).await;
                } else {
                    rehash(&store, &name, "old", "old, rehashed").await;
                }
            }
        })
        .await;
        assert_eq!(find(&store, &name).await, Some(hash("new")));
    }
}

// OA15
async fn a_claim_removes_the_password(store: Store) {
    let planted = set(&store, "a", "planted", AccountVersion::default()).await;
    set(&store, "b", "theirs", AccountVersion::default()).await;
    let (id, proof) = (account("a"), proof("a@example.com"));
    let raised = store.claim(&id, &proof, planted.next(), NOW).await;
    assert_eq!(raised.unwrap(), Raised::Changed);
    assert_eq!(find(&store, "a").await, Some(hash("planted")));
    let version = claim(&*store, &id, NOW).await;
    assert_eq!(find(&store, "a").await, None);
    rehash(&store, "a", "planted", "planted again").await;
    assert_eq!(find(&store, "a").await, None);
    assert_eq!(find(&store, "b").await, Some(hash("theirs")));
    set(&store, "a", "mine", version).await;
    assert_eq!(find(&store, "a").await, Some(hash("mine")));
}

async fn a_disabled_owner_keeps_its_password(store: Store) {
    set(&store, "a", "mine", AccountVersion::default()).await;
    store.disable(&account("a"), NOW).await.unwrap();
    assert_eq!(find(&store, "a").await, Some(hash("mine")));
    store.enable(&account("a"), NOW).await.unwrap();
    assert_eq!(find(&store, "a").await, Some(hash("mine")));
}

// SE22, OA15
async fn no_password_in_flight_survives_a_claim(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let raised = race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                loop {
                    let id = account(&name);
                    let under = store.standing(&id).await.unwrap().version;
                    tokio::task::yield_now().await;
                    let raised = if task == 32 {
                        let proof = proof("a@example.com");
                        store.claim(&id, &proof, under, NOW).await.unwrap()
                    } else {
                        replace(&store, &name, &format!("{task}"), under).await
                    };
                    match raised {
                        Raised::To(version) => {
                            assert_eq!(version, under.next(), "nothing came in between");
                            return Some(version);
                        }
                        // Only the claim is tried again.
                        Raised::Changed if task == 32 => {}
                        Raised::Changed => return None,
                    }
                }
            }
        })
        .await;
        let last = (0..64).max_by_key(|task| raised[*task]).unwrap();
        let expected = (last != 32).then(|| hash(&format!("{last}")));
        assert_eq!(find(&store, &name).await, expected);
        let version = store.standing(&account(&name)).await.unwrap().version;
        assert_eq!(Some(version), raised[last], "each was raised by one only");
    }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

async fn find(store: &Store, name: &str) -> Option<PasswordHash> {
    store.find(&account(name)).await.unwrap()
}

async fn replace(store: &Store, name: &str, text: &str, under: AccountVersion) -> Raised {
    let (id, new) = (account(name), hash(text));
    store.replace(&id, &new, None, under, NOW).await.unwrap()
}

async fn set(store: &Store, name: &str, text: &str, under: AccountVersion) -> AccountVersion {
    match replace(store, name, text, under).await {
        Raised::To(version) => version,
        Raised::Changed => panic!("nobody else is here"),
    }
}

async fn rehash(store: &Store, name: &str, from: &str, to: &str) {
    let (id, from, to) = (account(name), hash(from), hash(to));
    store.rehash(&id, &from, &to).await.unwrap();
}
