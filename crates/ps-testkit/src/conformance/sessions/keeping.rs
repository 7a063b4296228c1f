//! What is stored, for how long it lives, and when it is forgotten.

use std::slice;

use super::*;

pub(super) async fn every_field_comes_back(store: Store) {
    let key = |byte| Some(RotationKey::from_bytes([byte; 32]));
    let full = SessionRecord {
        generation: 4_000_000_000,
        rotation_key: key(0),
        rotation_key_before: key(0xff),
        authenticated_at: NOW.minus(DAY).plus(MILLISECOND),
        refreshed_at: NOW.minus(MILLISECOND),
        idle_ends_at: NOW.plus(MILLISECOND),
        ends_at: NOW.plus(HOUR).plus(MILLISECOND),
        network: "2001:db8::/48".to_owned(),
        user_agent: Some("it's \"quoted\"; --ö 🗝".to_owned()),
        ..session("a/ö🗝 of somebody", NOW)
    };
    for session in [&full, &session("b", NOW)] {
        open(&store, session, NOW).await;
        assert_eq!(find(&store, session).await.as_ref(), Some(session));
        let by_family = Which::Family(&session.family);
        assert_eq!(store.find(by_family).await.unwrap().as_ref(), Some(session));
        assert_eq!(
            list(&store, session.account.as_str(), NOW).await,
            slice::from_ref(session)
        );
        // A method that cannot be read back by its name would be lost with the row.
        assert_eq!(Method::read(session.method.as_str()), Some(session.method));
    }
    assert_eq!(Method::read("unknown"), None);
    assert_eq!(Method::read(""), None);
}

// SE23
pub(super) async fn a_session_lives_to_the_last_millisecond_and_no_longer(store: Store) {
    let idle_first = NOW.plus(MINUTE);
    let both = [(idle_first, NOW.plus(HOUR)), (NOW.plus(HOUR), idle_first)];
    for (place, (idle_ends_at, ends_at)) in both.into_iter().enumerate() {
        let (end, last) = (idle_first, just_before(idle_first));
        let named = |what: &str| SessionRecord {
            idle_ends_at,
            ends_at,
            ..session(&format!("{what}{place}"), NOW)
        };

        let listed = named("listed");
        open(&store, &listed, NOW).await;
        let name = listed.account.as_str();
        assert_eq!(list(&store, name, last).await, slice::from_ref(&listed));
        assert_eq!(list(&store, name, end).await, []);

        let rotated = named("rotated");
        open(&store, &rotated, NOW).await;
        let (family, key) = (rotated.family, None);
        for (now, advances) in [(end, false), (last, true)] {
            let advance = Advance {
                family,
                generation: 0,
                key,
                idle_ends_at,
            };
            let found = store.rotate(&advance, now).await.unwrap();
            assert_eq!(found.is_some(), advances);
        }

        for by in 0..3 {
            let ended = named(&format!("ended by {by} "));
            open(&store, &ended, NOW).await;
            let (account, id) = (&ended.account, &ended.id);
            let which = [
                End::Family(&ended.family),
                End::One(account, id),
                End::Others(account, id),
            ];
            assert_eq!(super::end(&store, which[by], end).await, None);
            assert!(super::end(&store, which[by], last).await.is_some());
        }

        let all = named("all");
        open(&store, &all, NOW).await;
        let which = End::All(&all.account);
        assert_eq!(super::end(&store, which, end).await, Some(Vec::new()));
        assert_eq!(super::end(&store, which, last).await, Some(vec![all.id]));

        // One that has expired neither fills the bound nor is there to be replaced.
        for (now, room) in [(last, false), (end, true)] {
            let (old, replaced) = (named("old"), named("replaced"));
            open(&store, &old, NOW).await;
            open(&store, &replaced, NOW).await;
            let new = session(old.account.as_str(), now);
            let opened = store.open(&new, None, 1, now).await.unwrap();
            let ended = if room { Vec::new() } else { vec![old.id] };
            assert_eq!(opened, Opened::Done { ended });
            super::end(&store, End::Family(&new.family), now)
                .await
                .unwrap();
            let new = session("other", now);
            let ended = open_instead_of(&store, &new, &replaced.family, now).await;
            assert_eq!(ended.contains(&replaced.id), !room);
        }
    }
}

pub(super) async fn a_purge_forgets_what_is_over_and_nothing_else(store: Store) {
    let over = NOW.plus(HOUR);
    let alive = session("a", NOW);
    let (idle, old) = (
        SessionRecord {
            idle_ends_at: over,
            ..session("a", NOW)
        },
        SessionRecord {
            ends_at: over,
            ..session("a", NOW)
        },
    );
    let ended = [session("a", NOW), session("a", NOW)];
    for session in [&alive, &idle, &old].into_iter().chain(&ended) {
        open(&store, session, NOW).await;
    }
    for session in &ended {
        end(&store, End::Family(&session.family), over)
            .await
            .unwrap();
    }
    let purge = async |before, at_most| {
        let purged = SessionStore::purge(&*store, before, at_most).await;
        purged.unwrap()
    };
    assert_eq!(purge(over, 10).await, 0, "none was over before");
    let later = over.plus(MILLISECOND);
    assert_eq!(purge(later, 0).await, 0);
    assert_eq!(purge(later, 3).await, 3);
    let mut left = 0;
    for session in [&idle, &old].into_iter().chain(&ended) {
        left += usize::from(find(&store, session).await.is_some());
    }
    assert_eq!(left, 1);
    assert_eq!(purge(later, 10).await, 1);
    assert_eq!(purge(later, 10).await, 0);
    for session in [&idle, &old].into_iter().chain(&ended) {
        assert_eq!(find(&store, session).await, None);
        let by_family = Which::Family(&session.family);
        assert_eq!(store.find(by_family).await.unwrap(), None);
        assert_eq!(rotate(&store, session, 0, None, NOW).await, None);
    }
    assert_eq!(find(&store, &alive).await, Some(alive));
    assert_eq!(
        feed(&*store).await.len(),
        2,
        "the feed is not theirs to forget"
    );
}
