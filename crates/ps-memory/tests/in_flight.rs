//! Nothing that was proven before an account changed is acted on after it.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{MINUTE, NOW, account, claim, keys::key, proof, race, sessions::session};
use ps_apikey::{ApiKeyStore, KeyInserted, Listing};
use ps_core::{AccountVersion, Accounts, Raised};
use ps_session::{Advance, End, Opened, SessionRecord, SessionStore, Which};

trait Stores: Accounts + ApiKeyStore + SessionStore {}
impl<T: Accounts + ApiKeyStore + SessionStore> Stores for T {}
type Store = Arc<dyn Stores>;

/// What raises an account's version.
#[derive(Clone, Copy, Debug)]
enum Overturn {
    Claim,
    Disable,
    EndAll,
    EndOthers,
}

const OVERTURNS: [Overturn; 4] = [
    Overturn::Claim,
    Overturn::Disable,
    Overturn::EndAll,
    Overturn::EndOthers,
];

hold_on_memory! {
    what_was_in_flight_finds_the_account_changed
    no_session_in_flight_survives
    no_key_in_flight_survives_a_claim
    no_rotation_succeeds_after_a_disable
}

// SE22
async fn what_was_in_flight_finds_the_account_changed(store: Store) {
    for overturn in OVERTURNS {
        let name = format!("{overturn:?}");
        let asking = asking(&store, &name).await;
        let under = store.standing(&account(&name)).await.unwrap().version;
        overturn_account(&store, overturn, &asking).await;
        for enabled in [false, true] {
            let (key, session) = (key(&name, NOW), session_under(&name, under));
            let inserted = store.insert(&key, under, 25, NOW).await.unwrap();
            assert_eq!(inserted, KeyInserted::AccountChanged, "{overturn:?}");
            let opened = store.open(&session, None, 20, NOW).await.unwrap();
            assert_eq!(opened, Opened::AccountChanged, "{overturn:?}");
            let raised = store
                .claim(&account(&name), &proof("a@example.com"), under, NOW)
                .await;
            assert_eq!(raised.unwrap(), Raised::Changed, "{overturn:?}");
            if !enabled {
                store.enable(&account(&name), NOW).await.unwrap();
            }
        }
    }
}

// SE22
async fn no_session_in_flight_survives(store: Store) {
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
async fn no_key_in_flight_survives_a_claim(store: Store) {
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

// SE23
async fn no_rotation_succeeds_after_a_disable(store: Store) {
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
                let rotated = store.rotate(&advance, NOW).await.unwrap();
                assert!(rotated.is_none() || before.disabled_at.is_none());
            }
        })
        .await;
        assert!(find(&store, &session).await.unwrap().ended_at.is_some());
    }
}

/// A proven account's session, which will ask for the others to end.
async fn asking(store: &Store, name: &str) -> SessionRecord {
    let version = claim(&**store, &account(name), NOW).await;
    let session = session_under(name, version);
    let opened = store.open(&session, None, 100, NOW).await.unwrap();
    assert_eq!(opened, Opened::Done { ended: Vec::new() });
    session
}

async fn overturn_account(store: &Store, overturn: Overturn, asking: &SessionRecord) {
    let account = &asking.account;
    match overturn {
        Overturn::Claim => {
            claim(&**store, account, NOW).await;
        }
        Overturn::Disable => assert!(store.disable(account, NOW).await.unwrap()),
        Overturn::EndAll => {
            assert!(store.end(End::All(account), NOW).await.unwrap().is_some());
        }
        Overturn::EndOthers => {
            let others = End::Others(account, &asking.id);
            assert!(store.end(others, NOW).await.unwrap().is_some());
        }
    }
}

async fn find(store: &Store, session: &SessionRecord) -> Option<SessionRecord> {
    SessionStore::find(&**store, Which::Id(&session.id))
        .await
        .unwrap()
}

fn session_under(name: &str, version: AccountVersion) -> SessionRecord {
    SessionRecord {
        version,
        ..session(name, NOW)
    }
}
