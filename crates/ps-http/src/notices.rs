//! Mails that tell an account's owner what has just been done to it.

mod english;
mod plain;
mod spanish;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use ps_core::{
    Ambient, AuthEvent, Draft, EmailAddress, Mail, Mailer, Outbox, Outcome, Requester, Timestamp,
    Unwritten, User,
};

pub use plain::PlainNotices;

/// How many notices wait at most; beyond them one is dropped, and its event says so.
const ROOM: usize = 1_000;
/// For how long a notice that could not be sent is tried again.
const NEWS: Duration = Duration::from_secs(3_600);

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurrence {
    /// An identity of this provider, by its title, opens the account from now on.
    Linked(String),
    /// A password was set or changed.
    PasswordChanged,
    /// The account was made, for somebody whom this provider, by its title, vouches for.
    Registered(String),
    /// Somebody signed in, and not as the owner usually does.
    SignedIn {
        /// With a browser that had not signed in to the account before.
        new_browser: bool,
        /// After several attempts that failed.
        after_failures: bool,
    },
    /// An identity of this provider, by its title, opens the account no more.
    Unlinked(String),
}

/// What a notice is to say.
#[non_exhaustive]
pub struct Notice<'a> {
    /// What was done.
    pub occurrence: &'a Occurrence,
    /// Whose account it was done to.
    pub to: &'a EmailAddress,
    /// When.
    pub at: Timestamp,
    /// Who did it, and in [which language](Requester::language_of). What a client says of itself is a
    /// stranger's text: show the network, not the user agent.
    pub requester: &'a Requester,
}

/// Writes the notices. Implement it for texts of your own;
/// [`Mail::of_paragraphs`](ps_core::Mail::of_paragraphs) makes text and HTML of them.
pub trait NoticeLetters: fmt::Debug + Send + Sync + 'static {
    /// Writes one.
    ///
    /// *Security*: whatever is returned is sent to [`Notice::to`] and to nobody else. Build links
    /// only from the site's configured URL.
    fn compose(&self, notice: &Notice<'_>) -> Mail;
}

/// Tells owners what was done to their accounts, by mail.
///
/// A notice is queued, not awaited. It is sent by [`Auth::run`](crate::Auth::run).
#[derive(Clone, Debug)]
pub struct Notices {
    letters: Arc<dyn NoticeLetters>,
    outbox: Arc<Outbox>,
    ambient: Ambient,
}

impl Notices {
    /// Notices that `letters` writes and `mailer` sends.
    #[must_use]
    pub fn new(mailer: Arc<dyn Mailer>, letters: Arc<dyn NoticeLetters>, ambient: Ambient) -> Self {
        Self {
            letters,
            outbox: Arc::new(Outbox::new(mailer, ROOM, ambient.clone())),
            ambient,
        }
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    pub(crate) fn tell(&self, user: &User, occurrence: Occurrence, requester: &Requester) {
        let at = self.ambient.clock.now();
        let queued = self.outbox.put(NoticeDraft {
            letters: Arc::clone(&self.letters),
            occurrence,
            to: user.email.clone(),
            at,
            requester: requester.clone(),
        });
        if !queued {
            let event = AuthEvent::new(Outcome::MailDropped, at).to(&user.email);
            self.ambient.events.record(&event.by(requester));
        }
    }
}

#[derive(Debug)]
struct NoticeDraft {
    letters: Arc<dyn NoticeLetters>,
    occurrence: Occurrence,
    to: EmailAddress,
    at: Timestamp,
    requester: Requester,
}

#[async_trait]
impl Draft for NoticeDraft {
    fn to(&self) -> &EmailAddress {
        &self.to
    }

    fn requester(&self) -> &Requester {
        &self.requester
    }

    fn until(&self) -> Timestamp {
        self.at.plus(NEWS)
    }

    async fn write(&self) -> Result<Mail, Unwritten> {
        Ok(self.letters.compose(&Notice {
            occurrence: &self.occurrence,
            to: &self.to,
            at: self.at,
            requester: &self.requester,
        }))
    }
}
