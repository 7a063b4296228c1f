//! Who is shown, to the owner and to a node that starts.

use super::*;

pub(super) async fn a_list_shows_who_is_alive(store: Store) {
    let sessions = ["a", "a", "a", "a", "b"].map(|name| session(name, NOW));
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    for (number, minutes) in [(2, 1), (0, 2), (1, 3), (3, 4)] {
        rotate(
            &store,
            &sessions[number],
            0,
            None,
            NOW.plus(MINUTE * minutes),
        )
        .await
        .unwrap();
    }
    end(&store, End::Family(&sessions[0].family), NOW.plus(HOUR))
        .await
        .unwrap();
    let listed = async |now| {
        let rows = store.list(&account("a"), now).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let [_, one, two, three, _] = &sessions;
    assert_eq!(listed(NOW.plus(HOUR)).await, [three.id, one.id, two.id]);
    let two_is_over = NOW.plus(MINUTE).plus(IDLE);
    assert_eq!(listed(two_is_over).await, [three.id, one.id]);
    assert_eq!(listed(NOW.plus(DAY * 30)).await, []);
}

pub(super) async fn a_starting_node_learns_what_ended(store: Store) {
    let sessions = [0, 1, 2].map(|_| session("a", NOW));
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    for (session, seconds) in sessions.iter().zip([10, 20, 30]) {
        end(
            &store,
            End::Family(&session.family),
            NOW.plus(SECOND * seconds),
        )
        .await
        .unwrap();
    }
    let (place, ended) = store.ended_since(NOW.plus(SECOND * 20)).await.unwrap();
    assert_eq!(as_set(&ended), as_set(&[sessions[1].id, sessions[2].id]));
    assert_eq!(store.since(place, 10).await.unwrap(), []);
    let later = session("b", NOW);
    open(&store, &later, NOW).await;
    end(&store, End::Family(&later.family), NOW.plus(MINUTE))
        .await
        .unwrap();
    let (_, change) = store.since(place, 10).await.unwrap()[0];
    assert_eq!(change, Change::Session(later.id));
}

pub(super) async fn what_ended_lately_outlives_the_cleaning(store: Store) {
    let old = session("a", NOW);
    open(&store, &old, NOW).await;
    end(&store, End::Family(&old.family), NOW).await.unwrap();
    let lately = NOW.plus(MINUTE * 17);
    open(&store, &session("a", lately), lately).await;
    let (_, ended) = store.ended_since(lately.minus(MINUTE * 17)).await.unwrap();
    assert_eq!(ended, [old.id]);
    assert!(find(&store, &old).await.is_some());
}

pub(super) async fn what_ends_while_a_node_starts_is_in_its_feed(store: Store) {
    let sessions: Vec<_> = (0..640)
        .map(|number| session(&format!("{number}"), NOW))
        .collect();
    for session in &sessions {
        open(&store, session, NOW).await;
    }
    let families: Arc<[_]> = sessions.iter().map(|session| session.family).collect();
    let starts = race(64, |task| {
        let (store, families) = (store.clone(), families.clone());
        async move {
            for family in &families[task * 10..][..5] {
                end(&store, End::Family(family), NOW).await.unwrap();
            }
            let start = store.ended_since(NOW).await.unwrap();
            for family in &families[task * 10..][5..10] {
                end(&store, End::Family(family), NOW).await.unwrap();
            }
            start
        }
    })
    .await;
    let all: HashSet<_> = sessions.iter().map(|session| session.id).collect();
    for (place, ended) in starts {
        let mut known: HashSet<_> = ended.into_iter().collect();
        for (_, change) in store.since(place, u32::MAX).await.unwrap() {
            let Change::Session(id) = change else {
                panic!("only sessions ended");
            };
            assert!(known.insert(id), "told twice");
        }
        assert_eq!(known, all);
    }
}
