//! What the feed promises, shown with sessions that end.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{HOUR, MINUTE, NOW, account, race, sessions::session};
use ps_core::{Change, Changes, Clock, Cursor, Sleep, SystemClock, SystemRandom, Timestamp};
use ps_memory::MemoryStore;
use ps_session::{End, SessionRecord, SessionStore};

trait Stores: Changes + SessionStore {}
impl<T: Changes + SessionStore> Stores for T {}
type Store = Arc<dyn Stores>;

hold_on_memory! {
    the_feed_is_read_from_any_place
    a_follower_misses_nothing_and_reads_nothing_twice
    what_is_acknowledged_is_in_the_feed
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
    let over = Arc::new(AtomicBool::new(false));
    let follower = tokio::spawn({
        let (store, over) = (store.clone(), over.clone());
        async move {
            let (mut place, mut read) = (Cursor::default(), Vec::new());
            loop {
                let is_last = over.load(Ordering::Acquire);
                let batch = store.since(place, 7).await.unwrap();
                assert!(batch.len() <= 7);
                for (cursor, change) in &batch {
                    assert!(*cursor > place);
                    place = *cursor;
                    read.push(*change);
                }
                if batch.is_empty() && is_last {
                    return read;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    race(64, |_| {
        let store = store.clone();
        async move {
            for _ in 0..50 {
                end_one(&store, NOW).await;
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    over.store(true, Ordering::Release);
    let read = follower.await.unwrap();
    assert_eq!(read.len(), 64 * 50);
    assert_eq!(read, common::feed(&*store).await);
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

#[tokio::test]
async fn a_change_is_kept_for_an_hour() {
    let store: Store = Arc::new(MemoryStore::new());
    let first = end_one(&store, NOW).await;
    let second = end_one(&store, NOW.plus(MINUTE)).await;
    assert_eq!(common::feed(&*store).await, [first, second]);
    let third = end_one(&store, NOW.plus(HOUR)).await;
    assert_eq!(common::feed(&*store).await, [second, third]);
    let (end, _) = store.ended_since(NOW).await.unwrap();
    assert_eq!(end, Cursor::new(3), "places are never handed out again");
}

#[tokio::test]
async fn the_time_is_that_of_its_clock() {
    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            NOW
        }

        fn sleep(&self, span: Duration) -> Sleep {
            SystemClock.sleep(span)
        }
    }

    let store = MemoryStore::with_random_and_clock(Arc::new(SystemRandom), Arc::new(Stopped));
    assert_eq!(store.time().await.unwrap(), NOW);
    assert!(MemoryStore::new().time().await.unwrap() > Timestamp::from_millis(0));
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
