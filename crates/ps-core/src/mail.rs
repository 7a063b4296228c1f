//! Mail as a port.

use std::{error::Error, fmt};

use async_trait::async_trait;

use crate::EmailAddress;

/// One mail to one person, written out.
pub struct Mail {
    /// The one recipient.
    pub to: EmailAddress,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same in HTML, if there is one.
    pub html: Option<String>,
}

impl fmt::Debug for Mail {
    /// Shows neither subject nor text: a code stands in both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not sent, or may not have been. The cause is kept as the error's source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The mail server does not want it, now or later. It was not taken.
    #[error("the mail was refused")]
    Refused(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// The mail server could not be reached, or asked to come back later. The mail was certainly not
    /// taken, so it may be sent again.
    #[error("the mail could not be sent now")]
    Unavailable(#[source] Box<dyn Error + Send + Sync + 'static>),
    /// The mail was handed over, and no answer came. Nobody knows whether it was taken, so it must
    /// not be sent again.
    #[error("the mail may have been sent")]
    Unknown(#[source] Box<dyn Error + Send + Sync + 'static>),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Sends one mail to its one recipient, or says why not. It tries once:
    /// [`Outbox`](crate::Outbox) is who tries again.
    ///
    /// *Atomicity*: `Ok` only once the server has taken it; `Refused` and `Unavailable` only where it
    /// certainly has not. *Time*: the implementation has its own deadlines. *Security*: never in
    /// clear text over a network.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}
