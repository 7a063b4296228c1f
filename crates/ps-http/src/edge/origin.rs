//! Origins: our own, those allowed, and the rule for requests that change something.

use std::{fmt, net::IpAddr, str};

use url::{Host, Url};

use super::{Edge, Head};
use crate::{Code, Problem};

/// Why a text cannot be the origin of a web site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a bare origin such as https://app.example.com")]
pub struct InvalidOrigin;

/// A web origin (RFC 6454): scheme, host and port, and nothing behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    url: Url,
    /// As a browser writes it: what is compared on every request.
    text: Box<str>,
}

impl Origin {
    /// Reads an origin such as `https://app.example.com` or `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for another scheme than `http` and `https`, for a user name, a path, a
    /// query or a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let bare = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let text = url.origin().ascii_serialization().into();
        bare.then_some(Self { url, text }).ok_or(InvalidOrigin)
    }

    /// Whether its scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether its host is this machine itself: `localhost`, `127.0.0.0/8` or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The port, the scheme's own where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// The URL of `path`, which begins with `/`, at this origin.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether a `Host` or `:authority` names this origin, its default port written or not.
    pub(crate) fn is_authority(&self, authority: &[u8]) -> bool {
        self.is_written(authority)
            || origin_of(self.url.scheme(), authority).is_some_and(|origin| origin == *self)
    }

    /// Whether an authority is this origin's to the byte, as it nearly always is: then nothing has
    /// to be parsed.
    pub(crate) fn is_written(&self, authority: &[u8]) -> bool {
        let behind_scheme = self.url.scheme().len() + "://".len();
        self.text.as_bytes().get(behind_scheme..) == Some(authority)
    }

    fn is_header(&self, value: &[u8]) -> bool {
        self.text.as_bytes() == value
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether an authority (`localhost:8080`, `[::1]`) names this machine itself.
pub(crate) fn is_loopback_authority(authority: &[u8]) -> bool {
    origin_of("http", authority).is_some_and(|origin| origin.is_loopback())
}

/// URL parsers drop tabs and newlines and cut paths off; a host name has none.
fn origin_of(scheme: &str, authority: &[u8]) -> Option<Origin> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'/';
    let plain = authority.iter().all(is_plain);
    let text = plain.then(|| str::from_utf8(authority).ok())??;
    let origin = Origin::parse(&format!("{scheme}://{text}"));
    origin.ok()
}

impl Edge {
    /// The rule for every request under `/api` that may change something: it comes from a page of
    /// ours, or from a program.
    ///
    /// `Sec-Fetch-Site`, where the browser sends it, must be `same-origin`, or `Origin` an allowed
    /// one; where it does not, `Origin`, if present, must be allowed. A program sends neither.
    pub(crate) fn require_origin(&self, head: &Head<'_>) -> Result<(), Problem> {
        if matches!(head.method, "GET" | "HEAD" | "OPTIONS") {
            return Ok(());
        }
        let (site, origin) = (head.fetch_site, head.origin);
        let is_repeated = site.is_repeated || origin.is_repeated;
        let same = |site: &[u8]| site == b"same-origin";
        let allowed =
            |value: &[u8]| self.is_own_origin(value) || self.allowed_origin(value).is_some();
        let passes = match (site.first, origin.first) {
            (Some(site), None) => same(site),
            (Some(site), Some(origin)) => same(site) || allowed(origin),
            (None, Some(origin)) => allowed(origin),
            (None, None) => true,
        } && !is_repeated;
        passes
            .then_some(())
            .ok_or_else(|| Problem::new(Code::OriginForbidden))
    }

    /// Whether an `Origin` header names our own pages. In development the loopback names are one.
    fn is_own_origin(&self, value: &[u8]) -> bool {
        if self.public_url.is_header(value) {
            return true;
        }
        let other = || Origin::parse(str::from_utf8(value).ok()?).ok();
        self.development
            && other().is_some_and(|origin| {
                origin.is_header(value)
                    && origin.is_loopback()
                    && !origin.is_https()
                    && origin.port() == self.public_url.port()
            })
    }

