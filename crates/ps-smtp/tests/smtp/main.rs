//! The mailer against an SMTP server in this process, over real sockets.
#![allow(clippy::unwrap_used, missing_docs)]

mod certificates;
mod connections;
mod fate;
mod faults;
mod queued;
mod sink;
mod tls;
mod wire;

use std::{error::Error, time::Duration};

use ps_core::{EmailAddress, Mail, MailError, Mailer};
use ps_smtp::{SmtpMailer, SmtpSettings};

use sink::{Act, Security, Sink, Stage};

const FROM: &str = "Example <mail@example.com>";

fn mail(subject: &str, text: &str) -> Mail {
    Mail {
        to: EmailAddress::parse("alice@example.com").unwrap(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        html: None,
    }
}

/// A mailer in clear text to a sink with these faults.
async fn plain(fault: impl Fn(Stage, usize) -> Act + Send + Sync + 'static) -> (Sink, SmtpMailer) {
    let sink = Sink::start(Security::Plain, fault).await;
    let url = format!("smtp://{}", sink.address);
    let settings = SmtpSettings::parse(&url, FROM).unwrap();
    (sink, SmtpMailer::new(settings).unwrap())
}

/// What one sending ends with, which it must within five seconds.
async fn send(mailer: &SmtpMailer, mail: &Mail) -> Result<(), MailError> {
    let sending = tokio::time::timeout(Duration::from_secs(5), mailer.send(mail));
    sending.await.expect("sending has a deadline")
}

/// Runs them at the same time, because each waits for a deadline.
async fn all(cases: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let mut running = tokio::task::JoinSet::new();
    for case in cases {
        running.spawn(case);
    }
    running.join_all().await;
}

/// An error with all its sources, as a careful log would show it.
fn whole(error: &dyn Error) -> String {
    let own = format!("{error} / {error:?}");
    match error.source() {
        Some(source) => own + "; " + &whole(source),
        None => own,
    }
}
