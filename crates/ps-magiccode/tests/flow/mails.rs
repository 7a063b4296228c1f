//! Sending what was asked for.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ps_core::{
    AccountId, EmailAddress, Mail, MailError, Outcome, Registered, StoreResult, Timestamp, User,
    Users, VerifiedEmail,
};
use ps_magiccode::{CodePolicy, Letter, Letters, Purpose};
use ps_memory::MemoryStore;

use crate::{
    site::{Site, address, idle},
    watched::Watched,
};

async fn ask_for(site: &Site, people: usize) {
    for person in 0..people {
        let email = address(&format!("person{person}"));
        site.ask(&email, Purpose::Register, None).await.unwrap();
    }
}

// MC17
#[tokio::test]
async fn a_mailer_that_fails_leaves_the_answer_as_it_is() {
    let site = Site::default();
    let good = site
        .ask(&address("alice"), Purpose::Register, None)
        .await
        .unwrap();
    site.deliver().await;
    let failures: [fn() -> MailError; 3] = [
        || MailError::Refused("no such user".into()),
        || MailError::Unavailable("connection refused".into()),
        || MailError::Unknown("connection reset".into()),
    ];
    for (person, failure) in ["bob", "carol", "dave"].into_iter().zip(failures) {
        site.mailbox.fail_with(failure);
        let asked = site
            .ask(&address(person), Purpose::Register, None)
            .await
            .unwrap();
        site.deliver().await;
        assert_eq!(
            (asked.code_length, asked.expires_in),
            (good.code_length, good.expires_in)
        );
    }
    for outcome in [
        Outcome::MailSent,
        Outcome::MailFailed,
        Outcome::MailDelayed,
        Outcome::MailUnknown,
    ] {
        assert_eq!(site.count(outcome), 1, "{outcome:?}");
    }

    // A lost code costs one resend.
    site.mailbox.recover();
    site.advance(60_000);
    let again = site.mailed(&address("bob"), Purpose::Register).await;
    assert!(
        site.guess(&again.0.challenge, Purpose::Register, &again.1)
            .await
            .is_ok()
    );
}

// MC17
#[tokio::test]
async fn a_full_queue_drops_the_mail_and_not_the_answer() {
    let site = Site::new(CodePolicy::default().with_queue(2));
    let mut answers = Vec::new();
    for person in ["a", "b", "c"] {
        let asked = site
            .ask(&address(person), Purpose::Register, None)
            .await
            .unwrap();
        answers.push((asked.code_length, asked.expires_in, asked.resend_in));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let outcomes = [
        Outcome::CodeRequested,
        Outcome::CodeRequested,
        Outcome::MailDropped,
    ];
    assert_eq!(site.test.events.take(), outcomes);
    site.deliver().await;
    assert_eq!(site.mailbox.messages().len(), 2);
    assert_eq!(site.mailbox.messages_to(&address("c")), []);

    site.mailed(&address("d"), Purpose::Register).await; // there is room again
}

// MC17
#[tokio::test]
async fn a_mailer_that_hangs_holds_up_eight_mails_and_not_longer_than_30_seconds() {
    let site = Site::default();
    site.mailbox.hang();
    ask_for(&site, 12).await;
    let running = tokio::spawn({
        let codes = Arc::clone(&site.codes);
        async move { codes.run().await }
    });
    idle().await;
    assert_eq!(site.test.clock.sleepers(), 8 + 1); // the deadlines, and the sweep
    site.mailbox.recover();
    site.advance(29_999);
    idle().await;
    assert_eq!(site.mailbox.messages(), []);
    site.advance(1);
    idle().await;
    assert_eq!(
        (
            site.count(Outcome::MailUnknown),
            site.count(Outcome::MailSent)
        ),
        (8, 4)
    );

    site.ask(&address("alice"), Purpose::Register, None)
        .await
        .unwrap();
    idle().await;
    assert_eq!(site.count(Outcome::MailSent), 5);
    running.abort();
}

/// What a server waits for before it ends.
// OP6
#[tokio::test]
async fn a_mail_is_unsettled_until_it_is_sent_or_given_up() {
    let site = Site::default();
    site.mailbox.hang();
    ask_for(&site, 12).await;
    assert_eq!(site.codes.outbox().unsettled(), 12);
    let running = tokio::spawn({
        let codes = Arc::clone(&site.codes);
        async move { codes.run().await }
    });
    idle().await;
    assert_eq!(
        site.codes.outbox().unsettled(),
        12,
        "eight are under way, four wait"
    );
    site.mailbox.recover();
    site.advance(30_000);
    idle().await;
    assert_eq!(site.codes.outbox().unsettled(), 0);
    running.abort();
}

#[tokio::test]
async fn the_queue_survives_whoever_sends_it() {
    let site = Site::default();
    site.mailbox.hang();
    ask_for(&site, 12).await;
    site.deliver().await; // dropped with eight under way
    site.mailbox.recover();
    site.deliver().await;
    let mails = site.mailbox.messages();
    let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, [8, 9, 10, 11].map(|n| format!("person{n}@example.com")));
}

