//! What becomes of a mail where the server breaks, and that no mail arrives twice.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ps_core::{
    Ambient, Draft, EmailAddress, EventSink, Mail, Mailer, Outbox,
    Outcome::{self, MailDelayed, MailFailed, MailSent, MailUnknown},
    Requester, Timestamp, Unwritten,
};
use ps_testkit::RecordedEvents;

use crate::{Place, Security, Wish, letter};

#[derive(Debug)]
struct Code(EmailAddress, Requester, Timestamp);

#[async_trait]
impl Draft for Code {
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
        Ok(letter())
    }
}

/// What is told of one mail that is of use for `useful` seconds, and how often the server had it.
fn fate(place: &Place, fault: &'static str, useful: u64) -> (Vec<Outcome>, usize) {
    let server = place.server(&Wish::breaking(fault));
    let mailer = place.mailer(&server, Security::Plain, "");
    let events = RecordedEvents::default();
    let ambient = Ambient::system(Arc::new(events.clone()) as Arc<dyn EventSink>);
    let until = ambient.clock.now().plus(Duration::from_secs(useful));
    let mailer: Arc<dyn Mailer> = Arc::new(mailer.with_deadline(Duration::from_secs(3)));
    let outbox = Outbox::new(mailer, 10, ambient);
    let client = Requester::new([127, 0, 0, 1].into());
    assert!(outbox.put(Code(letter().to, client, until)));
    place.runtime.block_on(async {
        let settled = async {
            while outbox.unsettled() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = outbox.run() => {}
            () = settled => {}
            () = tokio::time::sleep(Duration::from_secs(30)) => panic!("{fault}: it never ends"),
        }
    });
    (events.take(), server.stop().1.len())
}

// MC17, F8
pub(crate) fn a_server_that_refuses_is_believed(place: &Place) {
    assert_eq!(fate(place, "refuse", 60), (vec![MailFailed], 0));
    assert_eq!(fate(place, "refuse the text", 60), (vec![MailFailed], 1));
}

// MC17, F8
pub(crate) fn greylisting_costs_a_pause(place: &Place) {
    assert_eq!(
        fate(place, "greylist", 60),
        (vec![MailDelayed, MailSent], 1)
    );
}

// MC17, F8
pub(crate) fn a_server_that_hangs_costs_the_deadline(place: &Place) {
    let delayed_once = vec![MailDelayed, MailFailed];
    assert_eq!(fate(place, "hang before the text", 10), (delayed_once, 0));
    assert_eq!(
        fate(place, "hang after the text", 60),
        (vec![MailUnknown], 1)
    );
}

// MC17, F8
pub(crate) fn a_server_that_resets_is_asked_again_unless_it_had_the_text(place: &Place) {
    let delayed_once = vec![MailDelayed, MailFailed];
    assert_eq!(fate(place, "reset at once", 6), (delayed_once, 0));
    assert_eq!(
        fate(place, "reset after the text", 60),
        (vec![MailUnknown], 1)
    );
}
