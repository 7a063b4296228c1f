//! A proof that may be delivered twice opens one session.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{MILLISECOND, Node, SECOND, account, browser, race};
use ps_core::{AccountId, Accounts, Outcome, Refusal};
use ps_session::{FamilyDigest, Method, Once, OpenSession, SessionError, SessionPolicy};

const REFERENCE: [u8; 32] = [7; 32];

async fn deliver(
    node: &Node,
    account: &AccountId,
    replaces: Option<&FamilyDigest>,
) -> Result<Once, SessionError> {
    let under = node.version(account).await;
    node.sessions
        .open_once(
            &REFERENCE,
            account,
            under,
            Method::Social,
            replaces,
            &browser(),
        )
        .await
}

async fn look(node: &Node) -> Option<Once> {
    let browser = browser();
    let looking = node.sessions.opened_before(&REFERENCE, &browser);
    looking.await.unwrap()
}

fn opened(once: Once) -> OpenSession {
    match once {
        Once::Opened(open) => open,
        other => panic!("{other:?}"),
    }
}

fn again(once: Once) -> OpenSession {
    match once {
        Once::Again(open) => open,
        other => panic!("{other:?}"),
    }
}

// OA1
#[tokio::test]
async fn a_second_delivery_gets_the_same_token() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    assert!(look(&node).await.is_none());
    let first = opened(deliver(&node, &alice, None).await.unwrap());
    node.advance(60 * SECOND);
    let second = again(deliver(&node, &alice, None).await.unwrap());
    let third = again(look(&node.beside()).await.unwrap());
    for other in [second, third] {
        assert_eq!(other.record, first.record);
        assert_eq!(other.refresh.expose(), first.refresh.expose());
        assert!(node.admits(&other).await);
    }
    assert_eq!(node.alive(&alice).await, 1);
}

// OA1
#[tokio::test]
async fn what_was_opened_and_moved_on_is_spent() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let first = opened(deliver(&node, &alice, None).await.unwrap());
    node.refresh(first.refresh.expose(), None).await.unwrap();
    node.outcomes();
    assert!(matches!(look(&node).await, Some(Once::Spent)));
    assert!(matches!(
        deliver(&node, &alice, None).await,
        Ok(Once::Spent)
    ));
    let refused = Outcome::SessionRefused(Refusal::Spent);
    assert_eq!(node.outcomes(), [refused, refused]);
    assert_eq!(node.alive(&alice).await, 1);
}

// OA1
#[tokio::test]
async fn what_was_opened_too_long_ago_is_spent() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    opened(deliver(&node, &alice, None).await.unwrap());
    node.advance(60 * SECOND + MILLISECOND);
    assert!(matches!(look(&node).await, Some(Once::Spent)));

    let strict = SessionPolicy::default().with_delivery_window(std::time::Duration::ZERO);
    let node = Node::with_policy(strict);
    let alice = account(&node, "alice").await;
    opened(deliver(&node, &alice, None).await.unwrap());
    assert!(matches!(look(&node).await, Some(Once::Spent)));
}

// OA1
#[tokio::test]
async fn what_was_opened_and_ended_is_spent() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let first = opened(deliver(&node, &alice, None).await.unwrap());
    node.sessions
        .end(&alice, &first.record.id, &browser())
        .await
        .unwrap();
    assert!(matches!(
        deliver(&node, &alice, None).await,
        Ok(Once::Spent)
    ));
    assert_eq!(node.alive(&alice).await, 0);
}

#[tokio::test]
async fn a_changed_account_gets_no_second_delivery() {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    opened(deliver(&node, &alice, None).await.unwrap());
    node.store.inner.disable(&alice, node.now()).await.unwrap();
    assert!(matches!(look(&node).await, Some(Once::Spent)));
    let refused = deliver(&node, &alice, None).await.unwrap_err();
    assert!(matches!(refused, SessionError::Denied));
}

// SE19
#[tokio::test]
async fn it_ends_the_session_that_the_browser_had() {
    let node = Node::new();
    let (alice, bob) = (account(&node, "alice").await, account(&node, "bob").await);
    let old = node.sign_in(&alice).await;
    let replaced = old.refresh.family();
    let new = opened(deliver(&node, &bob, Some(&replaced)).await.unwrap());
    assert!(!node.admits(&old).await && node.admits(&new).await);
    assert_eq!(new.record.method, Method::Social);
}

// OA1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_deliveries_at_once_one_opens() {
    let node = Arc::new(Node::new());
    let alice = account(&node, "alice").await;
    let delivered = race(64, |_| {
        let (node, alice) = (node.clone(), alice.clone());
        async move { deliver(&node, &alice, None).await.unwrap() }
    })
    .await;
    let (mut first, mut tokens) = (0, Vec::new());
    for once in delivered {
        let open = match once {
            Once::Opened(open) => {
                first += 1;
                open
            }
            other => again(other),
        };
        tokens.push(open.refresh.expose().to_owned());
    }
    tokens.dedup();
    assert_eq!((first, tokens.len()), (1, 1));
    assert_eq!(node.alive(&alice).await, 1);
}
