//! The edge: what is judged of a request before anything is done for it.

mod cookie;
mod cors;
mod credential;
mod forwarded;
mod head;
mod origin;

use std::net::SocketAddr;

use http::Uri;
use ps_core::Requester;

pub(crate) use cookie::reject_repeated_cookies;
#[cfg(feature = "session")]
pub(crate) use cookie::{Cookie, read_cookie};
#[cfg(feature = "session")]
pub(crate) use credential::access_token;
#[cfg(feature = "apikey")]
pub(crate) use credential::key_text;
pub(crate) use credential::{presents_key, reject_ambiguous};
pub use forwarded::{ForwardedFamily, TrustedProxies};
pub use head::Head;
pub use origin::{InvalidOrigin, Origin};
use origin::{is_loopback, is_loopback_authority};

use crate::{Code, Problem};

/// How a request reached this process: what only the adapter knows.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The other end of the TCP connection.
    pub peer: SocketAddr,
    /// Whether this process itself ended TLS on it.
    pub tls: bool,
}

/// Why an edge cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEdge {
    /// Outside development the public URL must be `https://`.
    #[error("the public URL must be https:// outside development")]
    PlainHttp,
    /// In development the public URL must be `http://` on a loopback host.
    #[error("the public URL of development must be http:// on a loopback host")]
    NotLoopback,
}

/// Where the service stands on the network: its public URL, whose pages may call it, which proxies
/// are believed.
///
/// Nothing of this is ever taken from a request: `Host` is compared and never used.
#[derive(Clone, Debug)]
pub struct Edge {
    public_url: Origin,
    allowed_origins: Vec<Origin>,
    proxies: TrustedProxies,
    development: bool,
}

impl Edge {
    /// A service at `public_url`, which takes no plain HTTP, believes no proxy and lets no other
    /// origin's pages call it.
    ///
    /// # Errors
    /// [`InvalidEdge::PlainHttp`] where the URL is not `https://`.
    pub fn new(public_url: Origin) -> Result<Self, InvalidEdge> {
        let edge = Self::with_public_url(public_url, false);
        edge.public_url
            .is_https()
            .then_some(edge)
            .ok_or(InvalidEdge::PlainHttp)
    }

    /// A service under development: plain HTTP from this machine is served, and whatever shows that
    /// somebody else can reach it (another `Host`, a proxy's header) is refused.
    ///
    /// # Errors
    /// [`InvalidEdge::NotLoopback`] where the URL is not `http://` on a loopback host.
    pub fn development(public_url: Origin) -> Result<Self, InvalidEdge> {
        let edge = Self::with_public_url(public_url, true);
        let local = edge.public_url.is_loopback() && !edge.public_url.is_https();
        local.then_some(edge).ok_or(InvalidEdge::NotLoopback)
    }

    fn with_public_url(public_url: Origin, development: bool) -> Self {
        Self {
            public_url,
            allowed_origins: Vec::new(),
            proxies: TrustedProxies::default(),
            development,
        }
    }

    /// Lets the pages of these origins call, cookies included (CORS).
    #[must_use]
    pub fn with_allowed_origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.allowed_origins.extend(origins);
        self
    }

    /// Believes these proxies about the client's address and scheme.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// What links, redirects and tokens are built from.
    #[must_use]
    pub fn public_url(&self) -> &Origin {
        &self.public_url
    }

    /// Whether this is [development](Self::development).
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// Who sent the request, and whether nobody could read it on the way.
    pub(crate) fn arrival(&self, head: &Head<'_>, on: Connection) -> Arrival {
        let hop = self.proxies.judge(head, on);
        let mut requester = Requester::new(hop.client);
        if let Some(agent) = head.user_agent.text() {
            requester = requester.with_user_agent(agent);
        }
        if let Some(languages) = head.languages.text() {
            requester = requester.with_languages(languages);
        }
        Arrival {
            requester,
            secure: hop.secure,
            from_proxy: hop.from_proxy,
            presents_key: false,
            from_this_machine: is_loopback(on.peer.ip()),
        }
    }

    /// HTTPS, then the host: the first two judgements on every request.
    pub(crate) fn require_place(&self, head: &Head<'_>, arrival: &Arrival) -> Result<(), Problem> {
        if is_probe(head.path) {
            return Ok(());
        }
        let is_local = self.development && arrival.from_this_machine;
        if !(arrival.secure || is_local) {
            return Err(Problem::new(Code::HttpsRequired));
        }
        let authority = authority(head);
        if self.development {
            let local = authority.is_some_and(|written| {
                self.public_url.is_written(written) || is_loopback_authority(written)
            });
            if !local || !head.of_proxies.is_empty() {
                return Err(Problem::new(Code::DevelopmentOnly));
            }
        } else if !authority.is_some_and(|written| self.public_url.is_authority(written)) {
            return Err(Problem::new(Code::MisdirectedRequest));
        }
        Ok(())
    }

    /// Where the request should have been sent, if it was not to the public URL's own name: in
    /// development the other loopback names reach us too, in production none does.
    pub(crate) fn elsewhere(&self, head: &Head<'_>, target: &Uri) -> Option<String> {
        let is_here = |written| self.public_url.is_authority(written);
        if !self.development || authority(head).is_some_and(is_here) {
            return None;
        }
        let path = target.path_and_query().map_or("/", |path| path.as_str());
        Some(self.public_url.url(path))
    }
}

