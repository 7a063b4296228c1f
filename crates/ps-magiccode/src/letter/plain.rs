//! Letters for whoever has no texts of their own.

use std::{fmt::Debug, time::Duration};

use ps_core::{Mail, Network, Paragraph};
use time::OffsetDateTime;

use super::{Letter, Letters, Occasion, english::English, spanish::Spanish};
use crate::Code;

/// Plain letters in the language that the request asks for, English or Spanish, as text and as HTML,
/// without links or pictures. Whoever asks for neither reads English.
///
/// The code stands first in the subject, so that a phone's notification shows it, and is the only
/// run of six to eight digits in the text (unless the site's name has one).
#[derive(Clone, Debug)]
pub struct PlainLetters {
    site: String,
}

/// The sentences of one language.
pub(super) trait Words {
    /// BCP 47.
    fn language(&self) -> &'static str;

    fn subject(&self, site: &str, code: Option<&Code>) -> String;

    fn opening(&self, site: &str, occasion: Occasion) -> String;

    /// What to do with a code that lives this long.
    fn instruction(&self, life: Duration) -> String;

    /// When and from where it was asked for; no time where it is beyond the calendar. Without a year,
    /// which would be nothing to a reader and digits to a program.
    fn origin(&self, at: Option<OffsetDateTime>, network: Network) -> String;
}

impl PlainLetters {
    /// Letters of this site: its name or public URL, as its users know it.
    #[must_use]
    pub fn new(site: impl Into<String>) -> Self {
        let mut site = site.into();
        site.retain(|c| !c.is_control());
        Self { site }
    }
}

impl Letters for PlainLetters {
    fn compose(&self, letter: &Letter<'_>) -> Mail {
        let words: &dyn Words = match letter.requester.language_of(&["en", "es"]) {
            Some("es") => &Spanish,
            _ => &English,
        };
        let mut paragraphs = vec![Paragraph::Text(words.opening(&self.site, letter.occasion))];
        if let Some(code) = letter.code {
            paragraphs.push(Paragraph::Code(code.expose()));
            paragraphs.push(Paragraph::Text(words.instruction(letter.expires_in)));
        }
        let at = OffsetDateTime::from_unix_timestamp(letter.requested_at.as_seconds()).ok();
        let network = Network::coarse(letter.requester.address);
        paragraphs.push(Paragraph::Text(words.origin(at, network)));
        let subject = words.subject(&self.site, letter.code);
        Mail::of_paragraphs(letter.to.clone(), subject, words.language(), &paragraphs)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ps_core::{
        ChallengeId, EmailAddress, KeyPurpose, Requester, RootSecret, RootSecrets, SystemRandom,
        Timestamp,
    };

    use super::*;
    use crate::{Challenge, Purpose};

    const OCCASIONS: [Occasion; 4] = [
        Occasion::AlreadyRegistered,
        Occasion::NoAccount,
        Occasion::Register,
        Occasion::SignIn,
    ];
    /// What is asked for, and read; with a stranger's text in it.
    const LANGUAGES: [(&str, &str); 2] = [("x-99999999, en", "en"), ("es-MX, x-99999999", "es")];

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

    fn requester(address: &str, languages: &str) -> Requester {
        Requester::new(address.parse::<IpAddr>().unwrap())
            .with_user_agent("Mozilla 20261122 <b>call 0800123</b>")
            .with_languages(languages)
            .with_request_id("88888888")
    }

    /// Every mail to a client in the network 203.0.113.0/24, and its language.
    fn every(site: &str) -> impl Iterator<Item = (Occasion, &'static str, Mail)> {
        let code = code(6);
        let all = OCCASIONS
            .into_iter()
            .flat_map(|o| LANGUAGES.map(|l| (o, l)));
        all.map(move |(occasion, (asked, read))| {
            let requester = requester("203.0.113.77", asked);
            (occasion, read, mail(site, occasion, &code, &requester))
        })
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
        for (occasion, address, (languages, _), digits) in OCCASIONS
            .into_iter()
            .flat_map(|o| networks.map(|n| (o, n)))
            .flat_map(|(o, n)| LANGUAGES.map(|l| (o, n, l)))
            .flat_map(|(o, n, l)| [(o, n, l, 6), (o, n, l, 8)])
        {
            let code = code(digits);
            let mail = mail("Example", occasion, &code, &requester(address, languages));
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
        for (occasion, language, mail) in every("Example") {
            let html = mail.html.unwrap();
            let said = match language {
                "es" => [
                    "a las 10:00 UTC del 22 de noviembre",
                    "la red 203.0.113.0/24",
                    "no hagas caso",
                    "durante 10 minutos",
                ],
                _ => [
                    "at 10:00 UTC on 22 Nov",
                    "the network 203.0.113.0/24",
                    "ignore",
                    "for 10 minutes",
                ],
            };
            let lives = occasion != Occasion::NoAccount;
            for words in said.into_iter().take(if lives { 4 } else { 3 }) {
                let is_said = mail.text.contains(words) && html.contains(words);
                assert!(is_said, "{words}: {}", mail.text);
            }
            assert!(mail.text.contains("Example") && mail.subject.contains("Example"));
            assert!(
                html.contains(&format!("<html lang=\"{language}\">")),
                "{html}"
            );
        }
    }

    #[test]
    fn it_is_in_the_language_that_is_liked_best_of_the_two() {
        let table = [
            (None, "en"),
            (Some("es"), "es"),
            (Some("es-419,es;q=0.9,en;q=0.8"), "es"),
            (Some("en-GB,es;q=0.9"), "en"),
            (Some("de"), "en"),
            (Some("de,es;q=0.1"), "es"),
            (Some("rubbish;;q=\u{1F600}"), "en"),
        ];
        for (languages, read) in table {
            let local = Requester::new([127, 0, 0, 1].into());
            let client = languages.map_or(local.clone(), |text| local.with_languages(text));
            let html = mail("Example", Occasion::SignIn, &code(6), &client).html;
            let tag = format!("<html lang=\"{read}\">");
            assert!(html.unwrap().contains(&tag), "{languages:?}");
        }
    }

    // MC18
    #[test]
    fn nothing_that_a_stranger_wrote_gets_into_a_mail() {
        for (_, _, mail) in every("Example") {
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
        for (occasion, _, mail) in every("A & <B>\r\nBcc: \"x\"'") {
            let name = "A & <B>Bcc: \"x\"'";
            assert!(mail.subject.ends_with(name), "{}", mail.subject);
            assert!(mail.text.contains(name), "{occasion:?}");
            let html = mail.html.unwrap();
            let escaped = "A &amp; &lt;B&gt;Bcc: &quot;x&quot;&#39;";
            assert!(html.contains(escaped) && !html.contains("<B>"), "{html}");
        }
    }

    #[test]
    fn a_time_beyond_the_calendar_is_left_out() {
        for (languages, _) in LANGUAGES {
            let text = PlainLetters::new("Example").compose(&Letter {
                occasion: Occasion::NoAccount,
                to: &EmailAddress::parse("alice@example.com").unwrap(),
                code: None,
                expires_in: Duration::from_secs(600),
                requested_at: Timestamp::from_millis(i64::MAX),
                requester: &requester("::1", languages),
            });
            assert!(!text.text.contains("UTC"), "{}", text.text);
        }
    }
}
