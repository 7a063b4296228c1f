//! Random histories of one session against a small reference machine.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{Node, account};
use proptest::prelude::*;
use ps_session::{OpenSession, RefreshError};

/// The generations of a session that exist, from the reference machine's point of view: what was
/// sent to make each, and when. It knows no rows and no digests.
#[derive(Debug)]
struct Reference {
    /// The request that made each generation after the first.
    made_by: Vec<(Option<&'static str>, u64)>,
    /// Every token so far.
    tokens: Vec<String>,
    now: u64,
    idle_end: u64,
    over: bool,
}

/// What a refresh should come to.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Next,
    Same,
    Raced,
    Over,
}

const ABSOLUTE: u64 = 30 * 86_400_000;
const IDLE: u64 = 7 * 86_400_000;

impl Reference {
    fn new(first: &OpenSession) -> Self {
        Self {
            made_by: Vec::new(),
            tokens: vec![first.refresh.expose().to_owned()],
            now: 0,
            idle_end: IDLE,
            over: false,
        }
    }

    fn is_over(&self) -> bool {
        self.over || self.now >= self.idle_end || self.now >= ABSOLUTE
    }

    /// Presents the token of this generation.
    fn refresh(&mut self, generation: usize, key: Option<&'static str>) -> Expected {
        if self.is_over() {
            return Expected::Over;
        }
        let head = self.tokens.len() - 1;
        if generation == head {
            self.made_by.push((key, self.now));
            self.idle_end = self.now + IDLE;
            return Expected::Next;
        }
        if generation + 1 == head {
            let (made_by, at) = self.made_by[head - 1];
            let constant = head >= 2 && self.made_by[head - 2].0 == made_by;
            let age = self.now - at;
            if key.is_some() && key == made_by && !constant && age <= 600_000 {
                return Expected::Same;
            }
            if age <= 10_000 {
                return Expected::Raced;
            }
        }
        self.over = true;
        Expected::Over
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Presents a token so many generations behind the newest: the client's own, one whose answer
    /// was lost, one stolen long ago, in any order and under any key.
    Present {
        behind: usize,
        key: Option<&'static str>,
    },
    Wait(u64),
    SignOut {
        behind: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop::option::of(prop::sample::select(vec![
        "key-number-one",
        "key-number-two",
        "key-number-three",
    ]));
    let waits = vec![
        0,
        1,
        1_000,
        9_999,
        10_000,
        10_001,
        599_999,
        600_000,
        600_001,
        IDLE - 1,
        IDLE,
        6 * 86_400_000,
    ];
    let step = prop_oneof![
        12 => (prop_oneof![6 => Just(0usize), 4 => Just(1), 1 => 2usize..5], key)
            .prop_map(|(behind, key)| Step::Present { behind, key }),
        6 => prop::sample::select(waits).prop_map(Step::Wait),
        1 => (0usize..3).prop_map(|behind| Step::SignOut { behind }),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // SE15, SE16, SE18, SE20
    #[test]
    fn every_history_ends_as_the_reference_says(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(walk(&steps));
    }
}

async fn walk(steps: &[Step]) {
    let node = Node::new();
    let alice = account(&node, "alice").await;
    let mut newest = node.sign_in(&alice).await;
    let mut reference = Reference::new(&newest);
    for step in steps {
        match *step {
            Step::Wait(millis) => {
                node.advance(Duration::from_millis(millis));
                reference.now += millis;
            }
            Step::SignOut { behind } => {
                let token = reference.tokens.iter().rev().nth(behind);
                let token = token.unwrap_or(&reference.tokens[0]);
                let token = node.sessions.read_refresh(token).unwrap();
                node.sessions
                    .sign_out(Some(&token), None, &common::browser())
                    .await
                    .unwrap();
                reference.over = true;
            }
            Step::Present { behind, key } => {
                let generation = (reference.tokens.len() - 1).saturating_sub(behind);
                let expected = reference.refresh(generation, key);
                let presented = reference.tokens[generation].clone();
                match (node.refresh(&presented, key).await, expected) {
                    (Ok(open), Expected::Next) => {
                        let token = open.refresh.expose().to_owned();
                        assert!(!reference.tokens.contains(&token));
                        reference.tokens.push(token);
                        newest = open;
                    }
                    (Ok(open), Expected::Same) => {
                        assert_eq!(open.refresh.expose(), reference.tokens[generation + 1]);
                        newest = open;
                    }
                    (Err(RefreshError::Superseded), Expected::Raced)
                    | (Err(RefreshError::Denied), Expected::Over) => {}
                    (answer, expected) => panic!("{answer:?} is not {expected:?}: {reference:?}"),
                }
            }
        }
        let row = node.row(&newest).await;
        assert_eq!(row.generation as usize, reference.tokens.len() - 1);
        assert_eq!(
            row.is_alive(node.now()),
            !reference.is_over(),
            "{reference:?}"
        );
        let fresh = newest.record.refreshed_at == node.now();
        if reference.is_over() || fresh {
            assert_eq!(
                node.admits(&newest).await,
                !reference.is_over(),
                "{reference:?}"
            );
        }
    }
}
