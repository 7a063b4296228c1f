//! The service while the mail server is out of order.

#![allow(clippy::unwrap_used)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{Reply, World};
use http::{Method, Request};
use ps_core::{EmailAddress, MailError, Outcome};
use serde_json::json;

const ASK: &str = "/api/auth/magic-code";

async fn idle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// All but the challenge, which no two have in common.
fn comparable(reply: &Reply) -> String {
    let mut body = reply.json();
    let challenge = body["challenge"].take();
    let names: Vec<_> = reply.headers.keys().collect();
    format!(
        "{} {names:?} {body} {}",
        reply.status,
        challenge.is_string()
    )
}

/// Asks for one code each, and does not move the clock: whoever waited would wait for ever.
async fn ask(world: &Arc<World>, people: std::ops::Range<u32>) -> Vec<String> {
    let mut answers = Vec::new();
    for person in people {
        let mut client = world.client();
        let email = format!("person{person}@example.com");
        let asked = tokio::time::timeout(Duration::from_secs(5), client.ask(ASK, &email));
        answers.push(comparable(&asked.await.unwrap()));
    }
    answers
}

// MC15, MC17, F8
#[tokio::test]
async fn a_mail_server_out_of_order_changes_no_answer_and_takes_no_time() {
    let world = World::development().await;
    let answers = ask(&world, 0..1).await;
    let good = &answers[0];
    assert!(good.starts_with("202"), "{good}");
    world.mailbox.hang();
    let mut answers = ask(&world, 1..50).await;
    idle().await;
    for (people, failure) in [
        (50..60, (|| MailError::Refused("550".into())) as fn() -> _),
        (60..70, || MailError::Unavailable("refused".into())),
        (70..80, || MailError::Unknown("reset".into())),
    ] {
        world.mailbox.fail_with(failure);
        answers.extend(ask(&world, people).await);
        idle().await;
    }
    // Past the queue's room there is a mail less, and no answer less.
    world.mailbox.hang();
    answers.extend(ask(&world, 80..1_200).await);
    assert!(world.test.events.outcomes().contains(&Outcome::MailDropped));
    assert_eq!(answers.len(), 1_199);
    assert!(answers.iter().all(|answer| answer == good));
}

// OP3, OP6, F8
#[tokio::test]
async fn a_stop_leaves_no_mail_without_an_outcome() {
    let world = World::development().await;
    world
        .mailbox
        .fail_with(|| MailError::Unavailable("refused".into()));
    ask(&world, 0..10).await;
    idle().await;
    assert_eq!(world.auth.unsettled_mails(), 10);
    assert_eq!(world.test.events.take().len(), 20);
    world.mailbox.recover();
    ask(&world, 10..11).await;
    let settled = world.auth.settle();
    let passing = world.time_passes(Duration::from_millis(20));
    tokio::time::timeout(Duration::from_secs(5), settled)
        .await
        .unwrap();
    drop(passing);
    let told = world.test.events.take();
    let sent = told.iter().filter(|told| **told == Outcome::MailSent);
    assert_eq!(sent.count(), 11);

    // What is asked for after all, and never sent.
    world.mailbox.hang();
    ask(&world, 11..31).await;
    idle().await;
    world.stop().await;
    assert_eq!(world.auth.unsettled_mails(), 12);
    world.auth.flush().await.unwrap();
    let told = world.test.events.take();
    let count = |of| told.iter().filter(|told| **told == of).count();
    let counts = [Outcome::MailUnknown, Outcome::MailDropped].map(count);
    assert_eq!(counts, [8, 12]);
    assert_eq!(world.auth.unsettled_mails(), 0);
}

// OP3
#[tokio::test]
async fn a_queue_that_two_flows_share_is_counted_once() {
    let world = World::development().await;
    let token = world.client().token("alice@example.com").await;
    world.mailbox.hang();
    let body = json!({ "new_password": "correct horse battery" });
    let set = world
        .client()
        .call(Method::PUT, "/api/auth/password", Some(&token), body)
        .await;
    assert_eq!(set.status, 204);
    assert_eq!(world.auth.unsettled_mails(), 1);
}

// MC18
#[tokio::test]
async fn a_mail_is_in_the_language_of_the_request() {
    let world = World::development().await;
    for (person, (accepted, words)) in [
        (
            Some("es-MX,es;q=0.9,en;q=0.8"),
            "Tu código para registrarte",
        ),
        (Some("en;q=0.9, es;q=0.1"), "Your code to register"),
        (Some("de"), "Your code to register"),
        (None, "Your code to register"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("person{person}@example.com");
        let mut request = Request::post("/api/auth/register-magic");
        if let Some(accepted) = accepted {
            request = request.header("accept-language", accepted);
        }
        let body = json!({ "email": email }).to_string().into();
        let request = request
            .header("content-type", "application/json")
            .body(body);
        let asked = world.client().send(request.unwrap()).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        idle().await;
        let [mail] = &world
            .mailbox
            .messages_to(&EmailAddress::parse(&email).unwrap())[..]
        else {
            panic!("one mail to {email}");
        };
        assert!(mail.text.starts_with(words), "{accepted:?}: {}", mail.text);
    }
}
