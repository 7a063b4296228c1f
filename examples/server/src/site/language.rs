//! Which language a page is in: the one asked for by `?lang=`, else the one asked for last, else the
//! one that the browser likes best.

use http::{HeaderMap, HeaderValue, header};

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
pub(super) fn chosen(headers: &HeaderMap) -> Language {
    let before = lines(headers, &header::COOKIE)
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| Language::of(value).filter(|_| name == COOKIE));
    before
        .or_else(|| liked(headers))
        .unwrap_or(Language::English)
}

/// A cookie that remembers the language for a year. It is no secret, and says nothing of anybody.
pub(super) fn remembering(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::English => "lang=en; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        Language::Spanish => "lang=es; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
    })
}

fn liked(headers: &HeaderMap) -> Option<Language> {
    let ranges = lines(headers, &header::ACCEPT_LANGUAGE).flat_map(|line| line.split(','));
    let known = ranges.filter_map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
        Some((Language::of(tag)?, weight)).filter(|_| weight > 0.0)
    });
    // Of two that are liked as well, the first.
    let best = known.reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.map(|(language, _)| language)
}

fn lines<'a>(
    headers: &'a HeaderMap,
    name: &'a header::HeaderName,
) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter();
    values.filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wish_goes_before_what_the_browser_likes() {
        let (en, es) = (Language::English, Language::Spanish);
        for (cookie, accepted, expected) in [
            ("", "", en),
            ("", "es", es),
            ("", "es-MX,es;q=0.9,en;q=0.8", es),
            ("", "de,en;q=0.5,es;q=0.9", es),
            ("", "de, en;q=0.5, es;q=0.5", en),
            ("", "es;q=0", en),
            ("", "es;q=x", en),
            ("", "estonian", en),
            ("", "ES-419", es),
            ("lang=es", "en", es),
            ("other=es; lang=es", "en", es),
            ("lang=de", "es", es),
            ("language=es", "en", en),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(chosen(&headers), expected, "{cookie:?} {accepted:?}");
        }
    }

    #[test]
    fn what_is_remembered_is_read_again() {
        for language in Language::ALL {
            let cookie = remembering(language);
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pair.parse().unwrap());
            assert_eq!(chosen(&headers), language);
        }
    }
}
