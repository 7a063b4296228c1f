//! Refresh tokens against a store: what advances, what is repeated, what ends the session.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{sync::atomic::Ordering, time::Duration};

use common::{DAY, MILLISECOND, MINUTE, Node, SECOND, account, browser, race, root};
use ps_core::{Accounts, Following, Outcome, Refusal, RootSecrets};
use ps_session::{End, RefreshError, SessionPolicy, SessionStore, Sessions};

// SE14
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_refreshes_at_once_one_advances_and_the_winner_lives() {
    for round in 0..20 {
        let node = std::sync::Arc::new(Node::new());
        let alice = account(&node, "alice").await;
        let open = node.sign_in(&alice).await;
        let token = open.refresh.expose().to_owned();
        let answers = race(50, |number| {
            let (node, token) = (node.clone(), token.clone());
            let key = (number % 2 == 0).then(|| format!("fresh-key-{number}"));
            async move { node.refresh(&token, key.as_deref()).await }
        })
        .await;

        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in lost {
            assert!(matches!(answer, Err(RefreshError::Superseded)));
        }
        let won = won.into_iter().next().unwrap().unwrap();
        assert_eq!(node.row(&open).await.generation, 1);
        assert!(node.admits(&won).await);
        let next = node.refresh(won.refresh.expose(), None).await.unwrap();
        assert_eq!(next.record.generation, 2);
    }
}

#[tokio::test]
async fn a_refresh_moves_the_session_on() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    node.advance(DAY);
    node.outcomes();
    let next = node.refresh(open.refresh.expose(), None).await.unwrap();
    assert_eq!(node.outcomes(), [Outcome::SessionRefreshed(open.record.id)]);
    assert_eq!(next.record, node.row(&open).await);
    assert_eq!(next.record.generation, 1);
    assert_eq!(next.record.refreshed_at, node.now());
    assert_eq!(next.record.idle_ends_at, node.now().plus(7 * DAY));
    assert_eq!(next.access_expires_in, 15 * MINUTE);
    assert_ne!(next.refresh.expose(), open.refresh.expose());
    // SE26: a refresh is not a sign-in
    assert_eq!(next.record.authenticated_at, open.record.authenticated_at);
    let caller = node
        .sessions
        .authenticate(next.access.expose(), &browser())
        .await
        .unwrap();
    assert_eq!(caller.authenticated_at, open.record.authenticated_at);
}

// SE15
#[tokio::test]
async fn a_lost_answer_is_given_again_byte_for_byte() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let (old, key) = (open.refresh.expose(), Some("one-fresh-key"));
    let first = node.refresh(old, key).await.unwrap();
    node.advance(10 * MINUTE);
    node.outcomes();
    let again = node.refresh(old, key).await.unwrap();
    assert_eq!(again.refresh.expose(), first.refresh.expose());
    assert_eq!(node.outcomes(), [Outcome::SessionRefreshed(open.record.id)]);
    assert_eq!(node.row(&open).await, first.record);
    assert!(node.admits(&again).await);

    node.advance(MILLISECOND);
    assert!(matches!(
        node.refresh(old, key).await,
        Err(RefreshError::Denied)
    ));
    assert!(node.row(&open).await.ended_at.is_some());
}

// SE15, SE17
#[tokio::test]
async fn a_race_between_tabs_ends_nothing() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let won = node
        .refresh(open.refresh.expose(), Some("tab-one-key"))
        .await
        .unwrap();
    node.advance(10 * SECOND);
    node.outcomes();
    for key in [None, Some("tab-two-key")] {
        let lost = node.refresh(open.refresh.expose(), key).await;
        assert!(matches!(lost, Err(RefreshError::Superseded)));
        let refused = Outcome::RefreshRefused(Refusal::Superseded);
        assert_eq!(node.outcomes(), [refused]);
    }
    assert_eq!(node.row(&open).await, won.record);
    assert!(node.refresh(won.refresh.expose(), None).await.is_ok());
}

