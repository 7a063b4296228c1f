//! Who may open a session, and who ends for it.

use super::*;

pub(super) async fn what_was_opened_is_found(store: Store) {
    let session = session("a", NOW);
    assert_eq!(open(&store, &session, NOW).await, []);
    assert_eq!(find(&store, &session).await, Some(session.clone()));
    let by_family = store.find(Which::Family(&session.family)).await.unwrap();
    assert_eq!(by_family, Some(session));
    assert_eq!(find(&store, &self::session("a", NOW)).await, None);
}

// SE22
pub(super) async fn opening_needs_the_version_of_the_proof(store: Store) {
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

pub(super) async fn a_family_is_opened_once(store: Store) {
    for round in 0..ROUNDS {
        let first = session(&format!("{round}"), NOW);
        let opened = race(64, |_| {
            let (store, first) = (store.clone(), first.clone());
            async move {
                let session = SessionRecord {
                    id: SessionId::random(&SystemRandom),
                    ..first
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
        assert_eq!(list(&store, first.account.as_str(), NOW).await.len(), 1);
    }
}

pub(super) async fn an_id_is_not_used_twice(store: Store) {
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

pub(super) async fn opening_ends_the_session_it_replaces(store: Store) {
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
pub(super) async fn many_openings_at_once_end_at_the_bound(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let mut idle = HashSet::new();
        for _ in 0..AT_MOST {
            let session = session(&name, NOW);
            open(&store, &session, NOW).await;
            idle.insert(session.id);
        }
        let later = NOW.plus(MINUTE);
        let opened = race(100, |_| {
            let (store, session) = (store.clone(), session(&name, later));
            async move { open(&store, &session, later).await }
        })
        .await;
        let alive = list(&store, &name, later).await;
        assert_eq!(alive.len(), 20);
        let ended: Vec<_> = opened.into_iter().flatten().collect();
        let distinct = as_set(&ended);
        assert_eq!((ended.len(), distinct.len()), (100, 100));
        assert!(distinct.is_superset(&idle), "the idlest go first");
        assert!(alive.iter().all(|row| !distinct.contains(&row.id)));
        let told = feed(&*store).await.split_off(100 * round);
        assert_eq!(told.len(), 100);
        let is_told = |id: &SessionId| told.contains(&Change::Session(*id));
        assert!(distinct.iter().all(is_told));
    }
}

pub(super) async fn the_idlest_ends_for_the_newest(store: Store) {
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
    let Opened::Done { ended } = store.open(&last, None, 1, now).await.unwrap() else {
        panic!("it is open");
    };
    assert_eq!(ended.len(), 3);
    assert_eq!(
        as_set(&ended),
        as_set(&[sessions[2].id, newest.id, next.id])
    );
    assert!(find(&store, &others).await.unwrap().is_alive(now));
}
