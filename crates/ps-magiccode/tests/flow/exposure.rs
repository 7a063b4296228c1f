//! Six digits, or eight while somebody is guessing.

use std::time::Duration;

use ps_core::{EmailAddress, LimitRule, Outcome, Refusal};
use ps_magiccode::{CodePolicy, Exposure, Purpose, Requested, SendBudget};

use crate::site::{Site, address, other_than};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A site that mails as often as it is asked, so that nothing but the exposure bounds a guesser.
fn generous() -> CodePolicy {
    let many = LimitRule {
        limit: 10_000,
        per: Duration::from_secs(60),
    };
    CodePolicy::default().with_sends(SendBudget {
        hourly: many,
        daily: many,
        address: many,
    })
}

async fn ask(site: &Site, email: &EmailAddress) -> Requested {
    site.ask(email, Purpose::Register, None).await.unwrap()
}

/// Guesses wrong this often at a new code, and answers how many digits it had.
async fn miss(site: &Site, email: &EmailAddress, times: usize) -> u8 {
    let (asked, code) = site.mailed(email, Purpose::Register).await;
    for _ in 0..times {
        let typo = other_than(&code);
        let refused = site.guess(&asked.challenge, Purpose::Register, &typo).await;
        assert!(refused.is_err());
    }
    asked.code_length
}

// MC11
#[tokio::test]
async fn open_attempts_count_until_they_expire() {
    let site = Site::new(generous());
    let alice = address("alice");
    for digits in [6, 6, 6, 6, 8] {
        assert_eq!(ask(&site, &alice).await.code_length, digits);
    }
    assert_eq!(ask(&site, &address("bob")).await.code_length, 6);
    site.advance(10 * MINUTE - 1);
    assert_eq!(ask(&site, &alice).await.code_length, 8);
    site.advance(1);
    assert_eq!(ask(&site, &alice).await.code_length, 6);
}

// MC11
#[tokio::test]
async fn only_time_resets_wrong_guesses() {
    let site = Site::new(generous());
    let alice = address("alice");
    for _ in 0..4 {
        assert_eq!(miss(&site, &alice, 5).await, 6);
    }
    let (asked, code) = site.mailed(&alice, Purpose::Register).await;
    assert_eq!((asked.code_length, code.len()), (8, 8));
    assert!(
        site.guess(&asked.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );

    site.advance(DAY - 1);
    assert_eq!(ask(&site, &alice).await.code_length, 8);
    site.advance(1);
    assert_eq!(ask(&site, &alice).await.code_length, 6);
}

// MC11
#[tokio::test]
async fn a_right_guess_gives_its_own_back_and_no_other() {
    let site = Site::new(generous());
    let alice = address("alice");
    for _ in 0..3 {
        miss(&site, &alice, 5).await;
    }
    for _ in 0..10 {
        let (asked, code) = site.mailed(&alice, Purpose::Register).await;
        assert_eq!(asked.code_length, 6);
        assert!(
            site.guess(&asked.challenge, Purpose::Register, &code)
                .await
                .is_ok()
        );
    }
    miss(&site, &alice, 5).await;
    assert_eq!(ask(&site, &alice).await.code_length, 8);
}

// MC16
#[tokio::test]
async fn a_code_keeps_its_digits_when_the_bound_is_passed_before_it_is_typed() {
    let site = Site::new(generous());
    let alice = address("alice");
    let (first, code) = site.mailed(&alice, Purpose::Register).await;
    for _ in 0..4 {
        miss(&site, &alice, 5).await;
    }
    site.advance(2 * MINUTE);
    let again = site
        .ask(&alice, Purpose::Register, Some(&first.challenge))
        .await
        .unwrap();
    site.deliver().await;
    assert_eq!((again.challenge, again.code_length), (first.challenge, 6));
    assert_eq!(site.mailbox.code_to(&alice), Some(code.clone()));
    assert!(
        site.guess(&first.challenge, Purpose::Register, &code)
            .await
            .is_ok()
    );
}

// MC11: the worst that the rule allows, 19 guesses counted and one more code of six digits.
#[tokio::test]
async fn at_most_24_guesses_a_day_meet_six_digits() {
    let site = Site::new(generous());
    let alice = address("alice");
    let mut guessed = 0;
    for times in [5, 5, 5, 4] {
        assert_eq!(miss(&site, &alice, times).await, 6);
        guessed += times;
        site.advance(10 * MINUTE); // what is still open expires
    }
    for minute in 0..(DAY / MINUTE - 40) {
        if minute % 30 == 0 && miss(&site, &alice, 5).await == 6 {
            guessed += 5;
        }
        site.advance(MINUTE);
    }
    assert_eq!(guessed, 24);
    let wrong = site.count(Outcome::CodeRefused(Refusal::Wrong));
    assert!(wrong > 200, "it went on guessing at eight digits: {wrong}");
}

// MC11: a guesser who spares the codes of eight digits, for two days, and any 24 hours of them.
#[tokio::test]
async fn no_pattern_of_guesses_meets_six_digits_more_than_24_times() {
    for (pace, open, times) in [
        (11, 1, 4),
        (11, 4, 5),
        (9, 3, 3),
        (60, 2, 5),
        (7, 1, 1),
        (30, 5, 1),
    ] {
        let site = Site::new(generous());
        let alice = address("alice");
        let mut met = Vec::new();
        for step in 0..(2 * 24 * 60 / pace) {
            let mut live = Vec::new();
            for _ in 0..open {
                live.push(site.mailed(&alice, Purpose::Register).await);
            }
            live.retain(|(asked, _)| asked.code_length == 6);
            for (asked, code) in live {
                for _ in 0..times {
                    let typo = other_than(&code);
                    let refused = site.guess(&asked.challenge, Purpose::Register, &typo).await;
                    assert!(refused.is_err());
                    met.push(step * pace);
                }
            }
            site.advance(pace * MINUTE);
        }
        for (place, from) in met.iter().enumerate() {
            let span = met[place..]
                .iter()
                .filter(|at| **at - from < 24 * 60)
                .count();
            assert!(
                span <= 24,
                "{span} with pace {pace}, {open} open, {times} guesses"
            );
        }
        assert!(met.len() >= 12, "{} with pace {pace}", met.len());
    }
}

// MC14
#[tokio::test]
async fn past_the_ceiling_every_new_code_has_eight_digits_for_an_hour() {
    let everywhere = LimitRule {
        limit: 10,
        per: Duration::from_secs(3_600),
    };
    let address_rule = LimitRule {
        limit: 20,
        per: Duration::from_secs(86_400),
    };
    let exposure = Exposure {
        address: address_rule,
        everywhere,
    };
    let site = Site::new(generous().with_exposure(exposure));
    for victim in 0..10 {
        assert_eq!(
            miss(&site, &address(&format!("victim{victim}")), 1).await,
            6
        );
    }
    assert_eq!(ask(&site, &address("bystander")).await.code_length, 8);
    site.advance(HOUR - 1);
    assert_eq!(ask(&site, &address("bystander")).await.code_length, 8);
    site.advance(1);
    assert_eq!(ask(&site, &address("bystander")).await.code_length, 6);
}
