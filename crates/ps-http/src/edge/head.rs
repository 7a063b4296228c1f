//! The head of a request, as far as it is judged.

use std::{fmt, str};

use http::request::Parts;

/// What the edge reads of a request's head, gathered in one walk over its headers and borrowed from
/// whatever holds them.
///
/// It is made [`from`](From) the `http` crate's [`Parts`], or [gathered](Self::gather) from a framework
/// that has types of its own, so that nothing has to be converted that is only to be judged.
pub struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Of the target, where the target names one.
    pub(super) authority: Option<&'a str>,
    pub(super) host: Sent<'a>,
    pub(super) user_agent: Sent<'a>,
    pub(super) languages: Sent<'a>,
    pub(super) api_key: Sent<'a>,
    pub(super) authorization: Sent<'a>,
    pub(super) origin: Sent<'a>,
    pub(super) fetch_site: Sent<'a>,
    request_id: Sent<'a>,
    pub(super) cookies: Vec<&'a [u8]>,
    /// Every header that only a proxy writes, by name.
    pub(super) of_proxies: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Head<'a> {
    /// Reads a head: its method, the path and the authority of its target as they were sent, and its
    /// headers, each name in lower case and once for each of its values, these in their order.
    pub fn gather(
        method: &'a str,
        path: &'a str,
        authority: Option<&'a str>,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let none = Sent::default();
        let mut head = Self {
            method,
            path,
            authority,
            host: none,
            user_agent: none,
            languages: none,
            api_key: none,
            authorization: none,
            origin: none,
            fetch_site: none,
            request_id: none,
            cookies: Vec::new(),
            of_proxies: Vec::new(),
        };
        for (name, value) in headers {
            head.add(name, value);
        }
        head
    }

    /// What it is called by whoever sent it, which counts where a proxy of ours did.
    pub(crate) fn request_id(&self) -> Option<&'a str> {
        self.request_id.text()
    }

    fn add(&mut self, name: &'a str, value: &'a [u8]) {
        match name {
            "accept-language" => self.languages.add(value),
            "authorization" => self.authorization.add(value),
            "cookie" => self.cookies.push(value),
            "host" => self.host.add(value),
            "origin" => self.origin.add(value),
            "sec-fetch-site" => self.fetch_site.add(value),
            "user-agent" => self.user_agent.add(value),
            "x-api-key" => self.api_key.add(value),
            "x-request-id" => self.request_id.add(value),
            "forwarded" | "via" => self.of_proxies.push((name, value)),
            name if name.starts_with("x-forwarded-") => self.of_proxies.push((name, value)),
            _ => {}
        }
    }
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(head: &'a Parts) -> Self {
        let headers = head.headers.iter();
        Self::gather(
            head.method.as_str(),
            head.uri.path(),
            head.uri.authority().map(|authority| authority.as_str()),
            headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
        )
    }
}

/// Credentials and cookies stand in it.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Head(…)")
    }
}

/// The values of a header that belongs there once at most.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent<'a> {
    pub(super) first: Option<&'a [u8]>,
    pub(super) is_repeated: bool,
}

impl<'a> Sent<'a> {
    fn add(&mut self, value: &'a [u8]) {
        self.is_repeated = self.first.is_some();
        self.first = self.first.or(Some(value));
    }

    /// The first value, where it is visible ASCII.
    pub(super) fn text(self) -> Option<&'a str> {
        visible(self.first?)
    }
}

/// A header's value as text, where it is visible ASCII, spaces and tabs.
pub(super) fn visible(value: &[u8]) -> Option<&str> {
    let is_visible = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let text = str::from_utf8(value).ok()?;
    value.iter().all(is_visible).then_some(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The head of a `GET /` with these headers.
    pub(crate) fn with<'a>(lines: &[(&'a str, &'a str)]) -> Head<'a> {
        let headers = lines.iter().map(|(name, value)| (*name, value.as_bytes()));
        Head::gather("GET", "/", None, headers)
    }

    #[test]
    fn the_first_of_several_is_kept_and_that_there_are_several() {
        let head = with(&[("host", "a"), ("origin", "b"), ("host", "c"), ("host", "d")]);
        assert_eq!((head.host.text(), head.host.is_repeated), (Some("a"), true));
        assert_eq!(
            (head.origin.text(), head.origin.is_repeated),
            (Some("b"), false)
        );
        assert!(head.fetch_site.first.is_none());
    }

    #[test]
    fn every_line_of_a_list_is_kept() {
        let lines = [
            ("cookie", "a=b"),
            ("x-forwarded-for", "1"),
            ("via", "2"),
            ("x-forwarded-port", "3"),
            ("forwarded", "4"),
            ("cookie", "c=d"),
            ("x_forwarded_for", "5"),
        ];
        let head = with(&lines);
        assert_eq!(head.cookies, [b"a=b", b"c=d"]);
        assert_eq!(
            head.of_proxies
                .iter()
                .map(|(_, value)| value[0])
                .collect::<Vec<_>>(),
            b"1234"
        );
    }

    #[test]
    fn only_visible_ascii_is_text() {
        for (value, is_text) in [
            ("a b\t~", true),
            ("", true),
            ("a\u{7f}", false),
            ("é", false),
        ] {
            assert_eq!(visible(value.as_bytes()).is_some(), is_text, "{value:?}");
        }
        assert_eq!(visible(b"\xff"), None);
    }

    #[test]
    fn nothing_that_was_sent_is_printed() {
        let head = with(&[("authorization", "Bearer secret"), ("cookie", "a=secret")]);
        assert!(!format!("{head:?}").contains("secret"));
    }
}