    /// The configured further origin that an `Origin` header names.
    pub(crate) fn allowed_origin(&self, value: &[u8]) -> Option<&Origin> {
        self.allowed_origins
            .iter()
            .find(|origin| origin.is_header(value))
    }
}

/// Whether an address is this machine itself.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_bare() {
        for text in [
            "https://app.example.com",
            "https://app.example.com/",
            "http://[::1]:8080",
        ] {
            assert!(Origin::parse(text).is_ok(), "{text}");
        }
        let refused = [
            "",
            "app.example.com",
            "ftp://app.example.com",
            "https://app.example.com/x",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://u@app.example.com",
            "https://u:p@app.example.com",
            "https://",
            "file:///",
        ];
        for text in refused {
            assert_eq!(Origin::parse(text), Err(InvalidOrigin), "{text}");
        }
    }

    #[test]
    fn an_authority_may_name_the_default_port() {
        let origin = Origin::parse("https://app.example.com").unwrap();
        for good in ["app.example.com", "APP.example.com", "app.example.com:443"] {
            assert!(origin.is_authority(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "app.example.com:80",
            "app.example.com.evil.org",
            "u@app.example.com",
            "app.example.com/",
            "app.example.com/x",
            "app.exam\tple.com",
            "app.example.com@evil.org",
        ] {
            assert!(!origin.is_authority(bad.as_bytes()), "{bad}");
        }
    }

    // SE24
    #[test]
    fn the_table() {
        let allowed = Origin::parse("https://admin.example.com").unwrap();
        let production = Edge::new(Origin::parse("https://app.example.com").unwrap())
            .unwrap()
            .with_allowed_origins([allowed]);
        let development =
            Edge::development(Origin::parse("http://127.0.0.1:8080").unwrap()).unwrap();
        let own = "https://app.example.com";
        let table: [(&Edge, Option<&str>, Option<&str>, bool); 22] = [
            (&production, None, None, true),
            (&production, Some("same-origin"), None, true),
            (&production, Some("same-origin"), Some(own), true),
            (&production, Some("same-origin"), Some("null"), true),
            (&production, Some("none"), None, false),
            (&production, Some("same-site"), None, false),
            (&production, Some("cross-site"), None, false),
            (
                &production,
                Some("cross-site"),
                Some("https://evil.example"),
                false,
            ),
            (
                &production,
                Some("same-site"),
                Some("https://admin.example.com"),
                true,
            ),
            (&production, Some("SAME-ORIGIN"), None, false),
            (&production, None, Some(own), true),
            (&production, None, Some("https://admin.example.com"), true),
            (&production, None, Some("null"), false),
            (
                &production,
                None,
                Some("https://app.example.com.evil.org"),
                false,
            ),
            (&production, None, Some("http://app.example.com"), false),
            (&production, None, Some("https://app.example.com/"), false),
            (&production, None, Some("http://localhost:8080"), false),
            (&development, None, Some("http://localhost:8080"), true),
            (&development, None, Some("http://[::1]:8080"), true),
            (&development, None, Some("http://localhost:8081"), false),
            (&development, None, Some("https://localhost:8080"), false),
            (
                &development,
                None,
                Some("http://localhost:8080.evil.org"),
                false,
            ),
        ];
        for (edge, site, origin, passes) in table {
            let sent = [("sec-fetch-site", site), ("origin", origin)];
            let sent = sent.map(|(name, value)| Some((name, value?.as_bytes())));
            let head = |method| Head::gather(method, "/", None, sent.into_iter().flatten());
            let judged = edge.require_origin(&head("POST")).is_ok();
            assert_eq!(judged, passes, "{site:?} {origin:?}");
            assert!(edge.require_origin(&head("GET")).is_ok());
        }
    }

    #[test]
    fn a_repeated_header_is_refused() {
        let edge = Edge::new(Origin::parse("https://app.example.com").unwrap()).unwrap();
        for name in ["origin", "sec-fetch-site"] {
            let values: [&[u8]; 2] = [b"https://app.example.com", b"same-origin"];
            let head = Head::gather("DELETE", "/", None, values.map(|value| (name, value)));
            assert!(edge.require_origin(&head).is_err(), "{name}");
        }
    }
}
