//! Asking for a code, and asking again.

use std::{sync::Arc, time::Duration};

use ps_core::{Outcome, Refusal};
use ps_magiccode::{CodeError, CodePolicy, Purpose};

use crate::{
    site::{Site, address, other_than},
    watched::Watched,
};

const SECOND: u64 = 1_000;

// MC15
#[tokio::test]
async fn known_and_unknown_addresses_cost_and_answer_the_same() {
    let watched = Watched::default();
    let ports = Arc::new(watched.clone());
    let memory = watched.memory.clone();
    let site = Site::on(memory, ports.clone(), ports, CodePolicy::default());
    site.import(&address("known"));
    let mut seen = Vec::new();
    for name in ["known", "unknown"] {
        for purpose in [Purpose::SignIn, Purpose::Register] {
            let first = site.ask(&address(name), purpose, None).await.unwrap();
            let again = site
                .ask(&address(name), purpose, Some(&first.challenge))
                .await
                .unwrap();
            let answers = [first, again].map(|r| (r.code_length, r.expires_in, r.resend_in));
            seen.push((answers, watched.calls()));
        }
    }
    assert_eq!(seen[0].1, ["place", "resend"]);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

// MC9, MC15
#[tokio::test]
async fn an_unknown_address_gets_neither_code_nor_account() {
    let site = Site::default();
    let nobody = address("nobody");
    site.ask(&nobody, Purpose::SignIn, None).await.unwrap();
    site.deliver().await;
    let mails = site.mailbox.messages_to(&nobody);
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("no account"), "{}", mails[0].text);
    assert_eq!(site.mailbox.code_to(&nobody), None);
    assert!(!site.has_account(&nobody).await);
}

