//! Signing in.

use std::{sync::atomic::Ordering, time::Duration};

use ps_core::{AccountId, EmailAddress, LimitRule, Outcome, Refusal};
use ps_password::PasswordError::{Denied, Throttled};

use crate::site::{RIGHT, Site, WRONG, account, alice, policy};

fn refused(why: Refusal) -> Outcome {
    Outcome::PasswordRefused(why)
}

#[tokio::test]
async fn the_right_password_and_no_other_is_taken() {
    let site = Site::with_alice().await;
    site.sign_in(RIGHT).await.unwrap();
    for wrong in ["", WRONG, "Correct horse battery staple", &"x".repeat(129)] {
        assert!(matches!(site.sign_in(wrong).await, Err(Denied)), "{wrong}");
    }
    let wrong = refused(Refusal::Wrong);
    let told = [Outcome::PasswordAccepted, wrong, wrong, wrong, wrong];
    assert_eq!(site.told(), told);
}

#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    let site = Site::new();
    site.change(site.fresh(), "zur\u{308}ich-Straße")
        .await
        .unwrap();
    site.sign_in("zu\u{72}\u{308}ich-Straße").await.unwrap();
    let composed = Site::new();
    composed
        .change(composed.fresh(), "zürich-Straße")
        .await
        .unwrap();
    composed.sign_in("zu\u{308}rich-Straße").await.unwrap();
}

// Nobody learns by a password which addresses have an account, or which accounts a password.
#[tokio::test]
async fn an_unknown_address_costs_what_a_known_one_costs() {
    let site = Site::with_alice().await;
    let bob = EmailAddress::parse("bob@example.com").unwrap();
    let without_password = AccountId::new("account of bob").unwrap();
    let cases = [
        (alice(), Some(account()), Refusal::Wrong),
        (bob.clone(), None, Refusal::NoAccount),
        (bob, Some(without_password), Refusal::Unknown),
    ];
    for (address, account, why) in cases {
        let before = (
            site.passwords.hashes(),
            site.store.finds.load(Ordering::Relaxed),
        );
        let answer = site.sign_in_at(&address, account.as_ref(), WRONG).await;
        assert!(matches!(answer, Err(Denied)), "{answer:?}");
        assert_eq!(site.passwords.hashes() - before.0, 1, "{why:?}");
        assert_eq!(
            site.store.finds.load(Ordering::Relaxed) - before.1,
            1,
            "{why:?}"
        );
        assert_eq!(site.told(), [refused(why)]);
    }
}

#[tokio::test]
async fn ten_wrong_guesses_an_hour_are_all_there_are() {
    let site = Site::with_alice().await;
    for _ in 0..10 {
        assert!(matches!(site.sign_in(WRONG).await, Err(Denied)));
        site.test.clock.advance(Duration::from_secs(60));
    }
    let hashed = site.passwords.hashes();
    site.told();
    for text in [WRONG, RIGHT] {
        let Err(Throttled { retry_after }) = site.sign_in(text).await else {
            panic!("the eleventh is not compared");
        };
        assert_eq!(retry_after, Duration::from_secs(50 * 60));
    }
    assert_eq!(site.passwords.hashes(), hashed);
    assert_eq!(site.told(), [refused(Refusal::Throttled); 2]);

    site.test.clock.advance(Duration::from_secs(50 * 60));
    site.sign_in(RIGHT).await.unwrap();
    assert!(matches!(site.sign_in(WRONG).await, Err(Denied)));
    assert!(matches!(site.sign_in(WRONG).await, Err(Throttled { .. })));
}

#[tokio::test]
async fn guesses_on_one_address_hold_up_no_other() {
    let site = Site::with_alice().await;
    let bob = EmailAddress::parse("bob@example.com").unwrap();
    for _ in 0..10 {
        let guess = site.sign_in_at(&bob, None, WRONG).await;
        assert!(matches!(guess, Err(Denied)));
    }
    let unknown = site.sign_in_at(&bob, None, WRONG).await;
    assert!(matches!(unknown, Err(Throttled { .. })), "unknown ones too");
    site.sign_in(RIGHT).await.unwrap();
}

// MC12
#[tokio::test]
async fn known_browsers_have_guesses_of_their_own() {
    let site = Site::with_alice().await;
    let bob = EmailAddress::parse("bob@example.com").unwrap();
    for _ in 0..10 {
        assert!(matches!(site.sign_in(WRONG).await, Err(Denied)));
    }
    let refused = site.sign_in_known(bob, RIGHT).await;
    assert!(matches!(refused, Err(Throttled { .. })), "a stranger here");
    for _ in 0..10 {
        site.sign_in_known(alice(), RIGHT).await.unwrap();
        let wrong = site.sign_in_known(alice(), WRONG).await;
        assert!(matches!(wrong, Err(Denied)));
    }
    let refused = site.sign_in_known(alice(), RIGHT).await;
    assert!(matches!(refused, Err(Throttled { .. })), "ten and no more");
}

#[tokio::test]
async fn right_ones_are_given_back_however_many() {
    let site = Site::with_alice().await;
    for _ in 0..100 {
        site.sign_in(RIGHT).await.unwrap();
        site.test.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(site.told(), [Outcome::PasswordAccepted; 100]);
}

// A guesser who knows a password of his own has no use for it against another address.
#[tokio::test]
async fn a_right_one_gives_back_no_wrong_one() {
    let memory = Site::with_alice().await.memory;
    let rule = LimitRule {
        limit: 3,
        per: Duration::from_secs(3_600),
    };
    let site = Site::with(policy().with_guesses(rule), memory);
    for text in [WRONG, RIGHT, WRONG, RIGHT, RIGHT, WRONG] {
        assert_eq!(site.sign_in(text).await.is_ok(), text == RIGHT);
    }
    let answer = site.sign_in(RIGHT).await;
    assert!(matches!(answer, Err(Throttled { .. })), "{answer:?}");
}
