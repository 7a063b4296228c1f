//! The service on the memory store.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use common::{Bench, account, new_key, requester};
use ps_apikey::{AllowedAddresses, ApiKeyError, KeyTerms, Scopes};
use ps_core::{AccountId, AccountVersion, Accounts, Outcome, Refusal, Requester, Timestamp};

#[tokio::test]
async fn a_key_opens_until_it_is_revoked() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let caller = bench.node.authenticate(&issued).await.unwrap();
    assert_eq!(caller.account(), &account());
    assert_eq!(caller.key(), &KeyTerms::from(issued.record.clone()));
    assert!(bench.revoke(&issued).await);
    assert!(!bench.node.accepts(&issued).await);
    let at = bench.shown(&issued).await.revoked_at;
    bench.test.clock.advance(Duration::from_secs(1));
    assert!(bench.revoke(&issued).await, "repeating it is fine");
    assert_eq!(
        bench.shown(&issued).await.revoked_at,
        at,
        "and changes nothing"
    );
}

/// The cost of a check, counted: nothing where the key is remembered, one read where it is not.
#[tokio::test]
async fn a_remembered_key_costs_no_store_call_and_another_one_read() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let (_, reads, writes) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!((reads, writes), (1, 0));
    let (_, reads, writes) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!((reads, writes), (0, 0));
}

// AK1
#[tokio::test]
async fn what_is_not_a_key_costs_no_store_call() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let mut text = issued.key.expose().to_owned();
    let last = if text.pop() == Some('0') { "1" } else { "0" };
    text.push_str(last);
    for text in ["", "ps_", "garbage", &text] {
        let requester = requester();
        let asking = bench.node.keys.authenticate(text, &requester);
        let (answer, reads, writes) = bench.calls(asking).await;
        assert!(matches!(answer, Err(ApiKeyError::Denied)), "{text}");
        assert_eq!((reads, writes), (0, 0), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_callers_with_one_unknown_key_one_asks_the_store() {
    let bench = Arc::new(Bench::new().await);
    let issued = Arc::new(bench.issue().await);
    let (reached, let_go) = bench.probe.pause();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (bench, issued) = (Arc::clone(&bench), Arc::clone(&issued));
            tokio::spawn(async move { bench.node.accepts(&issued).await })
        })
        .collect();
    reached.await.unwrap();
    let_go.send(()).unwrap();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert_eq!(bench.probe.reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_strands_nobody() {
    let bench = Arc::new(Bench::new().await);
    let issued = Arc::new(bench.issue().await);
    let (reached, _let_go) = bench.probe.pause();
    let ask = || {
        let (bench, issued) = (Arc::clone(&bench), Arc::clone(&issued));
        tokio::spawn(async move { bench.node.accepts(&issued).await })
    };
    let first = ask();
    reached.await.unwrap();
    let second = ask();
    tokio::task::yield_now().await;
    first.abort();
    assert!(second.await.unwrap());
}

// AK8
#[tokio::test]
async fn expiry_is_judged_on_every_request() {
    let bench = Bench::new().await;
    let ends = bench
        .issue()
        .await
        .record
        .created_at
        .plus(Duration::from_secs(3));
    let mut new = new_key();
    new.expires_at = Some(ends);
    let issued = bench.issue_with(new).await.unwrap();
    assert!(bench.node.accepts(&issued).await);
    bench.test.clock.advance(Duration::from_millis(2_999));
    assert!(bench.node.accepts(&issued).await);
    bench.test.clock.advance(Duration::from_millis(1));
    let (accepted, reads, _) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!((accepted, reads), (false, 0), "judged from memory");
}

#[tokio::test]
async fn an_expiry_that_has_passed_makes_no_key() {
    let bench = Bench::new().await;
    let now = bench.issue().await.record.created_at;
    for ends in [now, Timestamp::from_millis(0)] {
        let mut new = new_key();
        new.expires_at = Some(ends);
        let (issued, _, writes) = bench.calls(bench.issue_with(new)).await;
        assert!(matches!(issued, Err(ApiKeyError::ExpiryPassed)));
        assert_eq!(writes, 0);
    }
}

#[tokio::test]
async fn a_key_is_used_from_where_it_may_be() {
    let bench = Bench::new().await;
    let mut new = new_key();
    new.allowed_addresses = AllowedAddresses::parse(["203.0.113.0/24"]).unwrap();
    let issued = bench.issue_with(new).await.unwrap();
    assert!(bench.node.accepts(&issued).await);
    let elsewhere = Requester::new([198, 51, 100, 7].into());
    let asking = bench
        .node
        .keys
        .authenticate(issued.key.expose(), &elsewhere);
    assert!(matches!(asking.await, Err(ApiKeyError::AddressNotAllowed)));
}

#[tokio::test]
async fn a_scope_is_there_or_it_is_missing() {
    let bench = Bench::new().await;
    let mut new = new_key();
    new.scopes = Scopes::new(["programs:read"]).unwrap();
    let issued = bench.issue_with(new).await.unwrap();
    let caller = bench.node.authenticate(&issued).await.unwrap();
    assert!(caller.require("programs:read").is_ok());
    let missing = caller.require("programs:write").unwrap_err();
    assert!(matches!(
        missing,
        ApiKeyError::ScopeMissing("programs:write")
    ));
}

// AK5
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_stop_at_25() {
    let bench = Arc::new(Bench::new().await);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.issue_with(new_key()).await })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, ApiKeyError::TooMany), "{error}"),
        }
    }
    assert_eq!(made, 25);
}

