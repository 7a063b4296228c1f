//! How many connections there are, and which mail goes over which.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use ps_core::{Clock, MailError};
use ps_testkit::TestAmbient;

use crate::{Act, Stage, all, mail, plain, send};

// ST10
#[tokio::test(flavor = "multi_thread")]
async fn many_mails_at_once_share_few_connections() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let mailer = Arc::new(mailer);
    let sendings = (0..20).map(|number| {
        let mailer = mailer.clone();
        tokio::spawn(async move {
            let mail = mail(&format!("Number {number}."), "Text");
            send(&mailer, &mail).await
        })
    });
    for sending in sendings.collect::<Vec<_>>() {
        sending.await.unwrap().unwrap();
    }
    let received = sink.received();
    assert_eq!(received.len(), 20);
    for number in 0..20 {
        let subject = format!("Subject: Number {number}.\r\n");
        let times = received.iter().filter(|mail| mail.wire.contains(&subject));
        assert_eq!(times.count(), 1, "{subject}");
    }
    assert!(received.iter().all(|mail| mail.to.len() == 1));
    assert!(sink.connections() <= 4, "{}", sink.connections());
    assert!(sink.most_open() <= 4, "{}", sink.most_open());
}

#[tokio::test]
async fn waiting_for_a_connection_counts_towards_the_deadline() {
    let (sink, mailer) = plain(|stage, _| match stage {
        Stage::Greeting => Act::Hang,
        _ => Act::Go,
    })
    .await;
    let mailer = Arc::new(mailer.with_deadline(Duration::from_secs(2)));
    let sendings: Vec<_> = (0..12)
        .map(|_| {
            let mailer = mailer.clone();
            tokio::spawn(async move { send(&mailer, &mail("Hello", "Text")).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(sink.connections(), 4);
    // One after the other they would take longer than `send` allows.
    for sending in sendings {
        let hung = sending.await.unwrap().unwrap_err();
        assert!(matches!(hung, MailError::Unavailable(_)), "{hung:?}");
    }
}

#[tokio::test]
async fn a_refused_mail_leaves_a_clean_connection() {
    let first = AtomicBool::new(true);
    let (sink, mailer) = plain(move |stage, _| match stage {
        Stage::Rcpt if first.swap(false, SeqCst) => Act::Reply("550 5.1.1 no"),
        _ => Act::Go,
    })
    .await;
    let refused = send(&mailer, &mail("First", "Text")).await;
    assert!(matches!(refused, Err(MailError::Refused(_))), "{refused:?}");
    send(&mailer, &mail("Second", "Text")).await.unwrap();
    let verbs = sink.commands();
    let verbs = verbs.iter().map(|c| c.split(' ').nth(1).unwrap());
    let expected = ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"];
    assert_eq!(verbs.collect::<Vec<_>>(), expected);
    assert_eq!(sink.received().len(), 1);
    assert_eq!(sink.connections(), 1);
}

/// The late answer to one mail must not be read as the answer to the next.
#[tokio::test]
async fn a_connection_given_up_midway_is_never_used_again() {
    let cases = [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Text].map(|broken| async move {
        let (sink, mailer) = plain(move |stage, number| match stage == broken && number == 1 {
            true => Act::Hang,
            false => Act::Go,
        })
        .await;
        let mailer = mailer.with_deadline(Duration::from_secs(1));
        send(&mailer, &mail("First", "Text")).await.unwrap_err();
        send(&mailer, &mail("Second", "Text")).await.unwrap();
        assert_eq!(sink.connections(), 2, "{broken:?}");
        let last = sink.received().pop().unwrap();
        assert!(last.wire.contains("Subject: Second\r\n"), "{broken:?}");
    });
    all(cases).await;
}

#[tokio::test]
async fn a_connection_on_which_something_odd_was_said_is_never_used_again() {
    for (broken, answer) in [(Stage::Data, "250 ok"), (Stage::Text, "354 go on")] {
        let (sink, mailer) = plain(move |stage, number| match stage == broken && number == 1 {
            true => Act::Reply(answer),
            false => Act::Go,
        })
        .await;
        send(&mailer, &mail("First", "Text")).await.unwrap_err();
        send(&mailer, &mail("Second", "Text")).await.unwrap();
        assert_eq!(sink.connections(), 2, "{broken:?}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_costs_no_mail() {
    let endings = [Act::Drop, Act::Reply("421 4.4.2 idle"), Act::Hang];
    for ending in endings {
        let (sink, mailer) = plain(move |stage, number| match (stage, number, &ending) {
            (Stage::Rset, 1, Act::Reply(text)) => Act::Reply(text),
            (Stage::Rset, 1, Act::Hang) => Act::Hang,
            (Stage::Rset, 1, _) => Act::Drop,
            _ => Act::Go,
        })
        .await;
        send(&mailer, &mail("First", "Text")).await.unwrap();
        send(&mailer, &mail("Second", "Text")).await.unwrap();
        assert_eq!(sink.connections(), 2);
        assert_eq!(sink.received().len(), 2);
    }
}

#[tokio::test]
async fn a_connection_idle_for_too_long_is_taken_leave_of() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let ambient = TestAmbient::default();
    let mailer = mailer.with_ambient(ambient.ambient());
    send(&mailer, &mail("First", "Text")).await.unwrap();
    ambient.clock.advance(Duration::from_secs(29));
    send(&mailer, &mail("Second", "Text")).await.unwrap();
    assert_eq!(sink.connections(), 1);
    ambient.clock.advance(Duration::from_secs(30));
    send(&mailer, &mail("Third", "Text")).await.unwrap();
    assert_eq!(sink.connections(), 2);
    let left = async {
        while !sink.commands().contains(&"1 QUIT".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), left)
        .await
        .unwrap();
}

/// Where it does, each mail takes the 40 ms after which a server acknowledges what it has no answer to.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_text_waits_for_no_acknowledgement() {
    let (_sink, mailer) = plain(|_, _| Act::Go).await;
    let clock = ps_core::SystemClock;
    let mut took = Vec::new();
    for _ in 0..21 {
        let start = clock.now();
        send(&mailer, &mail("Hello", "Text")).await.unwrap();
        took.push(clock.now().since(start));
    }
    took.sort();
    assert!(took[10] < Duration::from_millis(30), "{took:?}");
}

/// A server that is set up before its runtime runs must not panic.
#[test]
fn a_mailer_is_made_without_a_runtime() {
    let settings = ps_smtp::SmtpSettings::parse("smtps://mx.example.com", crate::FROM);
    drop(ps_smtp::SmtpMailer::new(settings.unwrap()).unwrap());
}