// SE10, SE16
#[tokio::test]
async fn a_replay_ends_the_session_and_the_end_stands() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    node.follower.poll().await.unwrap();
    let next = node.refresh(open.refresh.expose(), None).await.unwrap();
    assert!(node.admits(&next).await);
    node.advance(10 * SECOND + MILLISECOND);
    node.follower.poll().await.unwrap();
    node.outcomes();

    let replayed = node.refresh(open.refresh.expose(), None).await;
    assert!(matches!(replayed, Err(RefreshError::Denied)));
    assert_eq!(node.outcomes(), [Outcome::RefreshReplayed(open.record.id)]);
    assert_eq!(node.row(&open).await.ended_at, Some(node.now()));
    assert!(!node.admits(&next).await && !node.admits(&open).await);
    for token in [&next.refresh, &open.refresh] {
        let refused = node.refresh(token.expose(), None).await;
        assert!(matches!(refused, Err(RefreshError::Denied)));
    }
}

// SE16
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_replays_at_once_are_one() {
    let node = std::sync::Arc::new(Node::new());
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let next = node.refresh(open.refresh.expose(), None).await.unwrap();
    node.advance(MINUTE);
    node.outcomes();
    let token = open.refresh.expose().to_owned();
    let answers = race(50, |_| {
        let (node, token) = (node.clone(), token.clone());
        async move { node.refresh(&token, None).await }
    })
    .await;
    for answer in answers {
        assert!(matches!(answer, Err(RefreshError::Denied)));
    }
    let replayed = Outcome::RefreshReplayed(open.record.id);
    let outcomes = node.outcomes();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == replayed)
            .count(),
        1
    );
    assert!(!node.admits(&next).await);
}

// SE16, SE17: where the end cannot be written nothing is decided, and the next try writes it
#[tokio::test]
async fn an_end_that_failed_is_made_up_for() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    node.refresh(open.refresh.expose(), None).await.unwrap();
    node.advance(MINUTE);
    node.store.failing_ends.store(1, Ordering::SeqCst);
    let failed = node.refresh(open.refresh.expose(), None).await;
    assert!(matches!(failed, Err(RefreshError::Store(_))));
    assert_eq!(node.row(&open).await.ended_at, None);
    let replayed = node.refresh(open.refresh.expose(), None).await;
    assert!(matches!(replayed, Err(RefreshError::Denied)));
    assert!(node.row(&open).await.ended_at.is_some());
}

#[tokio::test]
async fn a_row_that_moved_between_two_looks_is_tried_again() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    node.store.missed_rotations.store(2, Ordering::SeqCst);
    let next = node.refresh(open.refresh.expose(), None).await.unwrap();
    assert_eq!(next.record.generation, 1);
    node.store.missed_rotations.store(3, Ordering::SeqCst);
    let restless = node.refresh(next.refresh.expose(), None).await;
    assert!(matches!(restless, Err(RefreshError::Store(_))));
    assert_eq!(node.row(&open).await, next.record);
}

// SE15
#[tokio::test]
async fn a_token_ahead_of_its_row_tells_of_a_backup() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let mut before = node.row(&open).await;
    let next = node.refresh(open.refresh.expose(), None).await.unwrap();
    // The same account on a store that has forgotten the rotation.
    let restored = Node::new();
    account(&restored, "alice").await;
    before.generation = 0;
    restored
        .store
        .open(&before, None, 20, node.now())
        .await
        .unwrap();
    restored.outcomes();
    let refused = restored.refresh(next.refresh.expose(), None).await;
    assert!(matches!(refused, Err(RefreshError::Denied)));
    assert_eq!(
        restored.outcomes(),
        [Outcome::StoreBehindToken(open.record.id)]
    );
    assert_eq!(restored.row(&open).await, before);
}

// SE11
#[tokio::test]
async fn a_forged_token_costs_no_store_call() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let text = open.refresh.expose();
    let flip = |at: usize| {
        let mut text = text.as_bytes().to_vec();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    node.store.calls();
    node.outcomes();
    let table = [
        (String::new(), Refusal::Malformed),
        (flip(0), Refusal::Malformed),
        (flip(2), Refusal::Unknown),
        (flip(20), Refusal::Wrong),
        (flip(52), Refusal::Wrong),
        (flip(90), Refusal::Wrong),
        // SE9
        (open.access.expose().to_owned(), Refusal::Malformed),
    ];
    for (forged, why) in table {
        let refused = node.refresh(&forged, None).await;
        assert!(matches!(refused, Err(RefreshError::Unreadable)), "{forged}");
        assert_eq!(node.outcomes(), [Outcome::RefreshRefused(why)]);
    }
    assert_eq!(node.store.calls(), 0);
    // SE9
    assert!(node.sessions.authenticate(text, &browser()).await.is_err());
}

