//! What breaks, and what is said of it.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use ps_core::MailError;
use ps_smtp::{SmtpMailer, SmtpSettings};

use crate::{
    Act, FROM, Security, Sink, Stage, all, certificates::Authority, mail, plain, send, whole,
};

/// A mailer by STARTTLS and login, so that every stage is gone through.
async fn thorough(
    fault: impl Fn(Stage, usize) -> Act + Send + Sync + 'static,
) -> (Sink, SmtpMailer) {
    let authority = Authority::new();
    let security = Security::StartTls(authority.server("127.0.0.1"));
    let sink = Sink::start(security, fault).await;
    let url = format!("smtp://user:password@{}?tls=required", sink.address);
    let settings = SmtpSettings::parse(&url, FROM).unwrap();
    let settings = settings.with_root_certificate(authority.pem.as_bytes());
    (sink, SmtpMailer::new(settings.unwrap()).unwrap())
}

const STAGES: [(Stage, &str); 9] = [
    (Stage::Greeting, "connecting"),
    (Stage::Ehlo, "connecting"),
    (Stage::StartTls, "changing to TLS"),
    (Stage::Handshake, "changing to TLS"),
    (Stage::Auth, "logging in"),
    (Stage::Mail, "naming the sender"),
    (Stage::Rcpt, "naming the recipient"),
    (Stage::Data, "announcing the text"),
    (Stage::Text, "handing over the text"),
];

/// What a mailer says became of a mail that it did not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    Unavailable,
    Unknown,
}

impl Fate {
    fn of(error: &MailError) -> Self {
        match error {
            MailError::Refused(_) => Self::Refused,
            MailError::Unavailable(_) => Self::Unavailable,
            MailError::Unknown(_) => Self::Unknown,
            other => panic!("{other}"),
        }
    }

    /// Where nothing more is heard from this stage on.
    fn without_an_answer(stage: Stage) -> Self {
        match stage {
            Stage::Text => Self::Unknown,
            _ => Self::Unavailable,
        }
    }
}

// MC17, F8
#[tokio::test]
async fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let cases = STAGES.map(|(broken, said)| async move {
        let (sink, mailer) = thorough(move |stage, _| match stage == broken {
            true => Act::Hang,
            false => Act::Go,
        })
        .await;
        let mailer = mailer.with_deadline(Duration::from_secs(2));
        let hung = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
        assert_eq!(
            Fate::of(&hung),
            Fate::without_an_answer(broken),
            "{broken:?}"
        );
        let why = whole(&hung);
        assert!(
            why.contains(&format!("time was up while {said}")),
            "{broken:?}: {why}"
        );
        assert_eq!(
            why.contains("may have been delivered"),
            broken == Stage::Text,
            "{why}"
        );
        assert_eq!(sink.connections(), 1, "{broken:?}");
    });
    all(cases).await;
}

