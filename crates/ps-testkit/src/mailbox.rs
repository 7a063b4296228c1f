//! A mailbox that a test can read, and can break.

use std::{
    fmt, future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ps_core::{EmailAddress, Mail, MailError, Mailer};

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The one recipient.
    pub to: EmailAddress,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same in HTML, if it came with it.
    pub html: Option<String>,
}

/// A [`Mailer`] that keeps what it is given, for every recipient, in order. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    received: Vec<Received>,
    server: Server,
}

#[derive(Default)]
enum Server {
    #[default]
    Delivers,
    Fails(Box<dyn Fn() -> MailError + Send + Sync>),
    Hangs,
}

impl Mailbox {
    /// Every mail so far, the oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// Every mail to this address so far, the oldest first.
    #[must_use]
    pub fn messages_to(&self, address: &EmailAddress) -> Vec<Received> {
        let state = self.state();
        let mails = state.received.iter().filter(|mail| mail.to == *address);
        mails.cloned().collect()
    }

    /// The code in the newest mail to this address: the only run of 6 to 8 digits in its text.
    ///
    /// `None` without a mail, and where the text has no such run or more than one.
    #[must_use]
    pub fn code_to(&self, address: &EmailAddress) -> Option<String> {
        let state = self.state();
        let mut newest_first = state.received.iter().rev();
        let newest = newest_first.find(|mail| mail.to == *address)?;
        let mut codes = newest
            .text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|run| (6..=8).contains(&run.len()));
        match (codes.next(), codes.next()) {
            (Some(only), None) => Some(only.to_owned()),
            _ => None,
        }
    }

    /// From now on every mail fails with what `error` makes, until [`recover`](Self::recover).
    pub fn fail_with(&self, error: impl Fn() -> MailError + Send + Sync + 'static) {
        self.state().server = Server::Fails(Box::new(error));
    }

    /// From now on every sending waits for ever, until [`recover`](Self::recover); those that hang
    /// by then hang on.
    pub fn hang(&self) {
        self.state().server = Server::Hangs;
    }

    /// From now on mails arrive again.
    pub fn recover(&self) {
        self.state().server = Server::Delivers;
    }

    /// `None` where the server hangs.
    fn receive(&self, mail: &Mail) -> Option<Result<(), MailError>> {
        let mut state = self.state();
        match &state.server {
            Server::Delivers => state.received.push(Received {
                to: mail.to.clone(),
                subject: mail.subject.clone(),
                text: mail.text.clone(),
                html: mail.html.clone(),
            }),
            Server::Fails(error) => return Some(Err(error())),
            Server::Hangs => return None,
        }
        Some(Ok(()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        match self.receive(mail) {
            Some(answer) => answer,
            None => future::pending().await,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delivers => "Delivers",
            Self::Fails(_) => "Fails",
            Self::Hangs => "Hangs",
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn mail(to: &str, text: &str) -> Mail {
        Mail {
            to: address(to),
            subject: "subject".to_owned(),
            text: text.to_owned(),
            html: None,
        }
    }

    fn send(mailbox: &Mailbox, mail: &Mail) -> Option<bool> {
        mailbox.send(mail).now_or_never().map(|sent| sent.is_ok())
    }

    #[test]
    fn mails_are_kept_in_order_and_apart() {
        let mailbox = Mailbox::default();
        for (to, text) in [
            ("a@example.com", "1"),
            ("b@example.com", "2"),
            ("a@example.com", "3"),
        ] {
            assert_eq!(send(&mailbox, &mail(to, text)), Some(true));
        }
        let texts = |of: Vec<Received>| of.into_iter().map(|m| m.text).collect::<Vec<_>>();
        assert_eq!(
            texts(mailbox.messages_to(&address("a@example.com"))),
            ["1", "3"]
        );
        assert_eq!(texts(mailbox.messages()), ["1", "2", "3"]);
    }

    #[test]
    fn a_code_is_the_only_run_of_six_to_eight_digits() {
        let table = [
            ("your code: 012345.", Some("012345")),
            ("12345678 lasts 600 s", Some("12345678")),
            ("12345 and 123456789", None),
            ("123456 or 654321", None),
            ("１２３４５６", None),
            ("", None),
        ];
        for (text, code) in table {
            let mailbox = Mailbox::default();
            assert_eq!(mailbox.code_to(&address("a@example.com")), None);
            let _ = send(&mailbox, &mail("a@example.com", "999999"));
            let _ = send(&mailbox, &mail("a@example.com", text));
            let found = mailbox.code_to(&address("a@example.com"));
            assert_eq!(found.as_deref(), code, "{text}");
        }
    }

    #[test]
    fn it_fails_and_hangs_until_it_recovers() {
        let mailbox = Mailbox::default();
        let mail = mail("a@example.com", "text");
        mailbox.fail_with(|| MailError::Refused("no such user".into()));
        assert_eq!(send(&mailbox, &mail), Some(false));
        mailbox.hang();
        assert_eq!(send(&mailbox, &mail), None);
        assert_eq!(mailbox.messages(), []);
        mailbox.recover();
        assert_eq!(send(&mailbox, &mail), Some(true));
        assert_eq!(mailbox.messages().len(), 1);
    }
}
