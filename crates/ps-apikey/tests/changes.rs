//! A change holds at once here, within a poll elsewhere, and 5 s later wherever following is cut.

#![allow(clippy::unwrap_used)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Bench, account, new_key, requester};
use ps_apikey::{KeyPatch, Scopes};
use ps_core::{AccountVersion, Accounts};

/// The promise of the fence: what was read before a revocation is neither kept nor handed on after it.
// AK7
#[tokio::test]
async fn a_lookup_paused_across_a_revocation_is_neither_kept_nor_shared() {
    let bench = Arc::new(Bench::new().await);
    let issued = Arc::new(bench.issue().await);
    let (reached, let_go) = bench.probe.pause();
    let early = tokio::spawn({
        let (bench, issued) = (Arc::clone(&bench), Arc::clone(&issued));
        async move { bench.node.accepts(&issued).await }
    });
    reached.await.unwrap();

    assert!(bench.revoke(&issued).await);

    // Whoever asks after the acknowledgement does not wait for the old lookup, and is refused.
    let (accepted, reads, _) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!((accepted, reads), (false, 1));

    // Whoever asked before it may still be let in; nobody after.
    let_go.send(()).unwrap();
    assert!(early.await.unwrap());
    assert!(!bench.node.accepts(&issued).await);
}

/// The same where another node revokes and this one hears of it while it looks the key up.
// AK7
#[tokio::test]
async fn a_lookup_paused_across_a_poll_is_not_kept() {
    let bench = Arc::new(Bench::new().await);
    let issued = Arc::new(bench.issue().await);
    let other = bench.another_node();
    other.follower.poll().await.unwrap();
    let other = Arc::new(other);
    let (reached, let_go) = bench.probe.pause();
    let early = tokio::spawn({
        let (other, issued) = (Arc::clone(&other), Arc::clone(&issued));
        async move { other.accepts(&issued).await }
    });
    reached.await.unwrap();
    bench.revoke(&issued).await;
    other.follower.poll().await.unwrap();
    let_go.send(()).unwrap();
    early.await.unwrap();
    assert!(!other.accepts(&issued).await);
}

// AK7
#[tokio::test]
async fn another_node_refuses_a_revoked_key_after_its_next_poll() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let other = bench.another_node();
    other.follower.poll().await.unwrap();
    assert!(other.accepts(&issued).await);
    bench.revoke(&issued).await;
    assert!(!bench.node.accepts(&issued).await);
    assert!(other.accepts(&issued).await, "it has not heard yet");
    other.follower.poll().await.unwrap();
    assert!(!other.accepts(&issued).await);
}

// AK7
#[tokio::test]
async fn a_node_that_has_not_followed_for_5_seconds_asks_the_store() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    assert!(bench.node.accepts(&issued).await);
    for (waited, reads) in [(5_000, 0), (1, 1), (0, 1)] {
        bench.test.clock.advance(Duration::from_millis(waited));
        let (accepted, seen, _) = bench.calls(bench.node.accepts(&issued)).await;
        assert_eq!((accepted, seen), (true, reads), "after {waited} ms more");
    }
    bench.node.follower.poll().await.unwrap();
    let (_, reads, _) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!(
        reads, 0,
        "following again, what was remembered and did not change is good"
    );
}

#[tokio::test]
async fn a_node_that_never_followed_asks_the_store_every_time() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    let other = bench.another_node();
    for _ in 0..3 {
        let (accepted, reads, _) = bench.calls(other.accepts(&issued)).await;
        assert_eq!((accepted, reads), (true, 1));
    }
    bench.revoke(&issued).await;
    assert!(!other.accepts(&issued).await);
}

/// Narrowing what a key may do is as urgent as revoking it.
// AK7
#[tokio::test]
async fn a_lookup_paused_across_a_change_is_neither_kept_nor_shared() {
    let bench = Arc::new(Bench::new().await);
    let mut new = new_key();
    new.scopes = Scopes::new(["a"]).unwrap();
    let issued = Arc::new(bench.issue_with(new).await.unwrap());
    let (reached, let_go) = bench.probe.pause();
    let early = tokio::spawn({
        let (bench, issued) = (Arc::clone(&bench), Arc::clone(&issued));
        async move { bench.node.accepts(&issued).await }
    });
    reached.await.unwrap();
    let patch = KeyPatch {
        scopes: Some(Scopes::default()),
        ..KeyPatch::default()
    };
    let keys = &bench.node.keys;
    let changed = keys
        .update(&account(), &issued.record.id, &patch, &requester())
        .await;
    assert_eq!(changed.unwrap().scopes, Scopes::default());
    let caller = bench.node.authenticate(&issued).await.unwrap();
    assert!(caller.require("a").is_err());
    let_go.send(()).unwrap();
    early.await.unwrap();
    let caller = bench.node.authenticate(&issued).await.unwrap();
    assert!(caller.require("a").is_err());
}

// AK7
#[tokio::test]
async fn a_replaced_key_is_refused_at_once_or_after_its_grace() {
    let bench = Bench::new().await;
    for grace in [0, 60] {
        let old = bench.issue().await;
        assert!(bench.node.accepts(&old).await);
        let (id, version) = (&old.record.id, AccountVersion::default());
        let span = Duration::from_secs(grace);
        let keys = &bench.node.keys;
        let new = keys
            .rotate(&account(), id, span, version, &requester())
            .await
            .unwrap();
        assert!(bench.node.accepts(&new).await);
        assert_eq!(bench.node.accepts(&old).await, grace > 0);
        bench.test.clock.advance(span);
        assert!(!bench.node.accepts(&old).await);
    }
}