// SE18
#[tokio::test]
async fn a_session_dies_when_idle_and_at_its_absolute_end() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let idle = node.sign_in(&alice).await;
    node.advance(7 * DAY - MILLISECOND);
    let mut walked = node.refresh(idle.refresh.expose(), None).await.unwrap();
    node.advance(7 * DAY);
    node.outcomes();
    let refused = node.refresh(walked.refresh.expose(), None).await;
    assert!(matches!(refused, Err(RefreshError::Denied)));
    assert_eq!(node.outcomes(), [Outcome::RefreshRefused(Refusal::Expired)]);

    let begun = node.now();
    walked = node.sign_in(&alice).await;
    let end = begun.plus(30 * DAY);
    while end.since(node.now()) > 6 * DAY {
        node.advance(6 * DAY);
        let expires_at = walked.record.expires_at();
        if node.now() < end {
            walked = node.refresh(walked.refresh.expose(), None).await.unwrap();
            assert!(walked.record.expires_at() > expires_at || walked.record.expires_at() == end);
        }
    }
    node.advance(end.since(node.now()) - MINUTE);
    walked = node.refresh(walked.refresh.expose(), None).await.unwrap();
    assert_eq!(walked.record.expires_at(), end);
    assert_eq!(walked.access_expires_in, MINUTE);
    node.advance(MINUTE);
    let refused = node.refresh(walked.refresh.expose(), None).await;
    assert!(matches!(refused, Err(RefreshError::Denied)));
    assert_eq!(node.alive(&alice).await, 0);
}

// SE8
#[tokio::test]
async fn replacing_the_root_signs_nobody_out() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let with = |firsts: &[u8]| {
        let roots = RootSecrets::new(firsts.iter().map(|first| root(*first))).unwrap();
        Sessions::new(
            node.store.clone(),
            std::sync::Arc::new(node.store.inner.clone()),
            &roots,
            common::ISSUER,
            Following::default(),
            SessionPolicy::default(),
            node.around.ambient(),
        )
    };
    let mut open = node.sign_in(&alice).await;
    let rollouts: [&[u8]; 4] = [&[1, 2], &[2, 1], &[2, 1], &[2]];
    for roots in rollouts {
        node.advance(MINUTE);
        let rolled_out = with(roots);
        let admitted = rolled_out
            .authenticate(open.access.expose(), &browser())
            .await;
        assert!(admitted.is_ok(), "{roots:?}");
        let token = rolled_out.read_refresh(open.refresh.expose()).unwrap();
        open = rolled_out.refresh(&token, None, &browser()).await.unwrap();
    }
    assert!(with(&[1]).read_refresh(open.refresh.expose()).is_err());
    assert!(
        with(&[1])
            .authenticate(open.access.expose(), &browser())
            .await
            .is_err()
    );
}

// SE22, SE23
#[tokio::test]
async fn nothing_is_carried_on_after_the_account_was_overturned() {
    for disable in [false, true] {
        let node = Node::new();
        let alice = account(&node, "alice").await;
        let open = node.sign_in(&alice).await;
        if disable {
            node.store.inner.disable(&alice, node.now()).await.unwrap();
            node.store.inner.enable(&alice, node.now()).await.unwrap();
        } else {
            node.store
                .inner
                .end(End::All(&alice), node.now())
                .await
                .unwrap();
        }
        let refused = node.refresh(open.refresh.expose(), None).await;
        assert!(matches!(refused, Err(RefreshError::Denied)));
        assert_eq!(node.row(&open).await.generation, 0);
    }
}

#[tokio::test]
async fn windows_are_policy() {
    let policy = SessionPolicy::default()
        .with_race_window(Duration::ZERO)
        .with_retry_window(Duration::ZERO);
    let node = Node::with_policy(policy);
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let (old, key) = (open.refresh.expose(), Some("one-fresh-key"));
    node.refresh(old, key).await.unwrap();
    assert!(matches!(
        node.refresh(old, key).await,
        Err(RefreshError::Denied)
    ));
    assert!(node.row(&open).await.ended_at.is_some());
}

/// What a refresh costs while all is well, counted.
#[tokio::test]
async fn a_refresh_is_one_store_call() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let mut open = node.sign_in(&alice).await;
    for _ in 0..3 {
        node.store.calls();
        open = node.refresh(open.refresh.expose(), None).await.unwrap();
        assert_eq!(node.store.calls(), 1);
    }
}
