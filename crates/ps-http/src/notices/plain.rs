//! Notices for whoever has no texts of their own.

use ps_core::{Mail, Network, Paragraph};
use time::OffsetDateTime;

use super::{Notice, NoticeLetters, Occurrence, english::English, spanish::Spanish};

/// Plain notices in the language of the request that they tell of, English or Spanish, as text and
/// as HTML, without links or pictures. Whoever asks for neither reads English.
#[derive(Clone, Debug)]
pub struct PlainNotices {
    site: String,
}

/// The sentences of one language.
pub(super) trait Words {
    /// BCP 47.
    fn language(&self) -> &'static str;

    /// The subject, and what was done.
    fn news(&self, site: &str, occurrence: &Occurrence) -> (String, String);

    /// When and from where it was done, and how it is undone; no time where it is beyond the calendar.
    fn origin(&self, at: Option<OffsetDateTime>, from: Network, occurrence: &Occurrence) -> String;
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
        let words: &dyn Words = match notice.requester.language_of(&["en", "es"]) {
            Some("es") => &Spanish,
            _ => &English,
        };
        let (subject, news) = words.news(&self.site, notice.occurrence);
        let at = OffsetDateTime::from_unix_timestamp(notice.at.as_seconds()).ok();
        let network = Network::coarse(notice.requester.address);
        let origin = words.origin(at, network, notice.occurrence);
        let paragraphs = [news, origin].map(Paragraph::Text);
        Mail::of_paragraphs(notice.to.clone(), subject, words.language(), &paragraphs)
    }
}

#[cfg(test)]
mod tests {
    use ps_core::{EmailAddress, Requester, Timestamp};

    use super::*;

    fn mail(occurrence: &Occurrence, languages: &str) -> Mail {
        let requester = Requester::new([203, 0, 113, 77].into())
            .with_user_agent("<b>Mozilla")
            .with_languages(languages);
        PlainNotices::new("https://app.example\r\nBcc: x").compose(&Notice {
            occurrence,
            to: &EmailAddress::parse("alice@example.com").unwrap(),
            at: Timestamp::from_seconds(1_795_341_600),
            requester: &requester,
        })
    }

    fn occurrences() -> [Occurrence; 7] {
        let google = || "A&B".to_owned();
        let signed_in = |new_browser, after_failures| Occurrence::SignedIn {
            new_browser,
            after_failures,
        };
        [
            Occurrence::Linked(google()),
            Occurrence::PasswordChanged,
            Occurrence::Registered(google()),
            Occurrence::Unlinked(google()),
            signed_in(true, false),
            signed_in(true, true),
            signed_in(false, true),
        ]
    }

    // OA19, MC23
    #[test]
    fn a_notice_says_what_when_and_from_where() {
        let english = [
            "A&B now signs you in to",
            "password",
            "Welcome",
            "A&B no longer signs you in to",
            "New sign-in to",
            "New sign-in to",
            "New sign-in to",
        ];
        let spanish = [
            "Ahora puedes entrar con A&B en",
            "contraseña",
            "Te damos la bienvenida",
            "Ya no puedes entrar con A&B en",
            "Nuevo inicio de sesión en",
            "Nuevo inicio de sesión en",
            "Nuevo inicio de sesión en",
        ];
        let in_english =
            "on 2026-11-22 at 10:00 UTC from the network 203.0.113.0/24. If it was not you";
        let in_spanish =
            "el 22/11/2026 a las 10:00 UTC desde la red 203.0.113.0/24. Si no fuiste tú";
        for (languages, read, subjects, origin) in [
            ("en", "en", english, in_english),
            ("de", "en", english, in_english),
            ("es-AR, en;q=0.3", "es", spanish, in_spanish),
        ] {
            for (occurrence, words) in occurrences().into_iter().zip(subjects) {
                let Mail {
                    subject,
                    text,
                    html,
                    ..
                } = mail(&occurrence, languages);
                assert!(subject.contains(words), "{subject}");
                assert!(subject.contains("https://app.exampleBcc: x"), "{subject}");
                assert!(!subject.contains(['\r', '\n']));
                assert!(text.contains(origin), "{text}");
                assert!(!text.contains("Mozilla") && !text.contains("113.77"));
                let html = html.unwrap();
                assert!(html.contains(&format!("<html lang=\"{read}\">")), "{html}");
                assert!(html.contains(origin), "{html}");
                assert!(!html.contains("Mozilla") && !html.contains("A&B"), "{html}");
            }
        }
    }

    // MC23
    #[test]
    fn a_sign_in_is_told_with_what_is_unlike_the_others() {
        let tells = |languages, new_browser, after_failures| {
            let occurrence = Occurrence::SignedIn {
                new_browser,
                after_failures,
            };
            mail(&occurrence, languages).text
        };
        for (languages, browser, failures) in [
            ("en", "with a browser that had not", "attempts that failed"),
            ("es", "con un navegador que no", "intentos fallidos"),
        ] {
            for (new_browser, after_failures) in [(true, false), (true, true), (false, true)] {
                let text = tells(languages, new_browser, after_failures);
                assert_eq!(text.contains(browser), new_browser, "{text}");
                assert_eq!(text.contains(failures), after_failures, "{text}");
            }
        }
    }

    #[test]
    fn no_notice_can_be_taken_for_a_code() {
        for languages in ["en", "es"] {
            for occurrence in occurrences() {
                let text = mail(&occurrence, languages).text;
                let runs = text.split(|c: char| !c.is_ascii_digit());
                assert!(runs.into_iter().all(|run| run.len() < 6), "{text}");
            }
        }
    }
}
