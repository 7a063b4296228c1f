//! Many at once.

use std::sync::Arc;

use ps_core::{Outcome, Refusal, Requester};
use ps_magiccode::{CodeError, CodePolicy, Purpose};

use crate::site::{Site, address, other_than};

/// Runs `one` this often at once, and answers how often it came out well.
async fn at_once<F, Fut>(times: usize, one: F) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = bool> + Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|_| tokio::spawn(one())).collect();
    let mut good = 0;
    for task in tasks {
        good += usize::from(task.await.unwrap());
    }
    good
}

// MC3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_right_codes_at_once_exactly_one_is_taken() {
    // With as many attempts as guesses nothing but the spending decides.
    for attempts in [5, 64] {
        for _ in 0..50 {
            let site = Arc::new(Site::new(CodePolicy::default().with_attempts(attempts)));
            let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
            let taken = at_once(64, || {
                let (site, id, code) = (Arc::clone(&site), asked.challenge, code.clone());
                async move { site.guess(&id, Purpose::Register, &code).await.is_ok() }
            });
            assert_eq!(taken.await, 1);
            assert_eq!(site.count(Outcome::CodeAccepted), 1);
        }
    }
}

// MC4
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_10_000_wrong_guesses_at_once_five_are_compared() {
    let site = Arc::new(Site::default());
    let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
    let wrong = other_than(&code);
    let taken = at_once(10_000, || {
        let (site, id, wrong) = (Arc::clone(&site), asked.challenge, wrong.clone());
        async move { site.guess(&id, Purpose::Register, &wrong).await.is_ok() }
    });
    assert_eq!(taken.await, 0);
    assert_eq!(site.count(Outcome::CodeRefused(Refusal::Wrong)), 5);
    assert_eq!(site.count(Outcome::CodeRefused(Refusal::Unknown)), 9_995);
    assert!(
        site.guess(&asked.challenge, Purpose::Register, &code)
            .await
            .is_err()
    );
}

// MC10, MC12
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn strangers_of_ten_networks_get_thirty_mails_and_a_known_browser_its_own() {
    let site = Arc::new(Site::default());
    let ask = |requester: Requester| {
        let site = Arc::clone(&site);
        async move {
            let (codes, alice) = (&site.codes, address("alice"));
            let asked = codes.request(&alice, Purpose::SignIn, None, &requester);
            asked.await.is_ok()
        }
    };
    let network = std::sync::atomic::AtomicU8::new(0);
    let stranger = || {
        let network = network.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 10;
        Requester::new([203, 0, 113, network].into())
    };
    assert_eq!(at_once(1_000, || ask(stranger())).await, 30);
    let known = || stranger().with_known_browser(address("alice"));
    assert_eq!(at_once(100, || ask(known())).await, 5);
    let of_another = || stranger().with_known_browser(address("bob"));
    assert_eq!(at_once(100, || ask(of_another())).await, 0);
}

// MC10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_at_once_are_five_mails_an_hour_and_ten_a_day() {
    let site = Arc::new(Site::default());
    let ask = || {
        let site = Arc::clone(&site);
        async move {
            let asked = site.ask(&address("alice"), Purpose::Register, None).await;
            assert!(matches!(asked, Ok(_) | Err(CodeError::Throttled { .. })));
            asked.is_ok()
        }
    };
    for mails in [5, 5, 0] {
        assert_eq!(at_once(1_000, ask).await, mails);
        site.deliver().await;
        site.advance(3_600_000);
    }
    assert_eq!(site.mailbox.messages().len(), 10);
    site.advance(22 * 3_600_000);
    assert_eq!(at_once(1_000, ask).await, 5);
}
