//! Misses that meet travel together, whoever hangs up, and whatever becomes of the query.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    error::Error,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use common::{Bench, Node, requester};
use ps_apikey::{ApiKeyError, ApiKeys, Issued, KeyCaller};
use ps_core::KeyId;
use tokio::{sync::oneshot, task::JoinHandle};

type Answer = Result<KeyCaller, ApiKeyError>;

/// Queries that are held back: thrown away they break, let go they answer.
type Held = Vec<oneshot::Sender<()>>;

struct Crowd {
    bench: Bench,
    keys: Vec<Arc<Issued>>,
}

impl Crowd {
    /// A node and so many keys, none of them remembered.
    async fn of(many: usize) -> Self {
        let bench = Bench::new().await;
        let mut keys = Vec::new();
        for each in 0..many {
            keys.push(Arc::new(bench.issue_for(&format!("account {each}")).await));
        }
        Self { bench, keys }
    }

    /// The next two queries are held back, and are those for the first two keys.
    async fn occupy(&self, node: &Node) -> (Vec<JoinHandle<Answer>>, Held) {
        let mut callers = Vec::new();
        let mut held = Vec::new();
        for key in &self.keys[..2] {
            let (reached, let_go) = self.bench.probe.pause();
            callers.push(ask(node, key));
            soon(reached).await.unwrap();
            held.push(let_go);
        }
        (callers, held)
    }
}

fn ask(node: &Node, key: &Arc<Issued>) -> JoinHandle<Answer> {
    tokio::spawn(authenticate(Arc::clone(&node.keys), Arc::clone(key)))
}

async fn authenticate(keys: Arc<ApiKeys>, key: Arc<Issued>) -> Answer {
    soon(keys.authenticate(key.key.expose(), &requester())).await
}

/// Where a turn is lost, whoever needs it would wait for ever.
async fn soon<T>(act: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(10), act).await;
    done.expect("nobody waits for a turn that is lost")
}

/// Until every task that can go on has done so.
async fn rest() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn id(caller: JoinHandle<Answer>) -> KeyId {
    caller.await.unwrap().unwrap().key().id
}

/// A caller whom the test moves by hand.
type ByHand = Pin<Box<dyn Future<Output = Answer>>>;

fn by_hand(node: &Node, key: &Arc<Issued>) -> ByHand {
    Box::pin(authenticate(Arc::clone(&node.keys), Arc::clone(key)))
}

async fn poll(caller: &mut ByHand) -> Option<Answer> {
    let polled = poll_fn(|context| Poll::Ready(caller.as_mut().poll(context)));
    match polled.await {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Polls until there is an answer; one that needs another caller to move has none.
async fn finish(mut caller: ByHand) -> Answer {
    for _ in 0..100 {
        if let Some(answer) = poll(&mut caller).await {
            return answer;
        }
    }
    panic!("nobody moves this caller on");
}

#[tokio::test]
async fn a_lone_miss_goes_at_once_and_so_does_a_second_one() {
    let crowd = Crowd::of(4).await;
    let node = &crowd.bench.node;
    let (callers, held) = crowd.occupy(node).await;
    assert_eq!(crowd.bench.probe.sizes(), [1, 1]);
    let third = ask(node, &crowd.keys[2]);
    rest().await;
    assert_eq!(crowd.bench.probe.sizes(), [1, 1], "a third one waits");
    for (let_go, caller) in held.into_iter().zip(callers) {
        let_go.send(()).unwrap();
        caller.await.unwrap().unwrap();
    }
    third.await.unwrap().unwrap();
    node.authenticate(&crowd.keys[3]).await.unwrap();
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn misses_that_meet_travel_together_and_each_gets_its_own_answer() {
    let crowd = Crowd::of(66).await;
    let node = &crowd.bench.node;
    let (mut callers, held) = crowd.occupy(node).await;
    callers.extend(crowd.keys[2..].iter().map(|key| ask(node, key)));
    rest().await;
    held.into_iter().next().unwrap().send(()).unwrap();
    callers.remove(1).abort();
    let mut expected: Vec<_> = crowd.keys.iter().map(|key| key.record.id).collect();
    expected.remove(1);
    for (caller, expected) in callers.into_iter().zip(expected) {
        assert_eq!(id(caller).await, expected);
    }
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 64]);
}

#[tokio::test]
async fn a_query_asks_for_256_digests_at_most_and_two_are_under_way_at_most() {
    let crowd = Crowd::of(302).await;
    let node = &crowd.bench.node;
    let (mut callers, held) = crowd.occupy(node).await;
    callers.extend(crowd.keys[2..].iter().map(|key| ask(node, key)));
    rest().await;
    for let_go in held {
        let_go.send(()).unwrap();
    }
    for (caller, key) in callers.into_iter().zip(&crowd.keys) {
        assert_eq!(id(caller).await, key.record.id);
    }
    let probe = &crowd.bench.probe;
    assert_eq!(probe.sizes(), [1, 1, 256, 44]);
    assert_eq!(probe.most_under_way.load(Ordering::SeqCst), 2);
}

/// In turn, each would wait for a store that does not answer by itself.
#[tokio::test]
async fn those_who_waited_for_a_lookup_that_failed_share_the_next() {
    let crowd = Crowd::of(1).await;
    let node = &crowd.bench.node;
    let (reached, breaks) = crowd.bench.probe.pause();
    let first = ask(node, &crowd.keys[0]);
    soon(reached).await.unwrap();
    let waiting: Vec<_> = (0..20).map(|_| ask(node, &crowd.keys[0])).collect();
    rest().await;
    let (one, two, shared) = (
        crowd.bench.probe.pause(),
        crowd.bench.probe.pause(),
        crowd.bench.probe.pause(),
    );
    drop(breaks);
    assert!(first.await.unwrap().is_err());
    // All have asked before any of them is answered.
    for (reached, breaks) in [one, two] {
        soon(reached).await.unwrap();
        rest().await;
        drop(breaks);
    }
    soon(shared.0).await.unwrap();
    drop(shared.1);
    for caller in waiting {
        assert!(caller.await.unwrap().is_err());
    }
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 1, 1]);
}

