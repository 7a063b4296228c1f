//! One mail that an outbox hands in, again where it may.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ps_core::{
    Ambient, Draft, EmailAddress, EventSink, Mail, Mailer, Outbox, Outcome, Requester, Timestamp,
    Unwritten,
};
use ps_smtp::SmtpMailer;
use ps_testkit::RecordedEvents;

#[derive(Debug)]
struct Note {
    to: EmailAddress,
    requester: Requester,
    until: Timestamp,
    write: fn() -> Mail,
}

#[async_trait]
impl Draft for Note {
    fn to(&self) -> &EmailAddress {
        &self.to
    }

    fn requester(&self) -> &Requester {
        &self.requester
    }

    fn until(&self) -> Timestamp {
        self.until
    }

    async fn write(&self) -> Result<Mail, Unwritten> {
        Ok((self.write)())
    }
}

/// What is told of a mail that is of use for so many seconds, until it is settled.
pub(crate) async fn fate(mailer: SmtpMailer, write: fn() -> Mail, useful: u64) -> Vec<Outcome> {
    let events = RecordedEvents::default();
    let ambient = Ambient::system(Arc::new(events.clone()) as Arc<dyn EventSink>);
    let note = Note {
        to: write().to,
        requester: Requester::new([127, 0, 0, 1].into()),
        until: ambient.clock.now().plus(Duration::from_secs(useful)),
        write,
    };
    let outbox = Outbox::new(Arc::new(mailer) as Arc<dyn Mailer>, 10, ambient);
    assert!(outbox.put(note));
    let settled = async {
        while outbox.unsettled() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = outbox.run() => {}
        () = settled => {}
        () = tokio::time::sleep(Duration::from_secs(40)) => panic!("it never ends"),
    }
    events.take()
}