#[tokio::test]
async fn a_grace_is_seven_days_at_most_and_never_past_the_keys_own_expiry() {
    let bench = Bench::new().await;
    let week = Duration::from_secs(7 * 24 * 3_600);
    for (life, ends) in [(None, week), (Some(week / 7), week / 7)] {
        let mut new = new_key();
        let now = bench.issue().await.record.created_at;
        new.expires_at = life.map(|life| now.plus(life));
        let old = bench.issue_with(new).await.unwrap();
        let version = AccountVersion::default();
        let (keys, id) = (&bench.node.keys, &old.record.id);
        let rotated = keys
            .rotate(&account(), id, week * 2, version, &requester())
            .await;
        rotated.unwrap();
        assert_eq!(bench.shown(&old).await.revoked_at, Some(now.plus(ends)));
    }
}

// AK9
#[tokio::test]
async fn a_disabled_account_has_no_keys_until_it_is_enabled() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    assert!(bench.node.accepts(&issued).await);
    let now = bench.issue().await.record.created_at;
    bench.probe.inner.disable(&account(), now).await.unwrap();
    bench.node.follower.catch_up().await;
    assert!(!bench.node.accepts(&issued).await);
    bench.probe.inner.enable(&account(), now).await.unwrap();
    bench.node.follower.catch_up().await;
    assert!(bench.node.accepts(&issued).await);
}

/// The fence holds for what is remembered as unknown too.
// AK7, AK9
#[tokio::test]
async fn a_lookup_paused_across_an_enabling_refuses_nobody_after_it() {
    let bench = Arc::new(Bench::new().await);
    let issued = Arc::new(bench.issue().await);
    let now = issued.record.created_at;
    bench.probe.inner.disable(&account(), now).await.unwrap();
    bench.node.follower.catch_up().await;
    let (reached, let_go) = bench.probe.pause();
    let early = tokio::spawn({
        let (bench, issued) = (Arc::clone(&bench), Arc::clone(&issued));
        async move { bench.node.accepts(&issued).await }
    });
    reached.await.unwrap();
    bench.probe.inner.enable(&account(), now).await.unwrap();
    bench.node.follower.catch_up().await;
    let_go.send(()).unwrap();
    assert!(!early.await.unwrap());
    assert!(bench.node.accepts(&issued).await);
}

/// What is remembered is believed for five minutes at most, whatever the feed says.
#[tokio::test]
async fn a_remembered_key_is_read_again_after_5_minutes() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    assert!(bench.node.accepts(&issued).await);
    for (waited, reads) in [(299, 0), (1, 1), (0, 0)] {
        bench.test.clock.advance(Duration::from_secs(waited));
        bench.node.follower.poll().await.unwrap();
        let (_, seen, _) = bench.calls(bench.node.accepts(&issued)).await;
        assert_eq!(seen, reads, "after {waited} s more");
    }
}

// AK14
#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_5_seconds() {
    let bench = Bench::new().await;
    let unknown = ps_apikey::KeyPrefix::default().issue(&ps_core::SystemRandom);
    for (waited, reads) in [(0, 1), (0, 0), (4_999, 0), (1, 1), (0, 0)] {
        bench.test.clock.advance(Duration::from_millis(waited));
        bench.node.follower.poll().await.unwrap();
        let who = requester();
        let asking = bench.node.keys.authenticate(unknown.expose(), &who);
        let (answer, seen, _) = bench.calls(asking).await;
        assert!(answer.is_err());
        assert_eq!(seen, reads, "after {waited} ms more");
    }
}

/// A key that is read again because its five minutes are over has not changed.
// AK14
#[tokio::test]
async fn an_unknown_key_stays_noted_while_others_are_read_again() {
    let bench = Arc::new(Bench::new().await);
    let issued = bench.issue().await;
    assert!(bench.node.accepts(&issued).await);
    bench.test.clock.advance(Duration::from_secs(300));
    bench.node.follower.poll().await.unwrap();
    let unknown = Arc::new(ps_apikey::KeyPrefix::default().issue(&ps_core::SystemRandom));
    let (reached, let_go) = bench.probe.pause();
    let asking = tokio::spawn({
        let (bench, unknown) = (Arc::clone(&bench), Arc::clone(&unknown));
        async move { bench.refuses(&unknown).await }
    });
    reached.await.unwrap();
    assert!(bench.node.accepts(&issued).await);
    let_go.send(()).unwrap();
    assert!(asking.await.unwrap());
    let (refused, reads, _) = bench.calls(bench.refuses(&unknown)).await;
    assert!(refused);
    assert_eq!(reads, 0);
}

// AK14
#[tokio::test]
async fn random_keys_drive_no_good_one_out() {
    let bench = Bench::new().await;
    let issued = bench.issue().await;
    assert!(bench.node.accepts(&issued).await);
    let who = requester();
    for _ in 0..20_000 {
        let unknown = ps_apikey::KeyPrefix::default().issue(&ps_core::SystemRandom);
        assert!(
            bench
                .node
                .keys
                .authenticate(unknown.expose(), &who)
                .await
                .is_err()
        );
    }
    let (accepted, reads, _) = bench.calls(bench.node.accepts(&issued)).await;
    assert_eq!((accepted, reads), (true, 0));
}
