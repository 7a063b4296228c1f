//! What the mails say.

use std::{fmt, time::Duration};

use ps_core::{EmailAddress, Mail, Network, Requester, Timestamp};
use time::OffsetDateTime;

use crate::{Code, Purpose};

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
    /// Who asked for it. What a client says of itself is a stranger's text, and a mail in your name
    /// is a good place for one: show the network, not the user agent.
    pub requester: &'a Requester,
}

/// Writes the mails. Implement it for texts of your own.
pub trait Letters: fmt::Debug + Send + Sync + 'static {
    /// Writes one. It is called where mails are sent, off every request's path.
    ///
    /// *Security*: whatever is returned is sent to [`Letter::to`] and to nobody else. Build links
    /// only from the site's configured URL.
    fn compose(&self, letter: &Letter<'_>) -> Mail;
}

/// Plain letters in English, as text and as HTML, without links or pictures.
///
/// The code stands first in the subject, so that a phone's notification shows it, and is the only
/// run of six to eight digits in the text (unless the site's name has one).
#[derive(Clone, Debug)]
pub struct PlainLetters {
    site: String,
}

impl PlainLetters {
    /// Letters of this site: its name or public URL, as its users know it.
    #[must_use]
    pub fn new(site: impl Into<String>) -> Self {
        let mut site = site.into();
        site.retain(|c| !c.is_control());
        Self { site }
    }

    fn subject(&self, code: Option<&Code>) -> String {
        let site = &self.site;
        match code {
            Some(code) => format!("{} is your code for {site}", code.expose()),
            None => format!("You have no account at {site}"),
        }
    }

    fn opening(&self, occasion: Occasion) -> String {
        let site = &self.site;
        match occasion {
            Occasion::AlreadyRegistered => format!(
                "You asked to register with {site}, where this address already has an account. \
                 This code signs you in to it:"
            ),
            Occasion::NoAccount => format!(
                "You asked to sign in to {site}, where this address has no account, so there is \
                 no code in this mail. Sign in with another address, or register first."
            ),
            Occasion::Register => format!("Your code to register with {site}:"),
            Occasion::SignIn => format!("Your code to sign in to {site}:"),
        }
    }
}

impl Letters for PlainLetters {
    fn compose(&self, letter: &Letter<'_>) -> Mail {
        let mut paragraphs = vec![Paragraph::Plain(self.opening(letter.occasion))];
        if let Some(code) = letter.code {
            paragraphs.push(Paragraph::Code(code));
            paragraphs.push(Paragraph::Plain(format!(
                "Type it where you asked for it. It works once, and for {}. Give it to nobody.",
                minutes(letter.expires_in)
            )));
        }
        paragraphs.push(Paragraph::Plain(format!(
            "This was asked for{} from the network {}. If it was not you, ignore this mail.",
            moment(letter.requested_at),
            Network::coarse(letter.requester.address)
        )));
        Mail {
            to: letter.to.clone(),
            subject: self.subject(letter.code),
            text: text(&paragraphs),
            html: Some(html(&paragraphs)),
        }
    }
}

enum Paragraph<'a> {
    Plain(String),
    Code(&'a Code),
}

fn text(paragraphs: &[Paragraph<'_>]) -> String {
    let lines: Vec<&str> = paragraphs
        .iter()
        .map(|paragraph| match paragraph {
            Paragraph::Plain(text) => text,
            Paragraph::Code(code) => code.expose(),
        })
        .collect();
    lines.join("\n\n") + "\n"
}

fn html(paragraphs: &[Paragraph<'_>]) -> String {
    let mut page = "<!doctype html>\n<meta charset=\"utf-8\">\n".to_owned();
    for paragraph in paragraphs {
        page += &match paragraph {
            Paragraph::Plain(text) => format!("<p>{}</p>\n", escaped(text)),
            Paragraph::Code(code) => format!(
                "<p style=\"font: bold 2em monospace; letter-spacing: .1em\">{}</p>\n",
                code.expose()
            ),
        };
    }
    page
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            _ => safe.push(c),
        }
    }
    safe
}

/// Whole minutes, rounded down: better to be early than to type a dead code.
fn minutes(span: Duration) -> String {
    match span.as_secs() / 60 {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        n => format!("{n} minutes"),
    }
}

