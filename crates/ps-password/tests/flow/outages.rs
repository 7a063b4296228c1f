//! A store that cannot answer, and a queue that is full.

use std::{num::NonZero, sync::atomic::Ordering};

use futures_util::FutureExt;
use ps_core::{EmailAddress, Outcome};
use ps_password::{
    HashCost,
    PasswordError::{Busy, Denied, Store},
};

use crate::site::{RIGHT, Site, client, policy, typed};

// ST9
#[tokio::test]
async fn without_a_store_nothing_is_granted_compared_or_counted() {
    let site = Site::with_alice().await;
    let hashed = site.passwords.hashes();
    for fails in [&site.store.limiter_fails, &site.store.passwords_fail] {
        fails.store(true, Ordering::Relaxed);
        for _ in 0..12 {
            assert!(matches!(site.sign_in(RIGHT).await, Err(Store(_))));
            let asked = site.aged(0).await.knowing(RIGHT);
            assert!(matches!(site.change(asked, RIGHT).await, Err(Store(_))));
        }
        fails.store(false, Ordering::Relaxed);
        site.sign_in(RIGHT).await.unwrap();
    }
    assert_eq!(site.told(), [Outcome::PasswordAccepted; 2]);
    assert_eq!(site.passwords.hashes() - hashed, 2);
}

#[tokio::test]
async fn a_guess_that_found_no_room_is_given_back() {
    let memory = Site::with_alice().await.memory;
    // One hash takes longer than all that this test does meanwhile.
    let dear = HashCost::new(65_536, 6).unwrap();
    let one_thread = policy().with_threads(NonZero::<usize>::MIN);
    let site = Site::with(one_thread.with_queue(1).with_cost(dear), memory);
    let bob = EmailAddress::parse("bob@example.com").unwrap();
    let (wrong, client) = (typed("wrong"), client());
    let ask = || Box::pin(site.passwords.verify(&bob, None, &wrong, &client));

    let (mut hashed, mut queued) = (ask(), ask());
    assert!((&mut hashed).now_or_never().is_none());
    while site.passwords.hashes() == 0 {
        tokio::task::yield_now().await;
    }
    assert!((&mut queued).now_or_never().is_none());
    for _ in 0..50 {
        let answer = site.sign_in(RIGHT).now_or_never();
        assert!(matches!(answer, Some(Err(Busy))), "{answer:?}");
    }
    assert_eq!(site.told(), []);

    assert!(matches!(hashed.await, Err(Denied)));
    assert!(matches!(queued.await, Err(Denied)));
    site.sign_in(RIGHT).await.unwrap();
}