// MC17, F8
#[tokio::test]
async fn a_connection_that_breaks_is_not_tried_again() {
    for (broken, said) in STAGES
        .into_iter()
        .filter(|(stage, _)| *stage != Stage::Handshake)
    {
        let (sink, mailer) = thorough(move |stage, _| match stage == broken {
            true => Act::Drop,
            false => Act::Go,
        })
        .await;
        let lost = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
        assert_eq!(
            Fate::of(&lost),
            Fate::without_an_answer(broken),
            "{broken:?}"
        );
        assert!(whole(&lost).contains(said), "{broken:?}: {}", whole(&lost));
        assert_eq!(sink.connections(), 1, "{broken:?}");
        let delivered = usize::from(broken == Stage::Text);
        assert_eq!(sink.received().len(), delivered, "{broken:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", closed.local_addr().unwrap());
    drop(closed);
    let mailer = SmtpMailer::new(SmtpSettings::parse(&url, FROM).unwrap()).unwrap();
    let lost = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
    assert!(matches!(lost, MailError::Unavailable(_)));
    assert!(whole(&lost).contains("refused"), "{}", whole(&lost));
}

// F8
#[tokio::test]
async fn a_permanent_answer_refuses_and_everything_else_may_pass_or_have_passed() {
    use Fate::{Refused, Unavailable, Unknown};
    let table = [
        (
            Stage::Greeting,
            "554 5.3.2 no",
            Refused,
            "554 5.3.2 while connecting",
        ),
        (
            Stage::Greeting,
            "421 4.3.2 later",
            Unavailable,
            "421 4.3.2 while",
        ),
        (
            Stage::Auth,
            "454 4.7.0 later",
            Unavailable,
            "454 4.7.0 while",
        ),
        (
            Stage::Mail,
            "550 no",
            Refused,
            "550 while naming the sender",
        ),
        (
            Stage::Mail,
            "451 4.3.0 later",
            Unavailable,
            "451 4.3.0 while",
        ),
        (
            Stage::Rcpt,
            "550 5.1.1 <alice@example.com> 012345",
            Refused,
            "550 5.1.1 while",
        ),
        (
            Stage::Rcpt,
            "550-5.1.1 no\r\n550 5.1.1 alice@example.com",
            Refused,
            "550 5.1.1",
        ),
        (
            Stage::Rcpt,
            "550 alice@example.com.x 012345",
            Refused,
            "550 while",
        ),
        (
            Stage::Rcpt,
            "451 4.7.1 greylisted",
            Unavailable,
            "451 4.7.1 while",
        ),
        (Stage::Data, "554 5.5.1 no", Refused, "554 5.5.1 while"),
        (
            Stage::Data,
            "250 alice@example.com 012345",
            Unavailable,
            "out of turn",
        ),
        (
            Stage::Text,
            "554 5.7.1 spam: Your code is 012345",
            Refused,
            "554 5.7.1 while",
        ),
        (
            Stage::Text,
            "451 4.3.0 alice@example.com",
            Unavailable,
            "451 4.3.0 while",
        ),
        (
            Stage::Text,
            "354 alice@example.com",
            Unknown,
            "may have been delivered",
        ),
        (
            Stage::Text,
            "alice@example.com 012345",
            Unknown,
            "may have been delivered",
        ),
        (
            Stage::Mail,
            "alice@example.com 012345",
            Unavailable,
            "out of turn",
        ),
    ];
    for (broken, answer, fate, said) in table {
        let (sink, mailer) = thorough(move |stage, _| match stage == broken {
            true => Act::Reply(answer),
            false => Act::Go,
        })
        .await;
        let error = send(&mailer, &mail("012345", "Your code is 012345")).await;
        let error = error.unwrap_err();
        let why = whole(&error);
        assert_eq!(Fate::of(&error), fate, "{answer}: {why}");
        assert!(why.contains(said), "{answer}: {why}");
        assert!(
            !why.contains("alice") && !why.contains("012345"),
            "{answer}: {why}"
        );
        assert_eq!(sink.connections(), 1, "{answer}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_says_why_and_neither_to_whom_nor_what() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (_sink, mailer) = plain(|stage, number| match (stage, number) {
        (Stage::Rcpt, 1) => Act::Reply("550 5.1.1 alice@example.com 012345"),
        (Stage::Rset, 1) => Act::Drop,
        (Stage::Greeting, 2) | (Stage::Text, 3) => Act::Drop,
        _ => Act::Go,
    })
    .await;
    for _ in 0..3 {
        let sent = send(&mailer, &mail("012345", "Your code is 012345")).await;
        sent.unwrap_err();
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
    let [refused, lost, cut] = &lines[..] else {
        panic!("{log}");
    };
    assert!(refused.contains("WARN ps_smtp: mail not sent"), "{refused}");
    assert!(
        refused.contains("550 5.1.1 while naming the recipient"),
        "{refused}"
    );
    assert!(refused.contains("a***@example.com"), "{refused}");
    assert!(lost.contains("while connecting"), "{lost}");
    assert!(cut.contains("WARN ps_smtp: mail not confirmed"), "{cut}");
    assert!(cut.contains("it may have been delivered"), "{cut}");
    assert!(!log.contains("alice") && !log.contains("012345"), "{log}");
}
