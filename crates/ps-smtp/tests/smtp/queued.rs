//! Mails that an outbox hands in here, again where they may be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_core::{
    Ambient, Draft, EmailAddress, EventSink, Mail, Mailer, Outbox,
    Outcome::{self, MailDelayed, MailFailed, MailSent, MailUnknown},
    Requester, Timestamp, Unwritten,
};
use ps_smtp::{SmtpMailer, SmtpSettings};
use ps_testkit::RecordedEvents;

use crate::{Act, FROM, Sink, Stage, mail, plain};

/// A mail that is of use for ten minutes.
#[derive(Debug)]
struct Note(EmailAddress, Requester, Timestamp);

#[async_trait]
impl Draft for Note {
    fn to(&self) -> &EmailAddress {
        &self.0
    }

    fn requester(&self) -> &Requester {
        &self.1
    }

    fn until(&self) -> Timestamp {
        self.2
    }

    async fn write(&self) -> Result<Mail, Unwritten> {
        Ok(mail("012345 is your code", "012345"))
    }
}

/// What becomes of one mail, on the system's clock.
async fn fate(mailer: SmtpMailer) -> Vec<Outcome> {
    let events = RecordedEvents::default();
    let ambient = Ambient::system(Arc::new(events.clone()) as Arc<dyn EventSink>);
    let until = ambient.clock.now().plus(Duration::from_secs(600));
    let outbox = Outbox::new(Arc::new(mailer) as Arc<dyn Mailer>, 10, ambient);
    let to = EmailAddress::parse("alice@example.com").unwrap();
    assert!(outbox.put(Note(to, Requester::new([127, 0, 0, 1].into()), until)));
    let settled = async {
        while outbox.unsettled() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = outbox.run() => {}
        () = settled => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it never ends"),
    }
    events.take()
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
        let told = fate(mailer).await;
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
        let told = fate(mailer).await;
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
    assert_eq!(fate(mailer).await, [MailFailed]);
    assert_eq!(sink.connections(), 1);
}

// MC17, F8
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_up_late_gets_the_mail() {
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let settings = SmtpSettings::parse(&format!("smtp://{address}"), FROM).unwrap();
    let (told, sink) = tokio::join!(fate(SmtpMailer::new(settings).unwrap()), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Sink::start_at(address, crate::Security::Plain, |_, _| Act::Go).await
    });
    assert_eq!(told, [MailDelayed, MailSent]);
    assert_eq!(sink.received().len(), 1);
}