/// What the edge found out about a request.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) requester: Requester,
    /// Whether the client spoke TLS, to us or to a proxy that we believe.
    pub(crate) secure: bool,
    /// Whether a proxy that we believe handed it on.
    pub(crate) from_proxy: bool,
    /// Whether it presents an API key, good or not.
    pub(crate) presents_key: bool,
    from_this_machine: bool,
}

/// The paths that API calls come to.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The paths that a load balancer asks without TLS and without a name.
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// The one authority that a request names, as it was written: of its target, or else of `Host`; none
/// where they differ or `Host` is repeated.
fn authority<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    if head.host.is_repeated {
        return None;
    }
    match (head.authority.map(str::as_bytes), head.host.first) {
        (Some(target), Some(host)) if !target.eq_ignore_ascii_case(host) => None,
        (Some(target), _) => Some(target),
        (None, host) => host,
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, request::Parts};

    use super::*;

    fn head(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn judge(
        edge: &Edge,
        tls: bool,
        peer: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), Code> {
        let head = head(path, headers);
        let head = Head::from(&head);
        let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        let arrival = edge.arrival(&head, Connection { peer, tls });
        edge.require_place(&head, &arrival)
            .map_err(|problem| problem.code())
    }

    // HT1, HT3
    #[test]
    fn outside_development_only_https_under_its_own_name() {
        let edge = Edge::new(Origin::parse("https://app.example.com").unwrap()).unwrap();
        let host = ("host", "app.example.com");
        let far = "203.0.113.9";
        let table = [
            (true, "/api", vec![host], Ok(())),
            (false, "/api", vec![host], Err(Code::HttpsRequired)),
            (
                false,
                "/api",
                vec![host, ("x-forwarded-proto", "https")],
                Err(Code::HttpsRequired),
            ),
            (
                false,
                "/api",
                vec![host, ("forwarded", "proto=https")],
                Err(Code::HttpsRequired),
            ),
            (false, "/healthz", vec![], Ok(())),
            (false, "/readyz", vec![("host", "10.0.0.7")], Ok(())),
            (false, "/healthz/", vec![host], Err(Code::HttpsRequired)),
            (true, "/api", vec![], Err(Code::MisdirectedRequest)),
            (
                true,
                "/api",
                vec![("host", "evil.example")],
                Err(Code::MisdirectedRequest),
            ),
            (
                true,
                "/api",
                vec![host, ("host", "app.example.com")],
                Err(Code::MisdirectedRequest),
            ),
            (true, "/api", vec![("host", "app.example.com:443")], Ok(())),
            (
                true,
                "/api",
                vec![
                    ("host", "evil.example"),
                    ("x-forwarded-host", "app.example.com"),
                ],
                Err(Code::MisdirectedRequest),
            ),
            (
                true,
                "https://evil.example/api",
                vec![host],
                Err(Code::MisdirectedRequest),
            ),
            (true, "https://app.example.com/api", vec![host], Ok(())),
            (true, "https://app.example.com/api", vec![], Ok(())),
        ];
        for (tls, path, headers, verdict) in table {
            assert_eq!(
                judge(&edge, tls, far, path, &headers),
                verdict,
                "{tls} {path} {headers:?}"
            );
        }
        assert_eq!(
            judge(&edge, false, "127.0.0.1", "/api", &[host]),
            Err(Code::HttpsRequired)
        );
    }

    #[test]
    fn development_is_for_this_machine_only() {
        let edge = Edge::development(Origin::parse("http://127.0.0.1:8080").unwrap()).unwrap();
        let near = "127.0.0.1";
        for name in [
            "127.0.0.1:8080",
            "localhost:8080",
            "[::1]:8080",
            "localhost",
        ] {
            assert_eq!(
                judge(&edge, false, near, "/api", &[("host", name)]),
                Ok(()),
                "{name}"
            );
            let mapped = judge(&edge, false, "::ffff:127.0.0.1", "/api", &[("host", name)]);
            assert_eq!(mapped, Ok(()), "{name}");
        }
        let host = ("host", "127.0.0.1:8080");
        for (name, value) in [
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-port", "1"),
            ("via", "1.1 x"),
        ] {
            let judged = judge(&edge, false, near, "/api", &[host, (name, value)]);
            assert_eq!(judged, Err(Code::DevelopmentOnly), "{name}");
        }
        for name in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
        ] {
            let judged = judge(&edge, false, near, "/api", &[("host", name)]);
            assert_eq!(judged, Err(Code::DevelopmentOnly), "{name}");
        }
        assert_eq!(
            judge(&edge, false, "203.0.113.9", "/api", &[host]),
            Err(Code::HttpsRequired)
        );
    }

    #[test]
    fn an_unsafe_public_url_makes_no_edge() {
        let origin = |text| Origin::parse(text).unwrap();
        assert_eq!(
            Edge::new(origin("http://app.example.com")).unwrap_err(),
            InvalidEdge::PlainHttp
        );
        assert_eq!(
            Edge::new(origin("http://127.0.0.1")).unwrap_err(),
            InvalidEdge::PlainHttp
        );
        for text in [
            "http://app.example.com",
            "https://127.0.0.1",
            "http://10.0.0.1",
        ] {
            assert_eq!(
                Edge::development(origin(text)).unwrap_err(),
                InvalidEdge::NotLoopback,
                "{text}"
            );
        }
    }
}