#[tokio::test]
async fn of_two_senders_the_one_that_is_left_goes_on() {
    for ended in [0, 1] {
        let site = Site::default();
        let senders = [(); 2].map(|()| {
            let codes = Arc::clone(&site.codes);
            tokio::spawn(async move { codes.run().await })
        });
        idle().await;
        senders[ended].abort();
        idle().await;
        ask_for(&site, 2).await;
        idle().await;
        assert_eq!(site.mailbox.messages().len(), 2);
        senders[1 - ended].abort();
    }
}

#[tokio::test]
async fn a_code_that_is_dead_by_then_is_not_sent() {
    let site = Site::default();
    ask_for(&site, 1).await;
    site.advance(600_000);
    ask_for(&site, 1).await;
    site.deliver().await;
    assert_eq!(
        (
            site.count(Outcome::MailFailed),
            site.count(Outcome::MailSent)
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn without_the_users_table_no_mail_is_guessed_at() {
    let watched = Watched::default();
    let memory = watched.memory.clone();
    let (store, users) = (Arc::new(memory.clone()), Arc::new(watched.clone()));
    let site = Site::on(memory, store, users, CodePolicy::default());
    watched.breaks(true);
    ask_for(&site, 1).await;
    site.deliver().await;
    assert_eq!(site.mailbox.messages(), []);
    assert_eq!(site.count(Outcome::MailDelayed), 1);
    watched.breaks(false);
    site.advance(2_000);
    site.deliver().await;
    assert_eq!(site.mailbox.messages().len(), 1);
}

/// A code that is mailed late must leave a person the time to type it.
// MC17, F8
#[tokio::test]
async fn a_code_is_tried_again_while_two_minutes_of_its_life_are_left() {
    let site = Site::default();
    site.mailbox
        .fail_with(|| MailError::Unavailable("connection refused".into()));
    ask_for(&site, 1).await;
    let running = tokio::spawn({
        let codes = Arc::clone(&site.codes);
        async move { codes.run().await }
    });
    idle().await;
    let (mut last, mut tries) = (0, 1);
    for second in 1..600 {
        site.advance(1_000);
        idle().await;
        let delayed = site.count(Outcome::MailDelayed) + site.count(Outcome::MailFailed);
        if delayed > tries {
            (last, tries) = (second, delayed);
        }
    }
    assert_eq!((last, tries), (446, 12));
    assert_eq!(site.count(Outcome::MailFailed), 1);
    assert_eq!(site.codes.outbox().unsettled(), 0);
    running.abort();
}

/// The code is derived again for each try, and is the same.
// MC17
#[tokio::test]
async fn a_code_that_arrives_late_is_as_good_as_any() {
    let site = Site::default();
    site.mailbox
        .fail_with(|| MailError::Unavailable("greylisted".into()));
    let email = address("alice");
    let asked = site.ask(&email, Purpose::Register, None).await.unwrap();
    site.deliver().await;
    site.mailbox.recover();
    site.advance(300_000);
    site.deliver().await;
    let code = site.mailbox.code_to(&email).unwrap();
    assert_eq!(site.mailbox.messages_to(&email).len(), 1);
    let proven = site.guess(&asked.challenge, Purpose::Register, &code);
    assert!(proven.await.is_ok());
}

/// Answers the only user for every address, as a careless collation would for some.
#[derive(Debug)]
struct Folding(User);

#[async_trait]
impl Users for Folding {
    async fn find(&self, _: &AccountId) -> StoreResult<Option<User>> {
        Ok(Some(self.0.clone()))
    }

    async fn find_by_email(&self, _: &EmailAddress) -> StoreResult<Option<User>> {
        Ok(Some(self.0.clone()))
    }

    async fn register(&self, _: &VerifiedEmail, _: Timestamp) -> StoreResult<Registered> {
        Ok(Registered::Existing(self.0.clone()))
    }
}

// MC18, MC20
#[tokio::test]
async fn the_account_of_a_similar_address_does_not_count() {
    let memory = MemoryStore::default();
    let user = memory.import_user(&address("mike"), Timestamp::from_seconds(0));
    let store = Arc::new(memory.clone());
    let site = Site::on(
        memory,
        store,
        Arc::new(Folding(user)),
        CodePolicy::default(),
    );
    site.ask(&address("mlke"), Purpose::SignIn, None)
        .await
        .unwrap();
    site.deliver().await;
    assert_eq!(site.mailbox.messages_to(&address("mlke")).len(), 1);
    assert_eq!(site.mailbox.code_to(&address("mlke")), None);
    assert_eq!(site.mailbox.messages_to(&address("mike")), []);
}

/// Letters as careless as a host's may be.
#[derive(Debug)]
struct Careless;

impl Letters for Careless {
    fn compose(&self, letter: &Letter<'_>) -> Mail {
        assert_ne!(
            *letter.to,
            address("person0"),
            "a letter that cannot be written"
        );
        Mail {
            to: address("mallory"),
            subject: String::new(),
            text: letter.code.unwrap().expose().to_owned(),
            html: None,
        }
    }
}

// MC17, MC18
#[tokio::test]
async fn careless_letters_cost_one_mail_and_reach_nobody_else() {
    let site = Site::default().redeployed(Careless, &[1]);
    ask_for(&site, 2).await;
    site.deliver().await;
    assert_eq!(
        (
            site.count(Outcome::MailFailed),
            site.count(Outcome::MailSent)
        ),
        (1, 1)
    );
    assert_eq!(site.mailbox.messages()[0].to, address("person1"));
}

// MC24
#[tokio::test]
async fn what_expired_is_forgotten_within_a_day() {
    let watched = Watched::default();
    let memory = watched.memory.clone();
    let (store, users) = (Arc::new(watched.clone()), Arc::new(memory.clone()));
    let policy = CodePolicy::default().with_forgotten_after(Duration::from_secs(3_600));
    let site = Site::on(memory.clone(), store, users, policy);
    ask_for(&site, 3).await;
    let running = tokio::spawn({
        let codes = Arc::clone(&site.codes);
        async move { codes.run().await }
    });
    idle().await;
    let started = site.test.ambient().clock.now();
    watched.breaks(true); // a sweep that fails is made up for by the next
    site.advance(600_000);
    idle().await;
    watched.breaks(false);
    for _ in 0..6 {
        site.advance(600_000);
        idle().await;
    }
    let sweeps = watched
        .calls()
        .into_iter()
        .filter(|call| *call == "purge")
        .count();
    assert_eq!(sweeps, 8);
    let end = started.plus(Duration::from_secs(86_400));
    let left = ps_magiccode::ChallengeStore::purge(&memory, end, 10)
        .await
        .unwrap();
    assert_eq!(left, 0, "expired an hour ago");
    running.abort();
}