// MC9
#[tokio::test]
async fn registering_makes_no_account_and_one_that_exists_is_told_by_mail_only() {
    let site = Site::default();
    let (new, old) = (address("new"), address("old"));
    site.import(&old);
    let (one, code) = site.mailed(&new, Purpose::Register).await;
    assert!(!site.has_account(&new).await);
    let proof = site
        .guess(&one.challenge, Purpose::Register, &code)
        .await
        .unwrap();
    assert_eq!(*proof.address(), new);
    assert!(!site.has_account(&new).await);

    let (two, code) = site.mailed(&old, Purpose::Register).await;
    assert!(
        site.mailbox.messages_to(&old)[0]
            .text
            .contains("already has an account")
    );
    assert_eq!(
        (two.code_length, two.expires_in),
        (one.code_length, one.expires_in)
    );
    assert!(
        site.guess(&two.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );
}

// MC16
#[tokio::test]
async fn a_resend_sends_the_same_code_and_extends_nothing() {
    let site = Site::default();
    let alice = address("alice");
    site.import(&alice);
    let (first, code) = site.mailed(&alice, Purpose::SignIn).await;
    assert_eq!(first.expires_in, Duration::from_secs(600));
    assert_eq!(first.resend_in, Duration::from_secs(60));
    let _ = site
        .guess(&first.challenge, Purpose::SignIn, &other_than(&code))
        .await;

    site.advance(60 * SECOND - 1);
    let early = site
        .ask(&alice, Purpose::SignIn, Some(&first.challenge))
        .await
        .unwrap();
    site.deliver().await;
    assert_eq!(
        (early.challenge, early.code_length),
        (first.challenge, first.code_length)
    );
    assert_eq!(early.resend_in, Duration::from_millis(1));
    assert_eq!(site.mailbox.messages().len(), 1);
    assert_eq!(site.count(Outcome::CodeRequested), 1);

    site.advance(1);
    let later = site
        .ask(&alice, Purpose::SignIn, Some(&first.challenge))
        .await
        .unwrap();
    site.deliver().await;
    assert_eq!(later.challenge, first.challenge);
    assert_eq!(later.expires_in, Duration::from_secs(540));
    assert_eq!(later.resend_in, Duration::from_secs(60));
    let mails = site.mailbox.messages();
    assert_eq!(
        (mails.len(), mails[1].subject.as_str()),
        (2, mails[0].subject.as_str())
    );
    assert!(mails[1].text.contains("for 9 minutes"), "{}", mails[1].text);

    site.advance(540 * SECOND - 1);
    assert!(
        site.guess(&first.challenge, Purpose::SignIn, &code)
            .await
            .is_ok()
    );
}

// MC16
#[tokio::test]
async fn with_less_than_two_minutes_left_a_new_challenge_is_made() {
    let site = Site::default();
    let alice = address("alice");
    let first = site.ask(&alice, Purpose::Register, None).await.unwrap();
    site.advance(480 * SECOND);
    let enough = site
        .ask(&alice, Purpose::Register, Some(&first.challenge))
        .await
        .unwrap();
    assert_eq!(enough.challenge, first.challenge);
    site.advance(1);
    let new = site
        .ask(&alice, Purpose::Register, Some(&first.challenge))
        .await
        .unwrap();
    assert_ne!(new.challenge, first.challenge);
    assert_eq!(new.expires_in, Duration::from_secs(600));
}

// MC7, MC16
#[tokio::test]
async fn naming_a_challenge_of_another_address_or_purpose_makes_a_new_one() {
    let site = Site::default();
    let first = site
        .ask(&address("alice"), Purpose::Register, None)
        .await
        .unwrap();
    site.advance(61 * SECOND);
    for (name, purpose) in [("bob", Purpose::Register), ("alice", Purpose::SignIn)] {
        let other = site
            .ask(&address(name), purpose, Some(&first.challenge))
            .await
            .unwrap();
        assert_ne!(other.challenge, first.challenge);
    }
    let same = site
        .ask(&address("alice"), Purpose::Register, Some(&first.challenge))
        .await;
    assert_eq!(same.unwrap().challenge, first.challenge);
}

// MC16
#[tokio::test]
async fn a_spent_challenge_is_not_sent_again() {
    for right in [true, false] {
        let site = Site::default();
        let alice = address("alice");
        let (first, code) = site.mailed(&alice, Purpose::Register).await;
        for _ in 0..if right { 1 } else { 5 } {
            let text = if right {
                code.clone()
            } else {
                other_than(&code)
            };
            let _ = site.guess(&first.challenge, Purpose::Register, &text).await;
        }
        site.advance(61 * SECOND);
        let next = site
            .ask(&alice, Purpose::Register, Some(&first.challenge))
            .await
            .unwrap();
        assert_ne!(next.challenge, first.challenge);
    }
}

// MC6, MC16
#[tokio::test]
async fn another_browser_neither_kills_nor_opens_a_pending_code() {
    let site = Site::default();
    let alice = address("alice");
    let (first, code) = site.mailed(&alice, Purpose::Register).await;
    let (second, other) = site.mailed(&alice, Purpose::Register).await;
    assert_ne!(first.challenge, second.challenge);
    assert_ne!(code, other);
    assert!(
        site.guess(&second.challenge, Purpose::Register, &code)
            .await
            .is_err()
    );
    assert!(
        site.guess(&first.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );
    assert!(
        site.guess(&second.challenge, Purpose::Register, &other)
            .await
            .is_ok()
    );
}

// MC16
#[tokio::test]
async fn a_code_survives_the_rotation_of_its_root() {
    let old = Site::default();
    let alice = address("alice");
    let (first, code) = old.mailed(&alice, Purpose::Register).await;

    old.advance(61 * SECOND);
    let new = old.with_roots(&[2, 1]);
    new.ask(&alice, Purpose::Register, Some(&first.challenge))
        .await
        .unwrap();
    new.deliver().await;
    assert_eq!(new.mailbox.messages().len(), 2);
    assert_eq!(new.mailbox.code_to(&alice), Some(code.clone()));
    let (second, _) = new.mailed(&alice, Purpose::Register).await;
    assert!(
        new.guess(&first.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );

    // Made under the new root, which the node that is still to be rolled out knows but does not use.
    new.advance(61 * SECOND);
    let between = old.with_roots(&[1, 2]);
    let again = between
        .ask(&alice, Purpose::Register, Some(&second.challenge))
        .await
        .unwrap();
    assert_eq!(again.challenge, second.challenge);
}

// MC16
#[tokio::test]
async fn a_challenge_whose_root_is_gone_is_unknown() {
    let old = Site::default();
    let alice = address("alice");
    let (first, code) = old.mailed(&alice, Purpose::Register).await;
    let new = old.with_roots(&[2]);
    for wait in [0, 61 * SECOND] {
        new.advance(wait);
        let next = new
            .ask(&alice, Purpose::Register, Some(&first.challenge))
            .await
            .unwrap();
        assert_ne!(next.challenge, first.challenge);
    }
    let refused = new.guess(&first.challenge, Purpose::Register, &code).await;
    assert!(matches!(refused, Err(CodeError::Denied)));
    assert_eq!(new.count(Outcome::CodeRefused(Refusal::Unknown)), 1);
}

// MC10
#[tokio::test]
async fn a_lane_has_five_mails_an_hour_whatever_they_are_for_and_a_used_code_gives_its_mail_back() {
    let site = Site::default();
    let alice = address("alice");
    let (first, code) = site.mailed(&alice, Purpose::Register).await;
    for _ in 0..4 {
        site.advance(SECOND);
        site.ask(&alice, Purpose::Register, None).await.unwrap();
    }
    let refused = site.ask(&alice, Purpose::SignIn, None).await.unwrap_err();
    let CodeError::Throttled { retry_after, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(retry_after, Duration::from_secs(3_596));
    assert_eq!(site.count(Outcome::CodeRefused(Refusal::Throttled)), 1);
    assert!(
        site.ask(&address("bob"), Purpose::Register, None)
            .await
            .is_ok()
    );

    site.guess(&first.challenge, Purpose::Register, &code)
        .await
        .unwrap();
    assert!(site.ask(&alice, Purpose::SignIn, None).await.is_ok());
    assert!(site.ask(&alice, Purpose::SignIn, None).await.is_err());
}

// ST9
#[tokio::test]
async fn a_store_that_fails_sends_nothing_and_grants_nothing() {
    let watched = Watched::default();
    let store = Arc::new(watched.clone());
    let memory = watched.memory.clone();
    let site = Site::on(
        memory.clone(),
        store,
        Arc::new(memory),
        CodePolicy::default(),
    );
    let alice = address("alice");
    let (first, code) = site.mailed(&alice, Purpose::Register).await;
    site.test.events.take();

    watched.breaks(true);
    let asked = site.ask(&alice, Purpose::Register, None).await;
    assert!(matches!(asked, Err(CodeError::Store(_))));
    let guessed = site.guess(&first.challenge, Purpose::Register, &code).await;
    assert!(matches!(guessed, Err(CodeError::Store(_))));
    site.deliver().await;
    assert_eq!(site.test.events.take(), []);
    assert_eq!(site.mailbox.messages().len(), 1);

    watched.breaks(false);
    assert!(
        site.guess(&first.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );
    assert_eq!(site.test.events.take(), [Outcome::CodeAccepted]);
}
