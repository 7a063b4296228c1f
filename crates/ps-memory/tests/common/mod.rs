//! What every suite needs: moments, names, and many at once.

#![allow(dead_code, unreachable_pub)] // each suite uses some of it

#[cfg(feature = "apikey")]
pub mod keys;
#[cfg(feature = "session")]
pub mod sessions;

use std::{future::Future, sync::Arc, time::Duration};

use ps_core::{
    AccountId, AccountVersion, Accounts, Change, Changes, Cursor, EmailAddress, Raised, Timestamp,
    VerifiedEmail,
};
use tokio::sync::Barrier;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(60 * 60);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// 2026-11-22T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);

/// The last moment before `moment`.
pub fn just_before(moment: Timestamp) -> Timestamp {
    moment.minus(Duration::from_millis(1))
}

pub fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
pub fn proof(text: &str) -> VerifiedEmail {
    VerifiedEmail::danger_proven(email(text), NOW)
}

/// Claims the account as it stands, and answers its new version.
pub async fn claim(accounts: &dyn Accounts, id: &AccountId, now: Timestamp) -> AccountVersion {
    let under = accounts.standing(id).await.unwrap().version;
    let proof = proof("alice@example.com");
    match accounts.claim(id, &proof, under, now).await.unwrap() {
        Raised::To(version) => version,
        Raised::Changed => panic!("nobody else is here"),
    }
}

/// All that is in the feed.
pub async fn feed(changes: &dyn Changes) -> Vec<Change> {
    let entries = changes.since(Cursor::default(), u32::MAX).await.unwrap();
    entries.into_iter().map(|(_, change)| change).collect()
}

/// Lets `tasks` tasks act at once, and answers what each got.
pub async fn race<T, F>(tasks: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(tasks));
    let begin = |number| {
        let (start, act) = (start.clone(), act(number));
        tokio::spawn(async move {
            start.wait().await;
            act.await
        })
    };
    let running: Vec<_> = (0..tasks).map(begin).collect();
    let mut answers = Vec::with_capacity(tasks);
    for task in running {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Runs each property as a test of its own, on a fresh store.
#[macro_export]
macro_rules! hold_on_memory {
    ($($property:ident)*) => {
        mod memory {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $property() {
                    super::$property(std::sync::Arc::new(ps_memory::MemoryStore::new())).await;
                }
            )*
        }
    };
}
