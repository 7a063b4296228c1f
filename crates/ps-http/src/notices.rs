//! Mails that tell an account's owner what has just been done to it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use ps_core::{
    Ambient, AuthEvent, Draft, EmailAddress, Mail, Mailer, Network, Outbox, Outcome, Requester,
    Timestamp, Unwritten, User,
};

use crate::answer::rfc3339;

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
    /// Who did it. What a client says of itself is a stranger's text: show the network, not the user
    /// agent.
    pub requester: &'a Requester,
}

/// Writes the notices. Implement it for texts of your own.
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

/// Plain notices in English, as text, without links or pictures.
#[derive(Clone, Debug)]
pub struct PlainNotices {
    site: String,
}

impl PlainNotices {
    /// Notices of this site: its name or public URL, as its users know it.
    #[must_use]
    pub fn new(site: impl Into<String>) -> Self {
        let mut site = site.into();
        site.retain(|c| !c.is_control());
        Self { site }
    }
}

impl NoticeLetters for PlainNotices {
    fn compose(&self, notice: &Notice<'_>) -> Mail {
        let site = &self.site;
        let (subject, what, undo) = match notice.occurrence {
            Occurrence::Linked(provider) => (
                format!("{provider} now signs you in to {site}"),
                format!(
                    "An account at {provider} was linked to your account at {site} and signs you in from now on."
                ),
                "remove it in the settings of your account",
            ),
            Occurrence::PasswordChanged => (
                format!("Your password for {site} was changed"),
                format!(
                    "The password of your account at {site} was set or changed, and every other session was ended."
                ),
                "sign in by a code sent to this address and set another password",
            ),
            Occurrence::Registered(provider) => (
                format!("Welcome to {site}"),
                format!(
                    "An account was made for this address at {site}, by somebody whom {provider} \
                     knows as its owner."
                ),
                "sign in by a code sent to this address and remove what you do not know",
            ),
            Occurrence::Unlinked(provider) => (
                format!("{provider} no longer signs you in to {site}"),
                format!(
                    "An account at {provider} was removed from your account at {site} and signs you in no more."
                ),
                "link it again in the settings of your account",
            ),
        };
        let network = Network::coarse(notice.requester.address);
        let when = moment(notice.at);
        Mail {
            to: notice.to.clone(),
            subject,
            text: format!(
                "{what}\n\nThis was done{when} from the network {network}. If it was not you, {undo}, \
                 and end the sessions that you do not know.\n"
            ),
            html: None,
        }
    }
}

/// ` on 2026-11-22 at 10:00 UTC`.
fn moment(at: Timestamp) -> String {
    let text = rfc3339(at);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!(" on {day} at {time} UTC"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(occurrence: &Occurrence) -> Mail {
        let requester = Requester::new([203, 0, 113, 77].into()).with_user_agent("<b>Mozilla");
        PlainNotices::new("https://app.example\r\nBcc: x").compose(&Notice {
            occurrence,
            to: &EmailAddress::parse("alice@example.com").unwrap(),
            at: Timestamp::from_seconds(1_795_341_600),
            requester: &requester,
        })
    }

    // OA19
    #[test]
    fn a_notice_says_what_when_and_from_where() {
        let google = || "Google".to_owned();
        for (occurrence, words) in [
            (Occurrence::Linked(google()), "Google now signs you in"),
            (Occurrence::PasswordChanged, "password"),
            (
                Occurrence::Unlinked(google()),
                "Google no longer signs you in",
            ),
        ] {
            let Mail { subject, text, .. } = mail(&occurrence);
            assert!(subject.contains(words), "{subject}");
            assert!(
                subject.ends_with("https://app.exampleBcc: x")
                    || subject.contains("https://app.exampleBcc: x was")
            );
            assert!(!subject.contains(['\r', '\n']));
            assert!(text.contains("on 2026-11-22 at 10:00 UTC from the network 203.0.113.0/24"));
            assert!(!text.contains("Mozilla") && !text.contains("113.77"));
        }
    }

    #[test]
    fn no_notice_can_be_taken_for_a_code() {
        let text = mail(&Occurrence::PasswordChanged).text;
        let runs = text.split(|c: char| !c.is_ascii_digit());
        assert!(runs.into_iter().all(|run| run.len() < 6), "{text}");
    }
}
