//! Mails that an outbox hands in here, again where they may be.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use ps_core::{
    Mail,
    Outcome::{self, MailDelayed, MailFailed, MailSent, MailUnknown},
};
use ps_smtp::{SmtpMailer, SmtpSettings};

use crate::{Act, FROM, Sink, Stage, fate, mail, plain};

/// What becomes of one mail.
async fn fate_of(mailer: SmtpMailer) -> Vec<Outcome> {
    fn code() -> Mail {
        mail("012345 is your code", "012345")
    }
    fate::fate(mailer, code, 600).await
}

/// At this stage it breaks the first time, and is good from then on.
async fn once(stage: Stage, act: fn() -> Act) -> (Sink, SmtpMailer) {
    let broken = AtomicBool::new(false);
    let (sink, mailer) = plain(
        move |at, _| match at == stage && !broken.swap(true, SeqCst) {
            true => act(),
            false => Act::Go,
        },
    )
    .await;
    (sink, mailer.with_deadline(Duration::from_secs(3)))
}

// MC17, F8
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_not_taken_is_handed_in_again_and_arrives_once() {
    let again = [
        (Stage::Greeting, (|| Act::Drop) as fn() -> Act),
        (Stage::Greeting, || Act::Hang),
        (Stage::Greeting, || Act::Reply("421 4.3.2 later")),
        (Stage::Rcpt, || Act::Reply("451 4.7.1 greylisted")),
        (Stage::Data, || Act::Drop),
    ];
    let cases = again.map(|(stage, act)| async move {
        let (sink, mailer) = once(stage, act).await;
        let told = fate_of(mailer).await;
        assert_eq!(told, [MailDelayed, MailSent], "{stage:?}");
        assert_eq!(sink.received().len(), 1, "{stage:?}");
    });
    crate::all(cases).await;
}

// MC17, F8
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_may_have_been_taken_is_never_handed_in_again() {
    let cut = [(|| Act::Drop) as fn() -> Act, || Act::Hang];
    let cases = cut.map(|act| async move {
        let (sink, mailer) = once(Stage::Text, act).await;
        let told = fate_of(mailer).await;
        assert_eq!(told, [MailUnknown]);
        assert_eq!(sink.received().len(), 1);
        assert_eq!(sink.connections(), 1);
    });
    crate::all(cases).await;
}

// MC17, F8
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mail_is_not_handed_in_again() {
    let (sink, mailer) = once(Stage::Text, || Act::Reply("554 5.7.1 spam")).await;
    assert_eq!(fate_of(mailer).await, [MailFailed]);
    assert_eq!(sink.connections(), 1);
}

// MC17, F8
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_up_late_gets_the_mail() {
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let settings = SmtpSettings::parse(&format!("smtp://{address}"), FROM).unwrap();
    let (told, sink) = tokio::join!(fate_of(SmtpMailer::new(settings).unwrap()), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Sink::start_at(address, crate::Security::Plain, |_, _| Act::Go).await
    });
    assert_eq!(told, [MailDelayed, MailSent]);
    assert_eq!(sink.received().len(), 1);
}