#[tokio::test]
async fn where_memory_is_not_trusted_one_key_of_many_callers_is_asked_for_once_in_a_query() {
    let crowd = Crowd::of(2).await;
    let node = crowd.bench.another_node();
    let (mut callers, held) = crowd.occupy(&node).await;
    callers.extend((0..64).map(|_| ask(&node, &crowd.keys[0])));
    rest().await;
    for let_go in held {
        let_go.send(()).unwrap();
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 1]);
}

#[tokio::test]
async fn an_unknown_key_in_a_query_harms_no_other() {
    let crowd = Crowd::of(3).await;
    let node = &crowd.bench.node;
    let (callers, held) = crowd.occupy(node).await;
    let stranger = ps_apikey::KeyPrefix::default().issue(&ps_core::SystemRandom);
    let keys = Arc::clone(&node.keys);
    let stranger = tokio::spawn(async move {
        let who = requester();
        keys.authenticate(stranger.expose(), &who).await
    });
    let good = ask(node, &crowd.keys[2]);
    rest().await;
    for let_go in held {
        let_go.send(()).unwrap();
    }
    assert!(matches!(stranger.await.unwrap(), Err(ApiKeyError::Denied)));
    assert_eq!(id(good).await, crowd.keys[2].record.id);
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 2]);
    drop(callers);
}

// ST9
#[tokio::test]
async fn those_who_share_a_query_share_its_error_and_nobody_else_does() {
    let crowd = Crowd::of(6).await;
    let node = &crowd.bench.node;
    let (callers, mut held) = crowd.occupy(node).await;
    let (reached, let_go) = crowd.bench.probe.pause();
    let sharing: Vec<_> = crowd.keys[2..5].iter().map(|key| ask(node, key)).collect();
    rest().await;
    held.remove(0).send(()).unwrap();
    soon(reached).await.unwrap();
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 3]);
    let later = ask(node, &crowd.keys[5]);
    drop(let_go);
    for caller in sharing {
        let Err(ApiKeyError::Store(error)) = caller.await.unwrap() else {
            panic!("granted, or refused for good");
        };
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        assert_eq!(cause.to_string(), "the database is gone");
    }
    assert_eq!(id(later).await, crowd.keys[5].record.id);
    held.remove(0).send(()).unwrap();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    // Nothing was remembered of what failed.
    assert!(node.accepts(&crowd.keys[3]).await);
}

