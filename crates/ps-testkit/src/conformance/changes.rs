//! What the feed promises, shown with sessions that end: [`Changes`].

use std::sync::Arc;

use ps_core::{Change, Changes, Cursor, Timestamp};
use ps_session::{End, SessionRecord, SessionStore};

use super::{
    common::{DAY, MILLISECOND, MINUTE, NOW, account, feed, race, while_followed},
    sessions::session,
};

/// What this suite tests.
pub trait Ports: Changes + SessionStore {}
impl<T: Changes + SessionStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ changes __changes {
        self {
            the_feed_is_read_from_any_place
            a_follower_misses_nothing_and_reads_nothing_twice
            what_is_acknowledged_is_in_the_feed
            a_purge_forgets_what_is_old_and_hands_out_no_place_again
        }
    }
}

async fn the_feed_is_read_from_any_place(store: Store) {
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap(), []);
    assert_eq!(
        store.ended_since(NOW).await.unwrap(),
        (Cursor::default(), Vec::new())
    );
    let mut ended = Vec::new();
    for _ in 0..5 {
        ended.push(end_one(&store, NOW).await);
    }
    let all = store.since(Cursor::default(), 10).await.unwrap();
    assert_eq!(
        all.iter().map(|(_, change)| *change).collect::<Vec<_>>(),
        ended
    );
    assert!(all.is_sorted_by(|one, next| one.0 < next.0));
    for (place, (cursor, _)) in all.iter().enumerate() {
        assert_eq!(store.since(*cursor, 10).await.unwrap(), all[place + 1..]);
    }
    assert_eq!(store.since(all[0].0, 2).await.unwrap(), all[1..3]);
    assert_eq!(store.since(all[0].0, 0).await.unwrap(), []);
    let beyond = Cursor::new(all[4].0.number() + 7);
    assert_eq!(store.since(beyond, 10).await.unwrap(), []);
}

// AK7
async fn a_follower_misses_nothing_and_reads_nothing_twice(store: Store) {
    let read = while_followed(&store, async {
        race(64, |_| {
            let store = Arc::clone(&store);
            async move {
                for _ in 0..50 {
                    end_one(&store, NOW).await;
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
    })
    .await;
    assert_eq!(read.len(), 64 * 50);
    assert_eq!(read, feed(&*store).await);
}

// AK7
async fn what_is_acknowledged_is_in_the_feed(store: Store) {
    race(64, |_| {
        let store = store.clone();
        async move {
            for _ in 0..10 {
                let (before, _) = store.ended_since(NOW).await.unwrap();
                let change = end_one(&store, NOW).await;
                let since = store.since(before, u32::MAX).await.unwrap();
                assert_eq!(since.iter().filter(|(_, told)| *told == change).count(), 1);
            }
        }
    })
    .await;
}

async fn a_purge_forgets_what_is_old_and_hands_out_no_place_again(store: Store) {
    let mut told = Vec::new();
    for minute in 0..5 {
        told.push(end_one(&store, NOW.plus(MINUTE * minute)).await);
    }
    let places = store.since(Cursor::default(), 10).await.unwrap();
    let purge = async |before, at_most| Changes::purge(&*store, before, at_most).await.unwrap();

    assert_eq!(purge(NOW, 10).await, 0);
    let third = NOW.plus(MINUTE * 2);
    assert_eq!(purge(third.minus(MILLISECOND), 1).await, 1);
    assert_eq!(feed(&*store).await, told[1..], "the oldest goes first");
    assert_eq!(purge(third.minus(MILLISECOND), 10).await, 1);
    assert_eq!(purge(third.minus(MILLISECOND), 10).await, 0);
    assert_eq!(purge(third.plus(MILLISECOND), 0).await, 0);
    let left = store.since(Cursor::default(), 10).await.unwrap();
    assert_eq!(left, places[2..], "what is left keeps its place");
    let (end, _) = store.ended_since(NOW).await.unwrap();
    assert_eq!(end, places[4].0);

    assert_eq!(purge(NOW.plus(DAY), 10).await, 3);
    assert_eq!(feed(&*store).await, []);
    let (end, _) = store.ended_since(NOW).await.unwrap();
    assert_eq!(end, places[4].0, "an empty feed ends where it did");
    let next = end_one(&store, NOW.plus(MINUTE)).await;
    let after = store.since(places[4].0, 10).await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].1, next);
}

/// Opens a session and ends it: one change.
async fn end_one(store: &Store, now: Timestamp) -> Change {
    let session = session("a", now);
    let session = SessionRecord {
        account: account(session.id.as_str()),
        ..session
    };
    store.open(&session, None, 20, now).await.unwrap();
    let ended = store.end(End::Family(&session.family), now).await.unwrap();
    assert_eq!(ended, Some(vec![session.id]));
    Change::Session(session.id)
}
