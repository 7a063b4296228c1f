//! Opening, listing and ending sessions, and who is let in meanwhile.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{DAY, MILLISECOND, MINUTE, Node, SECOND, account, browser, race};
use ps_core::{AccountId, Accounts, Changes, Cursor, FollowChanges, Outcome, Refusal, SessionId};
use ps_session::{Method, RefreshError, SessionError, SessionStore, Which};

#[tokio::test]
async fn a_sign_in_opens_a_session() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    node.outcomes();
    let open = node.sign_in(&alice).await;
    assert_eq!(node.outcomes(), [Outcome::SessionOpened(open.record.id)]);
    let record = &open.record;
    assert_eq!(node.row(&open).await, *record);
    assert_eq!(record.account, alice);
    assert_eq!(record.version, node.version(&alice).await);
    assert_eq!(
        (record.authenticated_at, record.refreshed_at),
        (node.now(), node.now())
    );
    assert_eq!(record.idle_ends_at, node.now().plus(7 * DAY));
    assert_eq!(record.ends_at, node.now().plus(30 * DAY));
    assert_eq!(record.network, "203.0.113.0/24");
    assert_eq!(record.user_agent.as_deref(), Some("Browser/1.0"));
    assert_eq!(open.access_expires_in, 15 * MINUTE);
    assert!(node.admits(&open).await);
}

// SE25: neither an answer nor the service shows a token
#[tokio::test]
async fn nothing_prints_a_token() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    assert!(node.admits(&open).await);
    let shown = format!("{open:?} {:?}", node.sessions);
    for secret in [open.access.expose(), open.refresh.expose()] {
        assert!(!shown.contains(&secret[secret.len() - 20..]), "{shown}");
    }
}

// SE19
#[tokio::test]
async fn a_sign_in_ends_the_session_that_it_replaces() {
    let node = Node::new();
    let (alice, bob) = (account(&node, "alice").await, account(&node, "bob").await);
    let old = node.sign_in(&alice).await;
    node.refresh(old.refresh.expose(), None).await.unwrap();
    // Any generation of the old session names it, and whose it was does not matter.
    let presented = node.sessions.read_refresh(old.refresh.expose()).unwrap();
    let under = node.version(&bob).await;
    node.outcomes();
    let new = node
        .sessions
        .open(&bob, under, Method::MagicCode, Some(&presented), &browser())
        .await
        .unwrap();
    let (ended, opened) = (old.record.id, new.record.id);
    let outcomes = [Outcome::SessionEnded(ended), Outcome::SessionOpened(opened)];
    assert_eq!(node.outcomes(), outcomes);
    assert!(!node.admits(&old).await && node.admits(&new).await);
    assert!(node.row(&old).await.ended_at.is_some());
}

// SE21
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_sign_ins_end_at_twenty() {
    let node = Arc::new(Node::new());
    let alice = account(&node, "alice").await;
    node.follower.poll().await.unwrap();
    let opened = race(100, |_| {
        let (node, alice) = (node.clone(), alice.clone());
        async move { node.sign_in(&alice).await }
    })
    .await;
    assert_eq!(node.alive(&alice).await, 20);
    let mut admitted = 0;
    for open in &opened {
        admitted += usize::from(node.admits(open).await);
    }
    assert_eq!(admitted, 20);
}

#[tokio::test]
async fn an_account_that_is_not_good_gets_no_session() {
    let node = Node::new();
    let stranger = AccountId::new("unproven").unwrap();
    let under = node.version(&stranger).await;
    assert!(matches!(
        node.open(&stranger, under).await,
        Err(SessionError::Denied)
    ));
    assert_eq!(
        node.outcomes(),
        [Outcome::SessionRefused(Refusal::Unproven)]
    );

    let alice = account(&node, "alice").await;
    node.store.inner.disable(&alice, node.now()).await.unwrap();
    let under = node.version(&alice).await;
    assert!(matches!(
        node.open(&alice, under).await,
        Err(SessionError::Denied)
    ));
    assert_eq!(
        node.outcomes(),
        [Outcome::SessionRefused(Refusal::AccountDisabled)]
    );
    assert_eq!(node.alive(&alice).await, 0);
}

// SE21, SE10
#[tokio::test]
async fn one_session_is_ended_by_its_owner_only() {
    let node = Node::new();
    let (alice, bob) = (account(&node, "alice").await, account(&node, "bob").await);
    let (one, other) = (node.sign_in(&alice).await, node.sign_in(&alice).await);
    node.follower.poll().await.unwrap();
    let end = |whose: &AccountId, id: SessionId| {
        let (node, whose) = (&node, whose.clone());
        async move { node.sessions.end(&whose, &id, &browser()).await.unwrap() }
    };
    assert!(!end(&bob, one.record.id).await);
    assert!(node.admits(&one).await);
    node.outcomes();
    assert!(end(&alice, one.record.id).await);
    assert_eq!(node.outcomes(), [Outcome::SessionEnded(one.record.id)]);
    assert!(!node.admits(&one).await && node.admits(&other).await);
    assert!(!end(&alice, one.record.id).await);
    let listed = node.sessions.list(&alice).await.unwrap();
    assert_eq!(listed, [other.record]);
}

