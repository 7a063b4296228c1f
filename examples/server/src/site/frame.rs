//! What stands around every page.

use http::header;
use ps_http::Call;

use super::{
    language::Language,
    words::{Words, words},
};

/// What every template is given.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) t: &'static Words,
    pub(super) lang: &'static str,
    pub(super) path: String,
    /// The same page in the other languages.
    pub(super) others: Vec<Other>,
    /// Whether the browser says that it has a session, so that the page opens as it will stay. A
    /// browser that comes from another site keeps that to itself, so this decides nothing.
    pub(super) expects_session: bool,
    /// Whether this is one of the dashboard's pages, and not one of development's own.
    pub(super) is_live: bool,
}

/// A page in another language.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) lang: &'static str,
    pub(super) name: &'static str,
    pub(super) href: String,
}

impl Frame {
    pub(super) fn new(call: &Call, language: Language) -> Self {
        let uri = &call.head().uri;
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        let others = others.map(|other| Other {
            lang: other.code(),
            name: words(other).say("language"),
            href: href(uri.path(), uri.query().unwrap_or_default(), other),
        });
        Self {
            t: words(language),
            lang: language.code(),
            path: uri.path().to_owned(),
            others: others.collect(),
            expects_session: shows_session(call),
            is_live: true,
        }
    }

    /// Around what is only for whoever develops: in English, with nothing that moves.
    pub(super) fn bare() -> Self {
        Self {
            t: words(Language::English),
            lang: Language::English.code(),
            path: String::new(),
            others: Vec::new(),
            expects_session: false,
            is_live: false,
        }
    }

    /// A text of the page's language.
    pub(super) fn say<'a>(&self, key: &'a str) -> &'a str
    where
        'static: 'a,
    {
        self.t.say(key)
    }

    /// The attribute of a link to `path`, where this is that page.
    pub(super) fn current(&self, path: &str) -> &'static str {
        if self.path == path { "page" } else { "false" }
    }
}

fn href(path: &str, query: &str, language: Language) -> String {
    let start = path.len() + 1;
    let mut link = form_urlencoded::Serializer::for_suffix(format!("{path}?"), start);
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
    link.extend_pairs(kept)
        .append_pair("lang", language.code())
        .finish()
}

fn shows_session(call: &Call) -> bool {
    let cookies = call.head().headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.any(|pair| {
        let name = pair.trim().split('=').next().unwrap_or_default();
        matches!(name, "__Host-ps_refresh" | "ps_refresh")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_language_is_the_same_page() {
        for (query, expected) in [
            ("", "/sign-in?lang=es"),
            ("lang=en", "/sign-in?lang=es"),
            (
                "error=access_denied&lang=en&return_to=%2Fsettings%2Fapi",
                "/sign-in?error=access_denied&return_to=%2Fsettings%2Fapi&lang=es",
            ),
        ] {
            assert_eq!(href("/sign-in", query, Language::Spanish), expected);
        }
    }
}
