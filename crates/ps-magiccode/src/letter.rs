//! What the mails say.

mod english;
mod plain;
mod spanish;

use std::{fmt, time::Duration};

use ps_core::{EmailAddress, Mail, Requester, Timestamp};

use crate::{Code, Purpose};

pub use plain::PlainLetters;

/// Why a mail is written. Only its reader learns whether there is an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occasion {
    /// Somebody wants to register an address that has an account. The mail says so; its code signs in.
    AlreadyRegistered,
    /// Somebody wants to sign in to an address that has no account. The mail says so and carries no
    /// code.
    NoAccount,
    /// Somebody wants to register a new address.
    Register,
    /// Somebody wants to sign in.
    SignIn,
}

impl Occasion {
    pub(crate) fn of(purpose: Purpose, has_account: bool) -> Self {
        match (purpose, has_account) {
            (Purpose::Register, true) => Self::AlreadyRegistered,
            (Purpose::Register, false) => Self::Register,
            (Purpose::SignIn, true) => Self::SignIn,
            (Purpose::SignIn, false) => Self::NoAccount,
        }
    }
}

/// What a mail is to say.
#[non_exhaustive]
pub struct Letter<'a> {
    /// Why it is written.
    pub occasion: Occasion,
    /// To whom.
    pub to: &'a EmailAddress,
    /// The code; none for [`Occasion::NoAccount`].
    pub code: Option<&'a Code>,
    /// How long the code is good for, counted from `requested_at`.
    pub expires_in: Duration,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Who asked for it, and in [which language](Requester::language_of). What a client says of itself
    /// is a stranger's text, and a mail in your name is a good place for one: show the network, not
    /// the user agent.
    pub requester: &'a Requester,
}

/// Writes the mails. Implement it for texts of your own.
///
/// ```
/// use ps_core::{Mail, Network, Paragraph};
/// use ps_magiccode::{Letter, Letters, PlainLetters};
///
/// /// German where it is liked best, and what the crate writes for everybody else.
/// #[derive(Debug)]
/// struct AlsoGerman(PlainLetters);
///
/// impl Letters for AlsoGerman {
///     fn compose(&self, letter: &Letter<'_>) -> Mail {
///         let asks_for = letter.requester.language_of(&["en", "es", "de"]);
///         let (Some("de"), Some(code)) = (asks_for, letter.code) else {
///             return self.0.compose(letter);
///         };
///         let network = Network::coarse(letter.requester.address);
///         let minutes = letter.expires_in.as_secs() / 60;
///         let paragraphs = [
///             Paragraph::Text("Ihr Code für Example:".to_owned()),
///             Paragraph::Code(code.expose()),
///             Paragraph::Text(format!("Er gilt {minutes} Minuten, angefordert aus {network}.")),
///         ];
///         let subject = format!("{} ist Ihr Code für Example", code.expose());
///         Mail::of_paragraphs(letter.to.clone(), subject, "de", &paragraphs)
///     }
/// }
/// ```
pub trait Letters: fmt::Debug + Send + Sync + 'static {
    /// Writes one. It is called where mails are sent, off every request's path.
    ///
    /// *Security*: whatever is returned is sent to [`Letter::to`] and to nobody else. Build links
    /// only from the site's configured URL.
    fn compose(&self, letter: &Letter<'_>) -> Mail;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_and_account_make_the_occasion() {
        let table = [
            (Purpose::Register, true, Occasion::AlreadyRegistered),
            (Purpose::Register, false, Occasion::Register),
            (Purpose::SignIn, true, Occasion::SignIn),
            (Purpose::SignIn, false, Occasion::NoAccount),
        ];
        for (purpose, has_account, occasion) in table {
            assert_eq!(Occasion::of(purpose, has_account), occasion);
        }
    }
}