// SE10, SE22
#[tokio::test]
async fn ending_the_others_leaves_the_one_that_asks() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let (asking, other) = (node.sign_in(&alice).await, node.sign_in(&alice).await);
    node.follower.poll().await.unwrap();
    let caller = node
        .sessions
        .authenticate(asking.access.expose(), &browser())
        .await
        .unwrap();
    node.sessions.end_others(&caller, &browser()).await.unwrap();
    assert!(node.admits(&asking).await && !node.admits(&other).await);
    assert_eq!(
        node.sessions.confirm(&caller).await.unwrap().id,
        asking.record.id
    );
    assert!(node.refresh(asking.refresh.expose(), None).await.is_ok());

    // An ended one cannot take the others along.
    let newer = node.sign_in(&alice).await;
    node.sessions
        .end(&alice, &asking.record.id, &browser())
        .await
        .unwrap();
    let refused = node.sessions.end_others(&caller, &browser()).await;
    assert!(matches!(refused, Err(SessionError::Denied)));
    assert!(node.admits(&newer).await);
}

// SE20
#[tokio::test]
async fn signing_out_takes_any_token_of_the_session_and_may_be_repeated() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let by_refresh = node.sign_in(&alice).await;
    let next = node
        .refresh(by_refresh.refresh.expose(), None)
        .await
        .unwrap();
    let by_access = node.sign_in(&alice).await;
    let kept = node.sign_in(&alice).await;
    node.advance(DAY);
    assert!(!node.admits(&by_access).await, "expired");
    let old = node
        .sessions
        .read_refresh(by_refresh.refresh.expose())
        .unwrap();
    let expired = by_access.access.expose();
    node.outcomes();
    for _ in 0..2 {
        let (old, expired) = (Some(&old), Some(expired));
        node.sessions
            .sign_out(old, expired, &browser())
            .await
            .unwrap();
    }
    let ids = [by_refresh.record.id, by_access.record.id];
    assert_eq!(node.outcomes(), ids.map(Outcome::SessionEnded));
    let refused = node.refresh(next.refresh.expose(), None).await;
    assert!(matches!(refused, Err(RefreshError::Denied)));

    let forged = expired.replace('.', "_");
    node.sessions
        .sign_out(None, Some(&forged), &browser())
        .await
        .unwrap();
    node.sessions
        .sign_out(None, None, &browser())
        .await
        .unwrap();
    assert_eq!(node.sessions.list(&alice).await.unwrap(), [kept.record]);
}

// SE10
#[tokio::test]
async fn a_followed_feed_spares_every_store_read() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    node.follower.poll().await.unwrap();
    node.store.calls();
    for _ in 0..3 {
        assert!(node.admits(&open).await);
    }
    assert_eq!(node.store.calls(), 0);
    // Five seconds without a poll, and the store is asked each time.
    node.advance(5 * SECOND);
    assert!(node.admits(&open).await);
    assert_eq!(node.store.calls(), 0);
    node.advance(MILLISECOND);
    for _ in 0..3 {
        assert!(node.admits(&open).await);
    }
    assert_eq!(node.store.calls(), 3);
}

// SE10
#[tokio::test]
async fn what_ends_on_one_node_ends_on_the_others() {
    let (here, alice, open) = signed_in().await;
    let (there, cut) = (here.beside(), here.beside());
    there.follower.poll().await.unwrap();
    cut.follower.poll().await.unwrap();
    assert!(here.admits(&open).await && there.admits(&open).await && cut.admits(&open).await);

    here.sessions
        .end(&alice, &open.record.id, &browser())
        .await
        .unwrap();
    assert!(!here.admits(&open).await);
    there.follower.poll().await.unwrap();
    assert!(!there.admits(&open).await);
    // This one has not heard of it, and stops trusting itself.
    assert!(cut.admits(&open).await);
    cut.advance(5 * SECOND + MILLISECOND);
    assert!(!cut.admits(&open).await);
    // A node that starts now asks the store, and then knows by itself.
    let new = here.beside();
    assert!(!new.admits(&open).await);
    new.follower.poll().await.unwrap();
    new.store.calls();
    assert!(!new.admits(&open).await);
    assert_eq!(new.store.calls(), 0);
}