#[tokio::test]
async fn a_store_that_panics_takes_no_turn_with_it() {
    let crowd = Crowd::of(5).await;
    let node = &crowd.bench.node;
    let probe = &crowd.bench.probe;
    for _ in 0..3 {
        let (callers, held) = crowd.occupy(node).await;
        let (reached, let_go) = probe.pause();
        let sharing: Vec<_> = crowd.keys[2..].iter().map(|key| ask(node, key)).collect();
        rest().await;
        probe.panicking.store(true, Ordering::SeqCst);
        for let_go in held {
            let_go.send(()).unwrap();
        }
        soon(reached).await.unwrap();
        let_go.send(()).unwrap();
        for caller in callers.into_iter().chain(sharing) {
            assert!(caller.await.unwrap_err().is_panic());
        }
        probe.panicking.store(false, Ordering::SeqCst);
    }
    let (callers, held) = crowd.occupy(node).await;
    assert_eq!(
        probe.under_way.load(Ordering::SeqCst),
        2,
        "both turns are there"
    );
    drop((callers, held));
}

/// More wait than the store can serve: who comes then is told so, and the others get their answers.
// AK14, ST9
#[tokio::test]
async fn the_line_is_bounded_and_whoever_finds_it_full_is_told_at_once() {
    const LINE: usize = 384;
    let crowd = Crowd::of(4).await;
    let node = crowd.bench.another_node();
    let (mut callers, held) = crowd.occupy(&node).await;
    callers.extend((0..LINE).map(|_| ask(&node, &crowd.keys[2])));
    rest().await;
    for _ in 0..2 {
        let answer = finish(by_hand(&node, &crowd.keys[3])).await;
        assert!(matches!(answer, Err(ApiKeyError::Store(_))));
    }
    for let_go in held {
        let_go.send(()).unwrap();
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert!(node.accepts(&crowd.keys[3]).await);
}

#[tokio::test]
async fn who_hung_up_in_line_is_not_asked_for() {
    let crowd = Crowd::of(5).await;
    let node = &crowd.bench.node;
    let (callers, held) = crowd.occupy(node).await;
    let [gone, first, second] = [2, 3, 4].map(|key| ask(node, &crowd.keys[key]));
    rest().await;
    gone.abort();
    rest().await;
    for let_go in held {
        let_go.send(()).unwrap();
    }
    assert_eq!(id(first).await, crowd.keys[3].record.id);
    assert_eq!(id(second).await, crowd.keys[4].record.id);
    let asked = crowd.bench.probe.asked.lock().unwrap().concat();
    assert!(!asked.contains(&crowd.keys[2].record.digest));
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 2]);
    drop(callers);
}

