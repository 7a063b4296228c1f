//! What every suite needs: moments, names, and many at once.

#[cfg(any(feature = "apikey", feature = "session"))]
use std::sync::atomic::{AtomicBool, Ordering};
use std::{future::Future, panic, sync::Arc, time::Duration};

use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Raised, Timestamp, VerifiedEmail,
};
#[cfg(any(feature = "apikey", feature = "session"))]
use ps_core::{Change, Changes, Cursor};
#[cfg(feature = "magiccode")]
use ps_core::{Lane, Network};
use tokio::sync::Barrier;

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// 2026-11-22T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);

/// The last moment before `moment`.
pub(crate) fn just_before(moment: Timestamp) -> Timestamp {
    moment.minus(MILLISECOND)
}

pub(crate) fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Whoever asks from one network.
#[cfg(feature = "magiccode")]
pub(crate) fn network(number: u8) -> Lane {
    Lane::Network(Network::of([203, 0, 113, number].into()))
}

#[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
pub(crate) fn proof(text: &str) -> VerifiedEmail {
    VerifiedEmail::danger_proven(email(text), NOW)
}

/// Claims the account as it stands, and answers its new version.
pub(crate) async fn claim(
    accounts: &dyn Accounts,
    id: &AccountId,
    now: Timestamp,
) -> AccountVersion {
    let under = accounts.standing(id).await.unwrap().version;
    let proof = proof("alice@example.com");
    match accounts.claim(id, &proof, under, now).await.unwrap() {
        Raised::To(version) => version,
        Raised::Changed => panic!("nobody else is here"),
    }
}

/// All that is in the feed.
#[cfg(any(feature = "apikey", feature = "session"))]
pub(crate) async fn feed(changes: &dyn Changes) -> Vec<Change> {
    let entries = changes.since(Cursor::default(), u32::MAX).await.unwrap();
    entries.into_iter().map(|(_, change)| change).collect()
}

/// Reads the feed in small batches while `act` goes on, and answers all that it read by its end.
#[cfg(any(feature = "apikey", feature = "session"))]
pub(crate) async fn while_followed<S>(store: &Arc<S>, act: impl Future<Output = ()>) -> Vec<Change>
where
    S: Changes + ?Sized,
{
    let over = Arc::new(AtomicBool::new(false));
    let follower = tokio::spawn({
        let (store, over) = (Arc::clone(store), Arc::clone(&over));
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
    act.await;
    over.store(true, Ordering::Release);
    match follower.await {
        Ok(read) => read,
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

/// Who comes first is chance, so a race that may be won by luck is run this often.
pub(crate) const ROUNDS: usize = 10;

/// Lets `tasks` tasks act at once, and answers what each got.
pub(crate) async fn race<T, F>(tasks: usize, act: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(tasks));
    let begin = |number| {
        let (start, act) = (Arc::clone(&start), act(number));
        tokio::spawn(async move {
            start.wait().await;
            act.await
        })
    };
    let running: Vec<_> = (0..tasks).map(begin).collect();
    let mut answers = Vec::with_capacity(tasks);
    for task in running {
        match task.await {
            Ok(answer) => answers.push(answer),
            Err(error) => panic::resume_unwind(error.into_panic()),
        }
    }
    answers
}

/// Does it so many times, 64 at once: quick also where each waits for a disk.
pub(crate) async fn many_at_once<F>(times: usize, act: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for first in (0..times).step_by(64) {
        race(64.min(times - first), |number| act(first + number)).await;
    }
}
