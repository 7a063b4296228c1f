//! What is kept of outcomes, and what is not.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Folder, NOW, account, email};
use ps_core::{
    AuthEvent, Clock, EventSink, KeyId, Outcome, Refusal, Requester, SessionId, SystemRandom,
};
use ps_sqlx::AuditLog;
use ps_testkit::ManualClock;

// OP2
#[tokio::test]
async fn what_concerns_somebody_is_kept_masked_and_in_order() {
    let folder = Folder::new();
    let log = AuditLog::new(folder.open().await);
    let (alice, address) = (account("alice"), email("alice"));
    let who = Requester::new([203, 0, 113, 77].into()).with_request_id("request-1");
    let session = SessionId::random(&SystemRandom);
    let second = Duration::from_secs(1);
    for event in [
        AuthEvent::new(Outcome::CodeAccepted, NOW)
            .of(&alice)
            .to(&address)
            .by(&who),
        AuthEvent::new(Outcome::SessionOpened(session), NOW.plus(second))
            .of(&alice)
            .by(&who),
        AuthEvent::new(Outcome::CodeRefused(Refusal::Wrong), NOW.plus(second * 2))
            .of(&alice)
            .by(&who),
        // Neither what costs nothing to repeat nor what concerns nobody.
        AuthEvent::new(Outcome::KeyRefused(Refusal::Revoked), NOW)
            .of(&alice)
            .by(&who),
        AuthEvent::new(Outcome::SessionRefused(Refusal::Ended), NOW)
            .of(&alice)
            .by(&who),
        AuthEvent::new(Outcome::KeyAccepted(KeyId::random(&SystemRandom)), NOW)
            .of(&alice)
            .by(&who),
        AuthEvent::new(Outcome::KeyRefused(Refusal::Malformed), NOW).by(&who),
        // Nor what was held off: a flood of it would fill the table.
        AuthEvent::new(Outcome::PasswordRefused(Refusal::Throttled), NOW)
            .of(&alice)
            .to(&address)
            .by(&who),
    ] {
        log.record(&event);
    }
    log.flush().await.unwrap();
    let kept = log.recent(&alice, 10).await.unwrap();
    let shown: Vec<_> = kept
        .iter()
        .map(|entry| (entry.outcome.as_str(), entry.reason.as_deref()))
        .collect();
    let expected = [
        ("code.refused", Some("wrong")),
        ("session.opened", None),
        ("code.accepted", None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(kept[1].subject, Some(session.to_string()));
    assert_eq!(kept[1].network.as_deref(), Some("203.0.113.0/24"));
    assert_eq!(kept[1].at, NOW.plus(second));
    assert_eq!(log.recent(&alice, 2).await.unwrap(), kept[..2]);
    assert!(log.recent(&account("bob"), 10).await.unwrap().is_empty());
    let bytes = folder.bytes();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds("request-1") && holds(&address.masked()));
    assert!(!holds(address.as_str()) && !holds("203.0.113.77"));
}

#[tokio::test]
async fn it_writes_by_itself_and_forgets_after_90_days() {
    let folder = Folder::new();
    let clock = ManualClock::new(NOW);
    let store = folder.open().await.with_clock(Arc::new(clock.clone()));
    let log = Arc::new(AuditLog::new(store));
    let alice = account("alice");
    let running = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.run().await }
    });
    let day = Duration::from_secs(24 * 3_600);
    for (waited, kept) in [(Duration::ZERO, 1), (day * 90, 2), (day, 2)] {
        clock.advance(waited);
        log.record(&AuthEvent::new(Outcome::CodeAccepted, clock.now()).of(&alice));
        while log.recent(&alice, 10).await.unwrap().len() != kept {
            tokio::task::yield_now().await;
        }
    }
    running.abort();
}

#[tokio::test]
async fn more_than_can_wait_is_counted_and_costs_nothing() {
    let folder = Folder::new();
    let log = AuditLog::new(folder.open().await);
    let alice = account("alice");
    for _ in 0..10_005 {
        log.record(&AuthEvent::new(Outcome::CodeAccepted, NOW).of(&alice));
    }
    assert_eq!(log.dropped(), 5);
    log.flush().await.unwrap();
    assert_eq!(log.recent(&alice, 20_000).await.unwrap().len(), 10_000);
}

#[tokio::test]
async fn what_could_not_be_written_keeps_waiting() {
    let folder = Folder::new();
    let store = folder.open().await;
    let log = AuditLog::new(store.clone());
    log.record(&AuthEvent::new(Outcome::CodeAccepted, NOW).of(&account("alice")));
    store.close().await;
    assert!(log.flush().await.is_err());
    assert!(log.flush().await.is_err(), "it is there still");
}

/// Two that write at once lose nothing and write nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_at_the_same_time_lose_nothing() {
    let folder = Folder::new();
    let log = Arc::new(AuditLog::new(folder.open().await));
    let alice = account("alice");
    for round in 1..=5 {
        for _ in 0..1_000 {
            log.record(&AuthEvent::new(Outcome::CodeAccepted, NOW).of(&alice));
        }
        let writing: Vec<_> = (0..8)
            .map(|_| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.flush().await })
            })
            .collect();
        for written in writing {
            written.await.unwrap().unwrap();
        }
        let kept = log.recent(&alice, 10_000).await.unwrap().len();
        assert_eq!(kept, 1_000 * round);
    }
}
