//! What is encrypted, to whom, and what is told before.

use std::time::Duration;

use ps_core::MailError;
use ps_smtp::{SmtpMailer, SmtpSettings};

use crate::{Act, FROM, Security, Sink, Stage, certificates::Authority, mail, send, whole};

fn mailer(scheme: &str, sink: &Sink, option: &str, trusted: Option<&Authority>) -> SmtpMailer {
    let url = format!("{scheme}://me%40home:s%3Acret@{}{option}", sink.address);
    let mut settings = SmtpSettings::parse(&url, FROM).unwrap();
    if let Some(authority) = trusted {
        settings = settings
            .with_root_certificate(authority.pem.as_bytes())
            .unwrap();
    }
    let mailer = SmtpMailer::new(settings).unwrap();
    mailer.with_deadline(Duration::from_secs(3))
}

/// Base64 of `\0me@home\0s:cret`.
const LOGIN: &str = "AUTH PLAIN AG1lQGhvbWUAczpjcmV0";

#[tokio::test]
async fn implicit_tls_hides_login_and_mail() {
    let authority = Authority::new();
    let sink = Sink::start(Security::Tls(authority.server("127.0.0.1")), |_, _| Act::Go).await;
    let mailer = mailer("smtps", &sink, "", Some(&authority));
    send(&mailer, &mail("Hello", "Text")).await.unwrap();
    let [received] = &sink.received()[..] else {
        panic!("one mail");
    };
    assert!(received.encrypted);
    assert_eq!(received.login.as_deref(), Some(LOGIN));
}

#[tokio::test]
async fn starttls_comes_before_login_and_mail() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1");
    let sink = Sink::start(Security::StartTls(server), |_, _| Act::Go).await;
    let mailer = mailer("smtp", &sink, "?tls=required", Some(&authority));
    send(&mailer, &mail("Hello", &"line\n".repeat(5_000)))
        .await
        .unwrap();
    let [received] = &sink.received()[..] else {
        panic!("one mail");
    };
    assert!(received.encrypted);
    assert_eq!(received.login.as_deref(), Some(LOGIN));
    let verbs = sink.commands();
    let verbs = verbs.iter().map(|c| c.split(' ').nth(1).unwrap());
    let expected = ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"];
    assert_eq!(verbs.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn without_starttls_nothing_is_told() {
    let authority = Authority::new();
    let says_no = |stage, _| match stage {
        Stage::StartTls => Act::Reply("454 4.7.0 not now"),
        _ => Act::Go,
    };
    for security in [
        Security::Plain,
        Security::StartTls(authority.server("127.0.0.1")),
    ] {
        let sink = Sink::start(security, says_no).await;
        let mailer = mailer("smtp", &sink, "?tls=required", Some(&authority));
        let refused = send(&mailer, &mail("Hello", "Text")).await;
        assert!(
            matches!(refused, Err(MailError::Unavailable(_))),
            "{refused:?}"
        );
        assert_eq!(sink.received().len(), 0);
        let commands = sink.commands().join(", ");
        assert!(
            !commands.contains("AUTH") && !commands.contains("MAIL"),
            "{commands}"
        );
    }
}

/// RFC 3207 §6: what was said before TLS counts for nothing.
#[tokio::test]
async fn answers_slipped_in_before_tls_are_not_believed() {
    let authority = Authority::new();
    let slips_in = |stage, _| match stage {
        Stage::StartTls => Act::Say("220 go\r\n250-evil\r\n250 AUTH LOGIN"),
        _ => Act::Go,
    };
    let server = authority.server("127.0.0.1");
    let sink = Sink::start(Security::StartTls(server), slips_in).await;
    let mailer = mailer("smtp", &sink, "?tls=required", Some(&authority));
    let refused = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
    assert!(
        whole(&refused).contains("while changing to TLS"),
        "{}",
        whole(&refused)
    );
    assert_eq!(sink.commands(), ["1 EHLO example.com", "1 STARTTLS"]);
}

#[tokio::test]
async fn a_certificate_of_another_name_or_authority_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let table = [
        (ours.server("mx.example.com"), Some(&ours)),
        (ours.server("127.0.0.2"), Some(&ours)),
        (theirs.server("127.0.0.1"), Some(&ours)),
        (ours.server("127.0.0.1"), None),
    ];
    for (server, trusted) in table {
        let implicit = Sink::start(Security::Tls(server.clone()), |_, _| Act::Go).await;
        let starttls = Sink::start(Security::StartTls(server), |_, _| Act::Go).await;
        for (sink, scheme, option) in [
            (&implicit, "smtps", ""),
            (&starttls, "smtp", "?tls=required"),
        ] {
            let mailer = mailer(scheme, sink, option, trusted);
            let refused = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
            let why = whole(&refused);
            assert!(matches!(refused, MailError::Unavailable(_)), "{why}");
            assert!(why.contains("invalid peer certificate"), "{why}");
            assert!(!sink.commands().join(" ").contains("AUTH"), "{why}");
        }
    }
}

#[tokio::test]
async fn a_refused_login_tells_no_secret() {
    let authority = Authority::new();
    let says_no = |stage, _| match stage {
        Stage::Auth => Act::Reply("535 5.7.8 me@home s:cret AG1lQGhvbWUAczpjcmV0 is wrong"),
        _ => Act::Go,
    };
    let sink = Sink::start(Security::Tls(authority.server("127.0.0.1")), says_no).await;
    let mailer = mailer("smtps", &sink, "", Some(&authority));
    let refused = send(&mailer, &mail("Hello", "Text")).await.unwrap_err();
    assert!(matches!(refused, MailError::Refused(_)), "{refused:?}");
    let shown = format!("{} {mailer:?}", whole(&refused));
    assert!(shown.contains("535 5.7.8 while logging in"), "{shown}");
    for secret in ["me@home", "cret", "AG1l"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(sink.received().len(), 0);
}