#[tokio::test]
async fn a_revoked_or_expired_key_makes_room() {
    let bench = Bench::new().await;
    let first = bench.issue().await;
    let mut new = new_key();
    new.expires_at = Some(first.record.created_at.plus(Duration::from_secs(1)));
    bench.issue_with(new).await.unwrap();
    for _ in 2..25 {
        bench.issue().await;
    }
    assert!(matches!(
        bench.issue_with(new_key()).await,
        Err(ApiKeyError::TooMany)
    ));
    bench.revoke(&first).await;
    bench.issue().await;
    bench.test.clock.advance(Duration::from_secs(1));
    bench.issue().await;
    assert!(matches!(
        bench.issue_with(new_key()).await,
        Err(ApiKeyError::TooMany)
    ));
}

// SE22
#[tokio::test]
async fn a_key_asked_for_before_the_account_changed_is_not_made() {
    let bench = Bench::new().await;
    let now = bench.issue().await.record.created_at;
    bench.probe.inner.disable(&account(), now).await.unwrap();
    bench.probe.inner.enable(&account(), now).await.unwrap();
    let issued = bench.issue_with(new_key()).await;
    assert!(matches!(issued, Err(ApiKeyError::AccountChanged)));
}

// AK6
#[tokio::test]
async fn another_accounts_key_is_as_absent_as_an_unknown_one() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let stranger = AccountId::new("stranger").unwrap();
    let keys = &bench.node.keys;
    let id = &issued.record.id;
    assert_eq!(keys.read(&stranger, id).await.unwrap(), None);
    assert!(!keys.revoke(&stranger, id, &requester()).await.unwrap());
    assert!(
        keys.list(&stranger, None, 100)
            .await
            .unwrap()
            .keys
            .is_empty()
    );
    assert!(bench.node.accepts(&issued).await);
}

#[tokio::test]
async fn pages_hold_every_key_once_newest_first() {
    let bench = Bench::new().await;
    let mut issued = Vec::new();
    for step in [0, 0, 1, 1, 1, 0, 1] {
        bench.test.clock.advance(Duration::from_millis(step));
        issued.push(bench.issue().await.record);
    }
    issued.sort_by_key(|record| std::cmp::Reverse((record.created_at, record.id)));
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = bench.node.keys.list(&account(), after, 3).await.unwrap();
        seen.extend(page.keys);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, issued);
}

