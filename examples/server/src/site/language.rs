//! Which language a page is in: the one asked for by `?lang=`, else the one asked for last, else the
//! one that the browser likes best.

use http::{HeaderMap, HeaderValue, header};
use ps_core::Requester;

const COOKIE: &str = "lang";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// By its BCP 47 code, whatever the region.
    pub(super) fn of(tag: &str) -> Option<Self> {
        let language = tag.trim().split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|known| known.code().eq_ignore_ascii_case(language))
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// What the browser has asked for before, or likes best (RFC 9110 §12.5.4); English, if neither is
/// known here.
pub(super) fn chosen(headers: &HeaderMap, requester: &Requester) -> Language {
    let cookies = headers.get_all(header::COOKIE).iter();
    let before = cookies
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| Language::of(value).filter(|_| name == COOKIE));
    let liked = || requester.language_of(&Language::ALL.map(Language::code));
    before
        .or_else(|| Language::of(liked()?))
        .unwrap_or(Language::English)
}

/// A cookie that remembers the language for a year. It is no secret, and says nothing of anybody.
pub(super) fn remembering(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::English => "lang=en; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        Language::Spanish => "lang=es; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> Requester {
        Requester::new([127, 0, 0, 1].into())
    }

    #[test]
    fn the_last_wish_goes_before_what_the_browser_likes() {
        let (en, es) = (Language::English, Language::Spanish);
        for (cookie, accepted, expected) in [
            ("", "", en),
            ("", "es", es),
            ("", "es-MX,es;q=0.9,en;q=0.8", es),
            ("", "de", en),
            ("lang=es", "en", es),
            ("other=es; lang=es", "en", es),
            ("lang=de", "es", es),
            ("language=es", "en", en),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            let browser = browser().with_languages(accepted);
            assert_eq!(
                chosen(&headers, &browser),
                expected,
                "{cookie:?} {accepted:?}"
            );
        }
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        for language in Language::ALL {
            let cookie = remembering(language);
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pair.parse().unwrap());
            assert_eq!(chosen(&headers, &browser()), language);
        }
    }
}
