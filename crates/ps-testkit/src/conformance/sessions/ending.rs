//! Who ends whom.

use super::*;

pub(super) async fn ending_one_needs_its_account(store: Store) {
    let session = session("a", NOW);
    open(&store, &session, NOW).await;
    let (mine, stranger) = (account("a"), account("b"));
    for which in [
        End::One(&stranger, &session.id),
        End::Others(&stranger, &session.id),
    ] {
        assert_eq!(end(&store, which, NOW).await, None);
    }
    assert_eq!(
        store.standing(&stranger).await.unwrap().version,
        AccountVersion::default()
    );
    assert!(find(&store, &session).await.unwrap().is_alive(NOW));
    let ended = end(&store, End::One(&mine, &session.id), NOW).await;
    assert_eq!(ended, Some(vec![session.id]));
}

// SE20
pub(super) async fn ending_is_done_once(store: Store) {
    let mut told = Vec::new();
    for _ in 0..ROUNDS {
        let session = session("a", NOW);
        open(&store, &session, NOW).await;
        let ended = race(64, |_| {
            let (store, session) = (store.clone(), session.clone());
            async move { end(&store, End::Family(&session.family), NOW).await }
        })
        .await;
        let ended: Vec<_> = ended.into_iter().flatten().collect();
        assert_eq!(ended, [vec![session.id]]);
        told.push(Change::Session(session.id));
        assert_eq!(feed(&*store).await, told);
    }
    let session = session("a", NOW);
    open(&store, &session, NOW).await;
    end(&store, End::Family(&session.family), NOW)
        .await
        .unwrap();
    told.push(Change::Session(session.id));
    let again = [
        End::Family(&session.family),
        End::One(&session.account, &session.id),
        End::Others(&session.account, &session.id),
    ];
    for which in again {
        assert_eq!(
            end(&store, which, NOW.plus(SECOND)).await,
            None,
            "{which:?}"
        );
    }
    let all = end(&store, End::All(&session.account), NOW.plus(SECOND)).await;
    assert_eq!(all, Some(Vec::new()));
    assert_eq!(find(&store, &session).await.unwrap().ended_at, Some(NOW));
    assert_eq!(feed(&*store).await, told);

    let expired = self::session("b", NOW);
    open(&store, &expired, NOW).await;
    assert_eq!(
        end(&store, End::Family(&expired.family), NOW.plus(IDLE)).await,
        None
    );
    assert_eq!(find(&store, &expired).await, Some(expired));
}

// SE21, SE22
pub(super) async fn ending_the_others_carries_the_one_that_asks(store: Store) {
    let sessions = ["a", "a", "a", "b"].map(|name| session(name, NOW));
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    let [first, asking, third, foreign] = &sessions;
    let ended = end(&store, End::Others(&account("a"), &asking.id), NOW)
        .await
        .unwrap();
    assert_eq!(as_set(&ended), as_set(&[first.id, third.id]));
    let version = store.standing(&account("a")).await.unwrap().version;
    assert_eq!(version, asking.version.next());
    assert_eq!(find(&store, asking).await.unwrap().version, version);
    assert!(rotate(&store, asking, 0, None, NOW).await.is_some());
    assert_eq!(rotate(&store, first, 0, None, NOW).await, None);
    assert!(find(&store, foreign).await.unwrap().is_alive(NOW));
    assert_eq!(feed(&*store).await.len(), 2);
}

pub(super) async fn ending_all_raises_the_version(store: Store) {
    let sessions = ["a", "a", "b"].map(|name| session(name, NOW));
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    let ended = end(&store, End::All(&account("a")), NOW).await.unwrap();
    assert_eq!(as_set(&ended), as_set(&[sessions[0].id, sessions[1].id]));
    let version = store.standing(&account("a")).await.unwrap().version;
    assert_eq!(version, AccountVersion::default().next());
    assert!(find(&store, &sessions[2]).await.unwrap().is_alive(NOW));
}

// SE22, SE23
pub(super) async fn claiming_and_disabling_end_every_session(store: Store) {
    let sessions = ["a", "b", "b", "c"].map(|name| session(name, NOW));
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    let expired = SessionRecord {
        idle_ends_at: NOW.plus(SECOND),
        ..session("b", NOW)
    };
    open(&store, &expired, NOW).await;
    let now = NOW.plus(MINUTE);
    claim(&*store, &account("a"), now).await;
    store.disable(&account("b"), now).await.unwrap();
    for session in &sessions[..3] {
        assert_eq!(find(&store, session).await.unwrap().ended_at, Some(now));
    }
    assert!(find(&store, &sessions[3]).await.unwrap().is_alive(now));
    // In the order of the two changes, and within one of them in any.
    let [first, second, third, _] = sessions.map(|one| Change::Session(one.id));
    let told = feed(&*store).await;
    assert!(
        told == [first, second, third] || told == [first, third, second],
        "{told:?}"
    );
}
