//! Who may open a session, and who ends for it.

use super::*;
use crate::hold_on_memory;

hold_on_memory! {
    what_was_opened_is_found
    opening_needs_the_version_of_the_proof
    a_family_is_opened_once
    an_id_is_not_used_twice
    opening_ends_the_session_it_replaces
    many_openings_at_once_end_at_the_bound
    the_idlest_ends_for_the_newest
}

async fn what_was_opened_is_found(store: Store) {
    let session = session("a", NOW);
    assert_eq!(open(&store, &session, NOW).await, []);
    assert_eq!(find(&store, &session).await, Some(session.clone()));
    let by_family = store.find(Which::Family(&session.family)).await.unwrap();
    assert_eq!(by_family, Some(session));
    assert_eq!(find(&store, &self::session("a", NOW)).await, None);
}

// SE22
async fn opening_needs_the_version_of_the_proof(store: Store) {
    let mut session = session("a", NOW);
    let version = claim(&*store, &session.account, NOW).await;
    for other in [AccountVersion::default(), version.next()] {
        session.version = other;
        let opened = store.open(&session, None, AT_MOST, NOW).await.unwrap();
        assert_eq!(opened, Opened::AccountChanged);
    }
    store.disable(&session.account, NOW).await.unwrap();
    session.version = version.next();
    let opened = store.open(&session, None, AT_MOST, NOW).await.unwrap();
    assert_eq!(opened, Opened::AccountChanged, "disabled");
    assert_eq!(find(&store, &session).await, None);
    store.enable(&session.account, NOW).await.unwrap();
    open(&store, &session, NOW).await;
}

async fn a_family_is_opened_once(store: Store) {
    let first = session("a", NOW);
    let opened = race(64, |_| {
        let (store, family) = (store.clone(), first.family);
        async move {
            let session = SessionRecord {
                family,
                ..session("a", NOW)
            };
            let opened = store.open(&session, None, AT_MOST, NOW).await.unwrap();
            (session, opened)
        }
    })
    .await;
    let is_done = |one: &(SessionRecord, Opened)| matches!(one.1, Opened::Done { .. });
    let (done, others): (Vec<_>, Vec<_>) = opened.into_iter().partition(is_done);
    let [(winner, _)] = done.as_slice() else {
        panic!("{} were opened", done.len());
    };
    for (_, opened) in others {
        assert_eq!(opened, Opened::Exists(Box::new(winner.clone())));
    }
    assert_eq!(store.list(&first.account, NOW).await.unwrap().len(), 1);
}

async fn an_id_is_not_used_twice(store: Store) {
    let first = session("a", NOW);
    open(&store, &first, NOW).await;
    let second = SessionRecord {
        id: first.id,
        ..session("a", NOW)
    };
    assert!(store.open(&second, None, AT_MOST, NOW).await.is_err());
    assert_eq!(find(&store, &first).await, Some(first));
    assert_eq!(
        store.find(Which::Family(&second.family)).await.unwrap(),
        None
    );
}

async fn opening_ends_the_session_it_replaces(store: Store) {
    let (mine, theirs) = (session("a", NOW), session("b", NOW));
    open(&store, &mine, NOW).await;
    open(&store, &theirs, NOW).await;
    for old in [&mine, &theirs] {
        let next = session("a", NOW);
        assert_eq!(
            open_instead_of(&store, &next, &old.family, NOW).await,
            [old.id]
        );
        assert_eq!(find(&store, old).await.unwrap().ended_at, Some(NOW));
        // It has ended: nothing is left to replace.
        let next = session("a", NOW);
        assert_eq!(
            open_instead_of(&store, &next, &old.family, NOW.plus(SECOND)).await,
            []
        );
        assert_eq!(find(&store, old).await.unwrap().ended_at, Some(NOW));
    }
    let expired = session("c", NOW);
    open(&store, &expired, NOW).await;
    let (next, late) = (session("a", NOW.plus(IDLE)), NOW.plus(IDLE));
    assert_eq!(
        open_instead_of(&store, &next, &expired.family, late).await,
        []
    );
    assert_eq!(find(&store, &expired).await.unwrap().ended_at, None);
    let ended = [mine.id, theirs.id].map(Change::Session);
    assert_eq!(feed(&*store).await, ended);
}

// SE21
async fn many_openings_at_once_end_at_the_bound(store: Store) {
    let mut idle = HashSet::new();
    for _ in 0..AT_MOST {
        let session = session("a", NOW);
        open(&store, &session, NOW).await;
        idle.insert(session.id);
    }
    let later = NOW.plus(MINUTE);
    let opened = race(100, |_| {
        let store = store.clone();
        async move { open(&store, &session("a", later), later).await }
    })
    .await;
    let alive = store.list(&account("a"), later).await.unwrap();
    assert_eq!(alive.len(), 20);
    let ended: Vec<_> = opened.into_iter().flatten().collect();
    let distinct: HashSet<_> = ended.iter().copied().collect();
    assert_eq!((ended.len(), distinct.len()), (100, 100));
    assert!(distinct.is_superset(&idle), "the idlest go first");
    assert!(alive.iter().all(|row| !distinct.contains(&row.id)));
    let told = feed(&*store).await;
    assert_eq!(told.len(), 100);
    assert!(
        distinct
            .iter()
            .all(|id| told.contains(&Change::Session(*id)))
    );
}

async fn the_idlest_ends_for_the_newest(store: Store) {
    let sessions = [1, 2, 3].map(|second| session("a", NOW.plus(SECOND * second)));
    for session in &sessions {
        open(&store, session, session.refreshed_at).await;
    }
    let (now, others) = (NOW.plus(MINUTE), session("b", NOW));
    open(&store, &others, NOW).await;
    rotate(&store, &sessions[0], 0, None, now).await.unwrap();
    // The first was refreshed last, so the second is the idlest now.
    let newest = session("a", now);
    let opened = store.open(&newest, None, 3, now).await.unwrap();
    assert_eq!(
        opened,
        Opened::Done {
            ended: vec![sessions[1].id]
        }
    );
    // What is replaced makes room by itself.
    let next = session("a", now);
    let opened = store
        .open(&next, Some(&sessions[0].family), 3, now)
        .await
        .unwrap();
    assert_eq!(
        opened,
        Opened::Done {
            ended: vec![sessions[0].id]
        }
    );
    // A bound that was lowered holds from the next sign-in on.
    let last = session("a", now);
    let opened = store.open(&last, None, 1, now).await.unwrap();
    let ended = vec![sessions[2].id, newest.id, next.id];
    assert_eq!(opened, Opened::Done { ended });
    assert!(find(&store, &others).await.unwrap().is_alive(now));
}
