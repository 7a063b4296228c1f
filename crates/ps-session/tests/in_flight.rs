//! What is under way while an account is overturned leaves nothing behind.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{Node, account, browser, race};
use ps_core::{AccountId, Accounts};
use ps_session::{OpenSession, SessionError};

// SE22
#[tokio::test]
async fn a_sign_in_begun_before_comes_too_late() {
    for disable in [false, true] {
        let node = Node::new();
        let alice = account(&node, "alice").await;
        let asking = node.sign_in(&alice).await;
        let under = node.version(&alice).await;
        overturn(&node, &alice, &asking, disable).await;
        let late = node.open(&alice, under).await;
        assert!(matches!(late, Err(SessionError::AccountChanged)));
        assert_eq!(node.alive(&alice).await, usize::from(!disable));
    }
}

/// What one of the racing tasks got, if it got anything.
type Got = Option<OpenSession>;

// SE10, SE22, SE23
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_and_refreshes_in_flight_leave_nothing_behind() {
    for round in 0..40 {
        let disable = round % 2 == 0;
        let node = Arc::new(Node::new());
        let alice = account(&node, "alice").await;
        node.follower.poll().await.unwrap();
        let asking = Arc::new(node.sign_in(&alice).await);
        let under = node.version(&alice).await;
        let mut others = Vec::new();
        for _ in 0..8 {
            others.push(Arc::new(node.sign_in(&alice).await));
        }
        let got: Vec<Got> = race(17, |number| {
            let (node, alice, asking) = (node.clone(), alice.clone(), asking.clone());
            let other = others.get(number).cloned();
            async move {
                match other {
                    Some(other) => node.refresh(other.refresh.expose(), None).await.ok(),
                    None if number < 16 => node.open(&alice, under).await.ok(),
                    None => {
                        overturn(&node, &alice, &asking, disable).await;
                        None
                    }
                }
            }
        })
        .await;
        node.follower.catch_up().await;

        let survivors = node.sessions.list(&alice).await.unwrap();
        let survivors: Vec<_> = survivors.iter().map(|row| row.id).collect();
        let expected = if disable {
            vec![]
        } else {
            vec![asking.record.id]
        };
        assert_eq!(survivors, expected, "round {round}");
        assert_eq!(node.admits(&asking).await, !disable);
        for open in got.iter().flatten() {
            assert!(!node.admits(open).await, "round {round}");
            assert!(node.refresh(open.refresh.expose(), None).await.is_err());
        }
    }
}

/// A refresh of the session that asks is not mistaken for one of those that end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_session_that_asks_refreshes_meanwhile() {
    for round in 0..40 {
        let node = Arc::new(Node::new());
        let alice = account(&node, "alice").await;
        let asking = Arc::new(node.sign_in(&alice).await);
        let got: Vec<Got> = race(2, |number| {
            let (node, alice, asking) = (node.clone(), alice.clone(), asking.clone());
            async move {
                if number == 0 {
                    return node.refresh(asking.refresh.expose(), None).await.ok();
                }
                overturn(&node, &alice, &asking, false).await;
                None
            }
        })
        .await;
        let carried_on = got.into_iter().flatten().next();
        let carried_on = carried_on.unwrap_or_else(|| panic!("round {round}"));
        let next = node.refresh(carried_on.refresh.expose(), None).await;
        assert_eq!(next.unwrap().record.generation, 2);
    }
}

async fn overturn(node: &Node, alice: &AccountId, asking: &OpenSession, disable: bool) {
    if disable {
        node.store.inner.disable(alice, node.now()).await.unwrap();
    } else {
        let access = asking.access.expose();
        let caller = node
            .sessions
            .authenticate(access, &browser())
            .await
            .unwrap();
        node.sessions.end_others(&caller, &browser()).await.unwrap();
    }
}