/// ` at 10:00 UTC on 22 Nov`: no year, which would be nothing to a reader and digits to a program.
fn moment(at: Timestamp) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at.as_seconds()) else {
        return String::new(); // beyond the calendar
    };
    let month = at.month().to_string();
    format!(
        " at {:02}:{:02} UTC on {} {}",
        at.hour(),
        at.minute(),
        at.day(),
        &month[..3]
    )
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ps_core::{ChallengeId, KeyPurpose, RootSecret, RootSecrets, SystemRandom};

    use super::*;
    use crate::Challenge;

    const OCCASIONS: [Occasion; 4] = [
        Occasion::AlreadyRegistered,
        Occasion::NoAccount,
        Occasion::Register,
        Occasion::SignIn,
    ];

    fn code(digits: u8) -> Code {
        let root = RootSecret::new(*b"thirty-two bytes, made at random").unwrap();
        let keys = RootSecrets::new([root])
            .unwrap()
            .mac_keys(KeyPurpose::MagicCode);
        let challenge = Challenge {
            id: ChallengeId::random(&SystemRandom),
            purpose: Purpose::SignIn,
            email: EmailAddress::parse("alice@example.com").unwrap(),
            digits,
            key_version: keys.current().0,
            attempts_left: 5,
            mailed_at: Timestamp::from_seconds(0),
            expires_at: Timestamp::from_seconds(600),
        };
        Code::derive(&keys, &challenge).unwrap()
    }

    fn mail(site: &str, occasion: Occasion, code: &Code, requester: &Requester) -> Mail {
        PlainLetters::new(site).compose(&Letter {
            occasion,
            to: &EmailAddress::parse("123456@example.com").unwrap(),
            code: (occasion != Occasion::NoAccount).then_some(code),
            expires_in: Duration::from_secs(600),
            requested_at: Timestamp::from_seconds(1_795_341_600),
            requester,
        })
    }

    fn runs(text: &str) -> Vec<&str> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|run| (6..=8).contains(&run.len()))
            .collect()
    }

    fn requester(address: &str) -> Requester {
        Requester::new(address.parse::<IpAddr>().unwrap())
            .with_user_agent("Mozilla 20261122 <b>call 0800123</b>")
            .with_languages("99999999")
            .with_request_id("88888888")
    }

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

    // MC18
    #[test]
    fn the_code_is_the_only_run_of_digits_and_stands_first() {
        let networks = [
            "203.0.113.77",
            "255.255.255.255",
            "2001:1234:5678:9999::1",
            "::1",
        ];
        for (occasion, address, digits) in OCCASIONS
            .into_iter()
            .flat_map(|o| networks.map(|n| (o, n)))
            .flat_map(|(o, n)| [(o, n, 6), (o, n, 8)])
        {
            let code = code(digits);
            let mail = mail("Example", occasion, &code, &requester(address));
            if occasion == Occasion::NoAccount {
                assert_eq!(runs(&mail.text), [""; 0], "{}", mail.text);
                assert!(!mail.html.unwrap().contains(code.expose()));
            } else {
                assert_eq!(runs(&mail.text), [code.expose()], "{}", mail.text);
                assert!(mail.subject.starts_with(code.expose()));
                assert!(mail.html.unwrap().contains(code.expose()));
            }
        }
    }

    // MC18
    #[test]
    fn it_says_which_site_for_how_long_when_and_from_where() {
        for occasion in OCCASIONS {
            let mail = mail("Example", occasion, &code(6), &requester("203.0.113.77"));
            let html = mail.html.unwrap();
            let mut said = vec![
                "Example",
                "10:00 UTC on 22 Nov",
                "network 203.0.113.0/24",
                "ignore",
            ];
            if occasion != Occasion::NoAccount {
                said.push("for 10 minutes");
            }
            for words in said {
                assert!(
                    mail.text.contains(words) && html.contains(words),
                    "{words}: {}",
                    mail.text
                );
            }
            assert!(mail.subject.contains("Example"));
        }
    }

    // MC18
    #[test]
    fn nothing_that_a_stranger_wrote_gets_into_a_mail() {
        for occasion in OCCASIONS {
            let mail = mail("Example", occasion, &code(6), &requester("203.0.113.77"));
            let whole = format!("{}{}{}", mail.subject, mail.text, mail.html.unwrap());
            for words in [
                "Mozilla", "0800123", "99999999", "88888888", "113.77", "123456@",
            ] {
                assert!(!whole.contains(words), "{words}: {whole}");
            }
        }
    }

    #[test]
    fn the_name_of_the_site_is_one_line_and_escaped() {
        let site = "A & <B>\r\nBcc: \"x\"'";
        let mail = mail(site, Occasion::SignIn, &code(6), &requester("::1"));
        assert!(mail.subject.ends_with("A & <B>Bcc: \"x\"'"));
        assert!(mail.text.contains("A & <B>Bcc: \"x\"'"));
        let html = mail.html.unwrap();
        assert!(
            html.contains("A &amp; &lt;B&gt;Bcc: &quot;x&quot;&#39;:</p>"),
            "{html}"
        );
    }

    #[test]
    fn minutes_are_whole_and_never_too_many() {
        let table = [
            (0, "less than a minute"),
            (59_999, "less than a minute"),
            (60_000, "1 minute"),
            (599_999, "9 minutes"),
            (600_000, "10 minutes"),
        ];
        for (millis, text) in table {
            assert_eq!(minutes(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_moment_is_told_by_the_calendar() {
        let table = [
            (1_795_341_600_000, " at 10:00 UTC on 22 Nov"),
            (1_709_254_799_999, " at 00:59 UTC on 1 Mar"),
            (-1, " at 23:59 UTC on 31 Dec"),
            (i64::MAX, ""),
        ];
        for (millis, text) in table {
            assert_eq!(moment(Timestamp::from_millis(millis)), text);
        }
    }
}
