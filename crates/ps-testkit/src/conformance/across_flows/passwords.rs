//! What a new password does to sessions.

use super::*;

/// Sets a password with the version that the account is at.
async fn replace(store: &Store, name: &str, text: &str, keep: Option<&SessionId>) -> Raised {
    let (id, new) = (account(name), PasswordHash::new(text));
    let under = store.standing(&id).await.unwrap().version;
    let replaced = store.replace(&id, &new, keep, under, NOW.plus(MINUTE));
    replaced.await.unwrap()
}

// SE21, SE22
pub(super) async fn a_new_password_ends_every_other_session(store: Store) {
    let kept = asking(&store, "a").await;
    let others = [(); 3].map(|()| session_under("a", kept.version));
    let foreign = asking(&store, "b").await;
    let expired = SessionRecord {
        idle_ends_at: NOW.plus(SECOND),
        ..session_under("a", kept.version)
    };
    for session in others.iter().chain([&expired]) {
        store.open(session, None, 100, NOW).await.unwrap();
    }
    let before = feed(&*store).await.len();
    let raised = replace(&store, "a", "first", Some(&kept.id)).await;
    assert_eq!(raised, Raised::To(kept.version.next()));
    for other in &others {
        let row = find(&store, other).await.unwrap();
        assert_eq!(row.ended_at, Some(NOW.plus(MINUTE)));
        assert_eq!(rotate(&store, other).await, None);
    }
    let carried = find(&store, &kept).await.unwrap();
    assert_eq!(
        carried,
        SessionRecord {
            version: kept.version.next(),
            ..kept
        }
    );
    assert!(rotate(&store, &carried).await.is_some());
    assert_eq!(find(&store, &expired).await, Some(expired));
    assert_eq!(find(&store, &foreign).await, Some(foreign));
    // Each is told once, and in any order.
    let told = feed(&*store).await.split_off(before);
    assert_eq!(told.len(), others.len());
    let is_told = |one: &SessionRecord| told.contains(&Change::Session(one.id));
    assert!(others.iter().all(is_told));

    // Where none is kept, none is left.
    let raised = replace(&store, "a", "second", None).await;
    assert_eq!(raised, Raised::To(carried.version.next()));
    let ended = find(&store, &carried).await.unwrap();
    assert_eq!(ended.ended_at, Some(NOW.plus(MINUTE)));
    let told = feed(&*store).await.split_off(before + others.len());
    assert_eq!(told, [Change::Session(carried.id)]);
}

pub(super) async fn a_new_password_needs_a_live_session_to_keep(store: Store) {
    let other = asking(&store, "a").await;
    let raised = replace(&store, "a", "mine", Some(&other.id)).await;
    let Raised::To(version) = raised else {
        panic!("nobody else is here");
    };
    let open = async |session: SessionRecord| {
        let opened = store.open(&session, None, 100, NOW).await.unwrap();
        assert_eq!(opened, Opened::Done { ended: Vec::new() });
        session
    };
    let ended = open(session_under("a", version)).await;
    let one = End::One(&ended.account, &ended.id);
    assert!(store.end(one, NOW).await.unwrap().is_some());
    let idle = open(SessionRecord {
        idle_ends_at: NOW.plus(MINUTE),
        ..session_under("a", version)
    })
    .await;
    let over = open(SessionRecord {
        ends_at: NOW.plus(MINUTE),
        ..session_under("a", version)
    })
    .await;
    let foreign = open(session_under("b", AccountVersion::default())).await;
    // Expired when the last change came, which had therefore not ended it, and asked of a node
    // whose clock is a little behind.
    let outlived = open(SessionRecord {
        idle_ends_at: NOW.plus(MINUTE),
        ..session_under("c", AccountVersion::default())
    })
    .await;
    assert!(matches!(
        replace(&store, "c", "mine", None).await,
        Raised::To(_)
    ));
    let before = feed(&*store).await;
    for gone in [&ended, &idle, &over, &foreign] {
        let raised = replace(&store, "a", "theirs", Some(&gone.id)).await;
        assert_eq!(raised, Raised::Changed);
    }
    let (c, late) = (account("c"), PasswordHash::new("theirs"));
    let under = store.standing(&c).await.unwrap().version;
    let raised = store
        .replace(&c, &late, Some(&outlived.id), under, NOW)
        .await;
    assert_eq!(raised.unwrap(), Raised::Changed);
    // Nothing was done.
    for name in ["a", "c"] {
        let found = PasswordStore::find(&*store, &account(name)).await;
        assert_eq!(found.unwrap(), Some(PasswordHash::new("mine")));
    }
    assert_eq!(
        store.standing(&account("a")).await.unwrap().version,
        version
    );
    assert!(find(&store, &other).await.unwrap().is_alive(NOW));
    assert_eq!(feed(&*store).await, before);
}

// AK7, SE10
pub(super) async fn a_new_password_is_told_as_soon_as_it_is_acknowledged(store: Store) {
    let told = while_followed(&store, async {
        race(64, |task| {
            let store = Arc::clone(&store);
            async move {
                let name = format!("{task}");
                let first = asking(&store, &name).await;
                let kept = session_under(&name, first.version);
                store.open(&kept, None, 100, NOW).await.unwrap();
                let raised = replace(&store, &name, "new", Some(&kept.id)).await;
                assert!(matches!(raised, Raised::To(_)));
                // What is acknowledged is in the feed.
                let told = feed(&*store).await;
                assert!(told.contains(&Change::Session(first.id)));
                assert!(!told.contains(&Change::Session(kept.id)));
            }
        })
        .await;
    })
    .await;
    assert_eq!(told.len(), 64);
}

async fn rotate(store: &Store, session: &SessionRecord) -> Option<SessionRecord> {
    let advance = Advance {
        family: session.family,
        generation: session.generation,
        key: None,
        idle_ends_at: NOW.plus(HOUR),
    };
    SessionStore::rotate(&**store, &advance, NOW).await.unwrap()
}