// SE10: forgetting what may be wrong never brings an ended session back
#[tokio::test]
async fn an_ended_session_is_never_forgotten() {
    let (node, alice, open) = signed_in().await;
    node.follower.poll().await.unwrap();
    node.sessions
        .end(&alice, &open.record.id, &browser())
        .await
        .unwrap();
    node.sessions.forget();
    node.store.calls();
    assert!(!node.admits(&open).await);
    assert_eq!(node.store.calls(), 0);
}

// SE10: what ended outside this service is in the feed
#[tokio::test]
async fn a_disabled_account_is_refused_as_soon_as_the_feed_says_so() {
    let (node, alice, open) = signed_in().await;
    node.follower.poll().await.unwrap();
    node.store.inner.disable(&alice, node.now()).await.unwrap();
    node.follower.catch_up().await;
    assert!(!node.admits(&open).await);
    let feed = node.store.inner.since(Cursor::default(), 10).await.unwrap();
    assert_eq!(feed.len(), 1);
}

#[tokio::test]
async fn without_a_feed_the_row_decides() {
    let (node, alice, open) = signed_in().await;
    node.outcomes();
    node.store.inner.disable(&alice, node.now()).await.unwrap();
    assert!(!node.admits(&open).await);
    let empty = Node::new();
    assert!(!empty.admits(&open).await);
    assert_eq!(node.outcomes(), [Outcome::SessionRefused(Refusal::Ended)]);
    assert_eq!(
        empty.outcomes(),
        [Outcome::SessionRefused(Refusal::Unknown)]
    );
}

#[tokio::test]
async fn an_access_token_is_good_for_its_fifteen_minutes() {
    let (node, _, open) = signed_in().await;
    node.advance(15 * MINUTE + 5 * SECOND - MILLISECOND);
    assert!(node.admits(&open).await);
    node.outcomes();
    node.advance(MILLISECOND);
    assert!(!node.admits(&open).await);
    assert_eq!(node.outcomes(), [Outcome::SessionRefused(Refusal::Expired)]);
}

// What makes a credential asks the row, whatever the feed has told.
#[tokio::test]
async fn confirming_reads_the_row_and_the_account() {
    let (node, alice, open) = signed_in().await;
    let caller = node
        .sessions
        .authenticate(open.access.expose(), &browser())
        .await
        .unwrap();
    assert_eq!(node.sessions.confirm(&caller).await.unwrap(), open.record);

    let elsewhere = node.beside();
    elsewhere
        .sessions
        .end(&alice, &open.record.id, &browser())
        .await
        .unwrap();
    node.outcomes();
    assert!(matches!(
        node.sessions.confirm(&caller).await,
        Err(SessionError::Denied)
    ));
    assert_eq!(node.outcomes(), [Outcome::SessionRefused(Refusal::Ended)]);

    let open = node.sign_in(&alice).await;
    let mut caller = node
        .sessions
        .authenticate(open.access.expose(), &browser())
        .await
        .unwrap();
    node.advance(7 * DAY);
    assert!(matches!(
        node.sessions.confirm(&caller).await,
        Err(SessionError::Denied)
    ));

    let open = node.sign_in(&alice).await;
    caller.session = open.record.id;
    assert!(node.sessions.confirm(&caller).await.is_ok());
    caller.account = account(&node, "bob").await;
    node.outcomes();
    assert!(matches!(
        node.sessions.confirm(&caller).await,
        Err(SessionError::Denied)
    ));
    assert_eq!(node.outcomes(), [Outcome::SessionRefused(Refusal::Unknown)]);
}

async fn signed_in() -> (Node, AccountId, ps_session::OpenSession) {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let open = node.sign_in(&alice).await;
    let found = node.store.find(Which::Id(&open.record.id)).await.unwrap();
    assert!(found.is_some());
    (node, alice, open)
}

#[tokio::test]
async fn what_has_been_over_for_a_day_is_forgotten() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let (gone, kept) = (node.sign_in(&alice).await, node.sign_in(&alice).await);
    let ended = node.sessions.end(&alice, &gone.record.id, &browser()).await;
    assert!(ended.unwrap());
    let running = tokio::spawn({
        let sessions = Arc::clone(&node.sessions);
        async move { sessions.run().await }
    });
    for (waited, is_kept) in [(DAY, true), (10 * MINUTE, false)] {
        while node.around.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        node.around.clock.advance(waited);
        while node.around.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        let row = node.store.find(Which::Id(&gone.record.id)).await.unwrap();
        assert_eq!(row.is_some(), is_kept, "{waited:?} later");
    }
    assert!(node.row(&kept).await.ended_at.is_none());
    running.abort();
}
