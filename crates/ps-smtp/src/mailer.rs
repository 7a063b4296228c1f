//! The port.

use std::{error::Error, fmt, time::Duration};

use async_trait::async_trait;
use lettre::message::Mailbox;
use ps_core::{Ambient, Mail, MailError, Mailer};
use tokio::time::timeout;

use crate::{
    InvalidSmtp, SmtpSettings,
    connection::Server,
    failure::{Cause, Failure, Progress},
    message::Written,
    pool::Pool,
};

/// A [`Mailer`] that hands mails in at an SMTP server (RFC 5321, RFC 6409).
///
/// It keeps at most four connections, each for 30 seconds after its last mail. It sends on tokio's
/// runtime, with I/O and time enabled; making one needs none.
pub struct SmtpMailer {
    pool: Pool,
    from: Mailbox,
    ambient: Ambient,
    deadline: Duration,
}

impl SmtpMailer {
    /// A mailer with these settings and a deadline of 10 seconds. It connects with the first mail.
    ///
    /// # Errors
    /// [`InvalidSmtp::Tls`] where TLS cannot be set up with the cryptography that this process has
    /// chosen.
    pub fn new(settings: SmtpSettings) -> Result<Self, InvalidSmtp> {
        Ok(Self {
            from: settings.from.clone(),
            pool: Pool::new(Server::new(settings)?),
            ambient: Ambient::default(),
            deadline: Duration::from_secs(10),
        })
    }

    /// Takes the time of `Date` and the randomness of `Message-ID` from here, instead of from the
    /// system. The deadline stays with tokio's clock.
    #[must_use]
    pub fn with_ambient(mut self, ambient: Ambient) -> Self {
        self.ambient = ambient;
        self
    }

    /// How long one mail may take at most, from the wait for a free connection to the server's last
    /// word: 10 seconds, if nothing else is said.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn deliver(&self, mail: &Mail) -> Result<(), Failure> {
        let progress = Progress::default();
        let (clock, random) = (&*self.ambient.clock, &*self.ambient.random);
        let sent = match Written::new(mail, &self.from, clock.now(), random) {
            // lettre's own timeout covers connecting and nothing after it.
            Ok(mail) => timeout(self.deadline, self.pool.deliver(&mail, clock, &progress)).await,
            Err(error) => Ok(Err(Cause::Unwritable(error))),
        };
        sent.unwrap_or(Err(Cause::Late)).map_err(|cause| Failure {
            stage: progress.stage(),
            cause,
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    /// `Refused` where the server answered with a permanent error (5xx), whatever to; `Unknown` where
    /// the text was handed over and no answer to it came, since the mail may have been delivered;
    /// `Unavailable` for everything else.
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.deliver(mail).await.map_err(|failure| {
            let to = mail.to.masked();
            let source = failure.source().map(ToString::to_string);
            let became = match failure.is_of_unknown_outcome() {
                true => "mail not confirmed",
                false => "mail not sent",
            };
            tracing::warn!(target: "ps_smtp", to, source, "{became}: {failure}");
            failure.into()
        })
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("from", &self.from.to_string())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
