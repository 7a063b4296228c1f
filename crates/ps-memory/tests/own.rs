//! What the store in memory does beyond what every store promises.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{sync::Arc, time::Duration};

use ps_core::{
    Changes, Clock, EmailAddress, Registered, Sleep, SystemClock, SystemRandom, Timestamp, Users,
    VerifiedEmail,
};
use ps_memory::MemoryStore;

const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
const SECOND: Duration = Duration::from_secs(1);

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

#[tokio::test]
async fn an_imported_user_is_the_one_of_the_address() {
    let store = MemoryStore::new();
    let user = store.import_user(&email("alice@example.com"), NOW);
    assert_eq!(user.id.as_str().len(), 22);
    assert!(
        user.id
            .as_str()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
    );
    assert_eq!(
        store.import_user(&email("Alice@example.com"), NOW.plus(SECOND)),
        user
    );
    #[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
    let proof = VerifiedEmail::danger_proven(email("alice@example.com"), NOW);
    let registered = store.register(&proof, NOW).await.unwrap();
    assert_eq!(registered, Registered::Existing(user));
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

#[cfg(feature = "session")]
mod forgetting {
    use ps_core::{AccountId, AccountVersion, Change, Cursor, SessionId};
    use ps_session::{End, FamilyDigest, Method, SessionRecord, SessionStore};

    use super::*;

    #[tokio::test]
    async fn a_change_is_kept_for_an_hour() {
        let store = MemoryStore::new();
        let first = end_one(&store, NOW).await;
        let second = end_one(&store, NOW.plus(SECOND * 60)).await;
        assert_eq!(feed(&store).await, [first, second]);
        let third = end_one(&store, NOW.plus(SECOND * 3600)).await;
        assert_eq!(feed(&store).await, [second, third]);
        let (end, _) = store.ended_since(NOW).await.unwrap();
        assert_eq!(end, Cursor::new(3), "places are never handed out again");
    }

    async fn feed(store: &MemoryStore) -> Vec<Change> {
        let entries = store.since(Cursor::default(), 10).await.unwrap();
        entries.into_iter().map(|(_, change)| change).collect()
    }

    /// Opens a session and ends it: one change.
    async fn end_one(store: &MemoryStore, now: Timestamp) -> Change {
        let id = SessionId::random(&SystemRandom);
        let mut family = [0; 32];
        family[..22].copy_from_slice(id.as_str().as_bytes());
        let session = SessionRecord {
            id,
            account: AccountId::new("a").unwrap(),
            version: AccountVersion::default(),
            family: FamilyDigest::from_bytes(family),
            generation: 0,
            rotation_key: None,
            rotation_key_before: None,
            method: Method::MagicCode,
            authenticated_at: now,
            refreshed_at: now,
            idle_ends_at: now.plus(SECOND),
            ends_at: now.plus(SECOND),
            ended_at: None,
            network: "192.0.2.0/24".to_owned(),
            user_agent: None,
        };
        store.open(&session, None, 20, now).await.unwrap();
        let ended = store.end(End::Family(&session.family), now).await.unwrap();
        assert_eq!(ended, Some(vec![id]));
        Change::Session(id)
    }
}