// AK10
#[tokio::test]
async fn last_use_is_written_at_most_once_a_minute() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let start = issued.record.created_at;
    for (waited, writes, shown) in [(0, 1, 0), (59_999, 0, 0), (1, 1, 60_000), (0, 0, 60_000)] {
        bench.test.clock.advance(Duration::from_millis(waited));
        bench.node.follower.poll().await.unwrap();
        let using = async {
            for _ in 0..10 {
                assert!(bench.node.accepts(&issued).await);
            }
            bench.node.keys.flush().await.unwrap();
        };
        let ((), _, seen) = bench.calls(using).await;
        assert_eq!(seen, writes, "after {waited} ms more");
        let last = bench.shown(&issued).await.last_used_at;
        assert_eq!(last, Some(start.plus(Duration::from_millis(shown))));
    }
}

// AK10
#[tokio::test]
async fn a_last_use_that_cannot_be_written_waits_and_refuses_nobody() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    bench.probe.failing.store(true, Ordering::SeqCst);
    assert!(bench.node.accepts(&issued).await);
    assert!(bench.node.keys.flush().await.is_err());
    assert!(bench.node.accepts(&issued).await);
    bench.probe.failing.store(false, Ordering::SeqCst);
    bench.node.keys.flush().await.unwrap();
    assert!(bench.shown(&issued).await.last_used_at.is_some());
}

// AK10
#[tokio::test]
async fn the_first_use_is_written_without_anybody_asking() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let keys = Arc::clone(&bench.node.keys);
    let running = tokio::spawn(async move { keys.run().await });
    assert!(bench.node.accepts(&issued).await);
    while bench.shown(&issued).await.last_used_at.is_none() {
        tokio::task::yield_now().await;
    }
    running.abort();
}

// AK10
#[tokio::test]
async fn a_use_noted_before_a_revocation_leaves_the_key_revoked() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    bench.node.accepts(&issued).await;
    bench.revoke(&issued).await;
    bench.node.keys.flush().await.unwrap();
    let shown = bench.shown(&issued).await;
    assert!(shown.revoked_at.is_some() && shown.last_used_at.is_none());
}

// ST9
#[tokio::test]
async fn a_store_that_does_not_answer_grants_nothing() {
    let bench = Bench::new().await;
    bench.probe.failing.store(true, Ordering::SeqCst);
    assert!(matches!(
        bench.issue_with(new_key()).await,
        Err(ApiKeyError::Store(_))
    ));
}

// AK2, AK4
#[tokio::test]
async fn nothing_but_the_digest_is_kept_or_printed() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let caller = bench.node.authenticate(&issued).await.unwrap();
    let page = bench.node.keys.list(&account(), None, 10).await.unwrap();
    let events = bench.test.events.outcomes();
    let shown = format!(
        "{issued:?} {caller:?} {page:?} {events:?} {:?}",
        bench.node.keys
    );
    let secret = &issued.key.expose()[3..35];
    assert!(!shown.contains(secret));
    assert_eq!(issued.record.digest, issued.key.digest());
}

#[tokio::test]
async fn every_outcome_is_told_with_its_reason() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let id = issued.record.id;
    bench.node.accepts(&issued).await;
    bench.revoke(&issued).await;
    bench.node.accepts(&issued).await;
    let _ = bench.node.keys.authenticate("garbage", &requester()).await;
    let version = AccountVersion::new(7);
    let _ = bench
        .node
        .keys
        .issue(&account(), version, new_key(), &requester())
        .await;
    let told = bench.test.events.outcomes();
    let expected = [
        Outcome::KeyIssued(id),
        Outcome::KeyAccepted(id),
        Outcome::KeyRevoked(id),
        Outcome::KeyRefused(Refusal::Revoked),
        Outcome::KeyRefused(Refusal::Malformed),
    ];
    assert_eq!(told, expected);
}
