//! Taking a code, and not taking it.

use std::sync::Arc;

use ps_core::{Outcome, Refusal};
use ps_magiccode::{CodeError, CodePolicy, Purpose, TypedCode};

use crate::{
    site::{Site, address, other_than, somebody},
    watched::Watched,
};

#[tokio::test]
async fn the_right_code_proves_the_mailbox_once() {
    let site = Site::default();
    let alice = address("alice");
    let (asked, code) = site.mailed(&alice, Purpose::Register).await;
    let proof = site
        .guess(&asked.challenge, Purpose::Register, &code)
        .await
        .unwrap();
    assert_eq!(*proof.address(), alice);
    assert_eq!(proof.at(), site.test.ambient().clock.now());
    let again = site.guess(&asked.challenge, Purpose::Register, &code).await;
    assert!(matches!(again, Err(CodeError::Denied)));
    let outcomes = [
        Outcome::CodeRequested,
        Outcome::MailSent,
        Outcome::CodeAccepted,
        Outcome::CodeRefused(Refusal::Unknown),
    ];
    assert_eq!(site.test.events.outcomes(), outcomes);
}

// MC2
#[tokio::test]
async fn a_code_is_good_for_600_seconds_and_dead_at_600() {
    for (millis, good) in [(599_999, true), (600_000, false)] {
        let site = Site::default();
        let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
        site.advance(millis);
        let taken = site.guess(&asked.challenge, Purpose::Register, &code).await;
        assert_eq!(taken.is_ok(), good, "{millis}");
    }
}

// MC2
#[tokio::test]
async fn a_code_that_expires_between_the_two_steps_is_not_taken() {
    let site = Site::default();
    let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
    site.advance(599_999);
    let claim = site
        .codes
        .claim(&asked.challenge, None, Purpose::Register, &somebody())
        .await
        .unwrap();
    site.advance(1);
    let typed = TypedCode::parse(&code).unwrap();
    let taken = site.codes.redeem(claim, &typed, &somebody()).await;
    assert!(matches!(taken, Err(CodeError::Denied)));
    assert_eq!(site.count(Outcome::CodeRefused(Refusal::Expired)), 1);
}

// MC5
#[tokio::test]
async fn five_wrong_guesses_and_the_right_one_is_refused() {
    for wrong in 4..=5 {
        let site = Site::default();
        let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
        for _ in 0..wrong {
            let typo = other_than(&code);
            let refused = site.guess(&asked.challenge, Purpose::Register, &typo).await;
            assert!(matches!(refused, Err(CodeError::Denied)));
        }
        let right = site.guess(&asked.challenge, Purpose::Register, &code).await;
        assert_eq!(right.is_ok(), wrong < 5, "after {wrong} wrong guesses");
        assert_eq!(site.count(Outcome::CodeRefused(Refusal::Wrong)), wrong);
    }
}

// MC5
#[tokio::test]
async fn a_claim_that_is_dropped_stays_counted() {
    let site = Site::default();
    let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
    for _ in 0..5 {
        let claim = site
            .codes
            .claim(&asked.challenge, None, Purpose::Register, &somebody())
            .await;
        drop(claim.unwrap());
    }
    assert!(
        site.guess(&asked.challenge, Purpose::Register, &code)
            .await
            .is_err()
    );
}

// MC7
#[tokio::test]
async fn another_address_or_purpose_is_refused_and_costs_no_attempt() {
    let watched = Watched::default();
    let memory = watched.memory.clone();
    let (store, users) = (Arc::new(watched.clone()), Arc::new(memory.clone()));
    let site = Site::on(memory, store, users, CodePolicy::default());
    let (alice, bob) = (address("alice"), address("bob"));
    site.import(&alice);
    for made in [Purpose::Register, Purpose::SignIn] {
        let (asked, code) = site.mailed(&alice, made).await;
        watched.calls();
        for used in [Purpose::Register, Purpose::SignIn] {
            for named in [None, Some(&alice), Some(&bob)] {
                if used == made && named != Some(&bob) {
                    continue;
                }
                for _ in 0..10 {
                    let claim = site
                        .codes
                        .claim(&asked.challenge, named, used, &somebody())
                        .await;
                    assert!(
                        matches!(claim, Err(CodeError::Denied)),
                        "{made:?} {used:?} {named:?}"
                    );
                }
            }
        }
        assert!(watched.calls().iter().all(|call| *call == "claim_attempt"));
        for _ in 0..4 {
            let typo = other_than(&code);
            assert!(site.guess(&asked.challenge, made, &typo).await.is_err());
        }
        let claim = site
            .codes
            .claim(&asked.challenge, Some(&alice), made, &somebody())
            .await;
        let claim = claim.unwrap();
        assert_eq!(*claim.email(), alice);
        let typed = TypedCode::parse(&code).unwrap();
        assert!(site.codes.redeem(claim, &typed, &somebody()).await.is_ok());
    }
}

// MC4: what is refused before the comparison is not compared, and what is wrong spends nothing.
#[tokio::test]
async fn a_wrong_code_reaches_no_consume() {
    let watched = Watched::default();
    let memory = watched.memory.clone();
    let (store, users) = (Arc::new(watched.clone()), Arc::new(memory.clone()));
    let site = Site::on(memory, store, users, CodePolicy::default());
    let (asked, code) = site.mailed(&address("alice"), Purpose::Register).await;
    watched.calls();
    let _ = site
        .guess(&asked.challenge, Purpose::Register, &other_than(&code))
        .await;
    assert_eq!(watched.calls(), ["claim_attempt"]);
    let _ = site.guess(&asked.challenge, Purpose::Register, &code).await;
    assert_eq!(watched.calls(), ["claim_attempt", "consume"]);
}
