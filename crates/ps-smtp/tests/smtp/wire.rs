//! What arrives.

use ps_testkit::TestAmbient;

use crate::{Act, mail, plain, send};

/// The names of the headers, those of parts left out, and the lines of one.
fn headers(wire: &str) -> (Vec<&str>, impl Fn(&str) -> String) {
    let head = wire.split("\r\n\r\n").next().unwrap();
    let starts = head.split("\r\n").filter(|line| !line.starts_with(' '));
    let names = starts.map(|line| line.split(':').next().unwrap());
    let value = |name: &str| {
        let start = head.find(&format!("{name}: ")).unwrap() + name.len() + 2;
        let mut lines = head[start..].split_inclusive("\r\n");
        let first = lines.next().unwrap().to_owned();
        let folded = lines.take_while(|line| line.starts_with(' '));
        (first + &folded.collect::<String>()).trim_end().to_owned()
    };
    (names.collect(), value)
}

// MC18
#[tokio::test]
async fn one_mail_goes_to_one_recipient_with_these_headers_and_no_other() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let ambient = TestAmbient::default();
    let mailer = mailer.with_ambient(ambient.ambient());
    send(&mailer, &mail("Hello", "First\nSecond\n"))
        .await
        .unwrap();
    let [received] = &sink.received()[..] else {
        panic!("{:?}", sink.received());
    };
    assert_eq!(received.from, "MAIL FROM:<mail@example.com>");
    assert_eq!(received.to, ["RCPT TO:<alice@example.com>"]);
    assert!(!received.encrypted && received.login.is_none());
    let (names, value) = headers(&received.wire);
    let expected = "Date Message-ID From To Subject Auto-Submitted MIME-Version Content-Type \
                    Content-Transfer-Encoding";
    assert_eq!(names.join(" "), expected);
    assert_eq!(value("Date"), "Sun, 22 Nov 2026 10:00:00 +0000");
    assert_eq!(value("From"), "Example <mail@example.com>");
    assert_eq!(value("To"), "alice@example.com");
    assert_eq!(value("Subject"), "Hello");
    assert_eq!(value("Auto-Submitted"), "auto-generated");
    assert_eq!(value("Content-Type"), "text/plain; charset=utf-8");
    let id = value("Message-ID");
    let local = id
        .strip_prefix('<')
        .and_then(|id| id.strip_suffix("@example.com>"));
    let local = local.unwrap();
    assert!(
        local.len() == 24 && local.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{id}"
    );
    assert!(received.wire.ends_with("\r\n\r\nFirst\r\nSecond\r\n"));
    assert_eq!(sink.commands()[0], "1 EHLO example.com");
}

#[tokio::test]
async fn every_mail_has_an_id_of_its_own() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    for _ in 0..2 {
        send(&mailer, &mail("Hello", "Text")).await.unwrap();
    }
    let received = sink.received();
    let ids = received
        .iter()
        .map(|mail| headers(&mail.wire).1("Message-ID"));
    let [first, second] = &ids.collect::<Vec<_>>()[..] else {
        panic!("two mails");
    };
    assert_ne!(first, second);
}

#[tokio::test]
async fn html_is_an_alternative_to_the_text() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let mut both = mail("Hello", "in text");
    both.html = Some("<p>in HTML</p>".to_owned());
    send(&mailer, &both).await.unwrap();
    let wire = &sink.received()[0].wire;
    let (names, value) = headers(wire);
    assert_eq!(names.last(), Some(&"Content-Type"));
    let kind = value("Content-Type");
    assert!(kind.starts_with("multipart/alternative;"), "{kind}");
    let text = wire.find("text/plain; charset=utf-8").unwrap();
    let html = wire.find("text/html; charset=utf-8").unwrap();
    assert!(
        text < html,
        "the last alternative is the best (RFC 2046 §5.1.4)"
    );
    assert!(wire[text..html].contains("in text"));
    assert!(wire[html..].contains("<p>in HTML</p>"));
}

#[tokio::test]
async fn a_line_with_a_dot_does_not_end_the_mail() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let texts = [
        "before\n.\nRCPT TO:<eve@example.com>\n",
        "before\r\n.\r\nRCPT TO:<eve@example.com>\r\n",
        "before\r.\rRCPT TO:<eve@example.com>\r",
        "before\n.\r\nRCPT TO:<eve@example.com>\n",
        "before\r.\nRCPT TO:<eve@example.com>\n",
    ];
    for text in texts {
        send(&mailer, &mail("Hello", text)).await.unwrap();
        let received = sink.received();
        let wire = &received.last().unwrap().wire;
        let expected = "\r\n\r\nbefore\r\n..\r\nRCPT TO:<eve@example.com>\r\n";
        assert!(wire.ends_with(expected), "{text:?}: {wire:?}");
    }
    assert!(sink.received().iter().all(|mail| mail.to.len() == 1));
    assert!(!sink.commands().join("\n").contains("eve"));
    send(&mailer, &mail("Hello", ".")).await.unwrap();
    assert!(
        sink.received()
            .last()
            .unwrap()
            .wire
            .ends_with("\r\n\r\n..\r\n")
    );
}

// MC18
#[tokio::test]
async fn a_subject_can_bring_no_header() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let table = [
        ("Hi\r\nBcc: eve@example.com", "Hi  Bcc: eve@example.com"),
        ("Hi\nBcc: eve@example.com", "Hi Bcc: eve@example.com"),
        ("Hi\rBcc: eve@example.com", "Hi Bcc: eve@example.com"),
        ("Hi\r\n\r\n.\r\nQUIT", "Hi    .  QUIT"),
        (
            "Hi \u{0}\u{7f}\u{85}é\r\nBcc: e",
            "Hi    =?utf-8?b?w6k=?=  Bcc: e",
        ),
    ];
    for (subject, one_line) in table {
        send(&mailer, &mail(subject, "Text")).await.unwrap();
        let received = sink.received();
        let (names, value) = headers(&received.last().unwrap().wire);
        assert_eq!(names.len(), 9, "{subject:?}: {names:?}");
        assert_eq!(value("Subject"), one_line, "{subject:?}");
    }
    assert!(sink.received().iter().all(|mail| mail.to.len() == 1));
}

#[tokio::test]
async fn everything_is_sent_in_ascii() {
    let (sink, mailer) = plain(|_, _| Act::Go).await;
    let text = format!("Prüfung: 012345\n{}", "long ".repeat(400));
    send(&mailer, &mail("Prüfung", &text)).await.unwrap();
    let wire = &sink.received()[0].wire;
    assert!(wire.is_ascii());
    assert!(wire.split("\r\n").all(|line| line.len() <= 78), "{wire}");
    assert_eq!(headers(wire).1("Subject"), "=?utf-8?b?UHLDvGZ1bmc=?=");
    assert!(wire.contains("Pr=C3=BCfung: 012345\r\n"), "{wire}");
}
