//! Setting and changing a password.

use ps_core::{AccountVersion, Accounts, Outcome, Refusal, SessionId, SystemRandom};
use ps_password::{
    Change, NewPassword,
    PasswordError::{AccountChanged, CurrentWrong, Denied, ReauthenticationRequired, Throttled},
};

use crate::site::{RIGHT, Site, WRONG, account, alice, client};

const NEW: &str = "another horse, another battery";

fn refused(why: Refusal) -> Outcome {
    Outcome::PasswordRefused(why)
}

#[tokio::test]
async fn a_first_password_takes_a_fresh_sign_in_of_any_kind() {
    for (age, by_mailbox, is_taken) in [
        (600, false, true),
        (600, true, true),
        (601, false, false),
        (601, true, false),
    ] {
        let site = Site::new();
        assert!(!site.passwords.exists(&account()).await.unwrap());
        let mut asked = site.aged(age).await.knowing(WRONG);
        asked.by_mailbox_or_provider = by_mailbox;
        let answer = site.change(asked, RIGHT).await;
        assert_eq!(site.passwords.exists(&account()).await.unwrap(), is_taken);
        if is_taken {
            assert_eq!(answer.unwrap(), AccountVersion::new(1));
            assert_eq!(site.told(), [Outcome::PasswordChanged]);
            site.sign_in(RIGHT).await.unwrap();
        } else {
            assert!(matches!(answer, Err(ReauthenticationRequired)));
            assert_eq!(site.told(), [refused(Refusal::Expired)]);
            assert_eq!(site.version().await, AccountVersion::default());
        }
    }
}

#[tokio::test]
async fn whoever_knows_the_current_one_may_change_it_at_any_age() {
    let site = Site::with_alice().await;
    let asked = site.aged(30 * 24 * 3_600).await.knowing(RIGHT);
    assert_eq!(
        site.change(asked, NEW).await.unwrap(),
        AccountVersion::new(2)
    );
    assert_eq!(site.told(), [Outcome::PasswordChanged]);
    site.sign_in(NEW).await.unwrap();
    assert!(matches!(site.sign_in(RIGHT).await, Err(Denied)));
}

#[tokio::test]
async fn a_wrong_current_one_changes_nothing_even_with_a_fresh_mailbox() {
    let site = Site::with_alice().await;
    let asked = site.aged(0).await.by_mailbox().knowing(WRONG);
    assert!(matches!(site.change(asked, NEW).await, Err(CurrentWrong)));
    assert_eq!(site.told(), [refused(Refusal::Wrong)]);
    assert_eq!(site.version().await, AccountVersion::new(1));
    site.sign_in(RIGHT).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_one_is_replaced_soon_after_a_code_and_not_after_a_password() {
    let site = Site::with_alice().await;
    let by_password = site.aged(0).await;
    let answer = site.change(by_password, NEW).await;
    assert!(matches!(answer, Err(ReauthenticationRequired)));
    let long_ago = site.aged(601).await.by_mailbox();
    let answer = site.change(long_ago, NEW).await;
    assert!(matches!(answer, Err(ReauthenticationRequired)));
    assert_eq!(site.told(), [refused(Refusal::Expired); 2]);
    let hashed = site.passwords.hashes();
    site.change(site.aged(600).await.by_mailbox(), NEW)
        .await
        .unwrap();
    assert_eq!(site.passwords.hashes() - hashed, 1);
    site.sign_in(NEW).await.unwrap();
}

// The clock of the node that signed the person in may be ahead.
#[tokio::test]
async fn a_sign_in_in_the_future_is_a_fresh_one() {
    let site = Site::new();
    let mut asked = site.fresh();
    asked.authenticated_at = asked
        .authenticated_at
        .plus(std::time::Duration::from_secs(1));
    site.change(asked, RIGHT).await.unwrap();
}

#[tokio::test]
async fn guesses_at_the_current_one_and_at_the_sign_in_are_counted_together() {
    let site = Site::with_alice().await;
    for n in 0..10 {
        if n % 2 == 0 {
            assert!(matches!(site.sign_in(WRONG).await, Err(Denied)));
        } else {
            let asked = site.aged(0).await.knowing(WRONG);
            assert!(matches!(site.change(asked, NEW).await, Err(CurrentWrong)));
        }
    }
    let hashed = site.passwords.hashes();
    let asked = site.aged(0).await.knowing(RIGHT);
    let answer = site.change(asked, NEW).await;
    assert!(matches!(answer, Err(Throttled { .. })), "{answer:?}");
    assert_eq!(site.told().last(), Some(&refused(Refusal::Throttled)));
    assert!(matches!(site.sign_in(RIGHT).await, Err(Throttled { .. })));
    assert_eq!(site.passwords.hashes(), hashed);
    // The mailbox is the way out.
    site.change(site.aged(0).await.by_mailbox(), NEW)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_right_current_one_is_given_back() {
    let site = Site::with_alice().await;
    for n in 0..12 {
        let (old, new) = if n % 2 == 0 {
            (RIGHT, NEW)
        } else {
            (NEW, RIGHT)
        };
        let asked = site.aged(3_600).await.knowing(old);
        site.change(asked, new).await.unwrap();
    }
}

// SE22
#[tokio::test]
async fn what_was_asked_under_an_older_version_changes_nothing() {
    let site = Site::with_alice().await;
    let in_flight = site.aged(0).await.knowing(RIGHT);
    site.memory.disable(&account(), site.now()).await.unwrap();
    site.memory.enable(&account(), site.now()).await.unwrap();
    let answer = site.change(in_flight, NEW).await;
    assert!(matches!(answer, Err(AccountChanged)), "{answer:?}");
    assert_eq!(site.told(), [refused(Refusal::AccountChanged)]);
    site.sign_in(RIGHT).await.unwrap();
}

// SE22
#[tokio::test]
async fn a_session_that_has_ended_keeps_nothing_and_changes_nothing() {
    let site = Site::with_alice().await;
    let (account, address) = (account(), alice());
    let ended = SessionId::random(&SystemRandom);
    let change = Change {
        account: &account,
        address: &address,
        keep: Some(&ended),
        under: site.version().await,
        authenticated_at: site.now(),
        by_mailbox_or_provider: true,
        current: None,
    };
    let new = NewPassword::parse(NEW.to_owned()).unwrap();
    let answer = site.passwords.change(change, &new, &client()).await;
    assert!(matches!(answer, Err(AccountChanged)), "{answer:?}");
    site.sign_in(RIGHT).await.unwrap();
}