#[tokio::test]
async fn who_hangs_up_while_it_carries_a_query_hands_it_on_and_nothing_is_asked_again() {
    let crowd = Crowd::of(6).await;
    let node = &crowd.bench.node;
    let (callers, mut held) = crowd.occupy(node).await;
    let (reached, let_go) = crowd.bench.probe.pause();
    let sharing: Vec<_> = crowd.keys[2..].iter().map(|key| ask(node, key)).collect();
    rest().await;
    held.remove(0).send(()).unwrap();
    soon(reached).await.unwrap();
    // The first of them carries it, then whoever gets it from there: all but one hang up.
    let mut carriers = sharing.into_iter();
    let first = carriers.next().unwrap();
    let last = carriers.next().unwrap();
    for carrier in [first].into_iter().chain(carriers) {
        carrier.abort();
        rest().await;
    }
    assert_eq!(crowd.bench.probe.under_way.load(Ordering::SeqCst), 2);
    let_go.send(()).unwrap();
    assert_eq!(id(last).await, crowd.keys[3].record.id);
    assert_eq!(crowd.bench.probe.sizes(), [1, 1, 4]);
    drop((callers, held));
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_any_more_is_given_up_and_its_turn_goes_on() {
    let crowd = Crowd::of(3).await;
    let node = &crowd.bench.node;
    let (callers, _held) = crowd.occupy(node).await;
    let waits = ask(node, &crowd.keys[2]);
    rest().await;
    callers[0].abort();
    assert_eq!(id(waits).await, crowd.keys[2].record.id);
    callers[1].abort();
    rest().await;
    assert_eq!(crowd.bench.probe.under_way.load(Ordering::SeqCst), 0);
    let (callers, _held) = crowd.occupy(node).await;
    assert_eq!(crowd.bench.probe.under_way.load(Ordering::SeqCst), 2);
    drop(callers);
}

#[tokio::test]
async fn who_hangs_up_between_being_told_and_looking_passes_a_turn_on() {
    for leaves in 0..2 {
        let crowd = Crowd::of(4).await;
        let node = &crowd.bench.node;
        let mut all: Vec<_> = crowd.keys.iter().map(|key| by_hand(node, key)).collect();
        let (_, let_go) = crowd.bench.probe.pause();
        let (_, _held) = crowd.bench.probe.pause();
        for caller in &mut all {
            assert!(poll(caller).await.is_none());
        }
        let_go.send(()).unwrap();
        finish(all.remove(0)).await.unwrap();
        // One of the last two has a turn now, with a query for both, and has not looked yet.
        let mut waiting = all.split_off(1);
        drop(waiting.remove(leaves));
        let answer = finish(waiting.remove(0)).await.unwrap();
        assert_eq!(answer.key().id, crowd.keys[3 - leaves].record.id);
        assert_eq!(crowd.bench.probe.sizes(), [1, 1, 2]);
    }
}

/// The fence, for a key that changes while a query for it and others is under way.
// AK7
#[tokio::test]
async fn who_asks_after_a_change_joins_no_query_that_was_sent_before() {
    for is_following in [true, false] {
        let crowd = Crowd::of(6).await;
        let other = crowd.bench.another_node();
        let node = if is_following {
            &crowd.bench.node
        } else {
            &other
        };
        let (callers, mut held) = crowd.occupy(node).await;
        let (reached, let_go) = crowd.bench.probe.pause();
        let early: Vec<_> = crowd.keys[2..5].iter().map(|key| ask(node, key)).collect();
        rest().await;
        held.remove(0).send(()).unwrap();
        soon(reached).await.unwrap();
        assert_eq!(crowd.bench.probe.sizes(), [1, 1, 3]);

        // One that is asked for by the query under way, and one that nobody has asked for yet.
        let changed = [&crowd.keys[3], &crowd.keys[5]];
        for key in changed {
            assert!(crowd.bench.revoke(key).await);
        }
        // Both turns are taken, so these wait in line, and no answer that is on its way is theirs.
        let late = changed.map(|key| ask(node, key));
        rest().await;
        let_go.send(()).unwrap();
        for caller in early {
            assert!(caller.await.unwrap().is_ok(), "asked before the change");
        }
        for caller in late {
            let answer = caller.await.unwrap();
            assert!(matches!(answer, Err(ApiKeyError::Denied)), "{is_following}");
        }
        assert_eq!(crowd.bench.probe.sizes(), [1, 1, 3, 2]);
        // Nor was it remembered.
        for key in changed {
            assert!(!node.accepts(key).await);
        }
        drop((callers, held));
    }
}

/// Whatever hangs up and whenever, no answer is older than the request, and no turn is lost.
// AK7
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_race_of_callers_hang_ups_and_revocations() {
    let crowd = Arc::new(Crowd::of(64).await);
    let over = Arc::new(AtomicBool::new(false));
    let untrusting = Arc::new(crowd.bench.another_node());
    let mut callers = Vec::new();
    for seed in 0..16_usize {
        let (crowd, over, untrusting) = (
            Arc::clone(&crowd),
            Arc::clone(&over),
            Arc::clone(&untrusting),
        );
        callers.push(tokio::spawn(async move {
            let mut step = seed;
            while !over.load(Ordering::SeqCst) {
                step = step
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let bits = step >> 40;
                let node = if bits & 1 == 0 {
                    &crowd.bench.node
                } else {
                    &untrusting
                };
                let caller = ask(node, &crowd.keys[(bits >> 1) % 64]);
                for _ in 0..(bits >> 7) % 4 {
                    tokio::task::yield_now().await;
                }
                if (bits >> 9) % 2 == 0 {
                    caller.abort();
                } else {
                    let answer = caller.await.unwrap();
                    assert!(!matches!(answer, Err(ApiKeyError::Store(_))));
                }
            }
        }));
    }
    for key in &crowd.keys {
        assert!(crowd.bench.revoke(key).await);
        assert!(!crowd.bench.node.accepts(key).await);
        assert!(!untrusting.accepts(key).await);
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
    let probe = &crowd.bench.probe;
    while probe.under_way.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
    assert!(
        probe
            .sizes()
            .into_iter()
            .all(|size| (1..=64).contains(&size))
    );
    // Two turns a node, and as many are left.
    assert!(probe.most_under_way.load(Ordering::SeqCst) <= 4);
    let (one, _held) = crowd.occupy(&crowd.bench.another_node()).await;
    assert_eq!(probe.under_way.load(Ordering::SeqCst), 2);
    drop(one);
}
