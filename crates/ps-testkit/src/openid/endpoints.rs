//! Where the provider's endpoints are.

use http::Uri;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Authorize,
    Discovery,
    Elsewhere,
    Jwks,
    StrangersDiscovery,
    StrangersJwks,
    Token,
    Userinfo,
}

/// The endpoints of one issuer, as URLs.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) authorize: String,
    pub(super) discovery: String,
    pub(super) jwks: String,
    pub(super) token: String,
    pub(super) userinfo: String,
    /// The stranger is an issuer too: below this one, for want of a host of its own.
    pub(super) stranger: String,
}

impl Endpoints {
    /// Those of Google and LinkedIn are where they really are; all others stand below the issuer.
    pub(super) fn of(issuer: &str) -> Self {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let below = |path: &str| format!("{base}/{path}");
        let (authorize, token, userinfo, jwks) = match issuer {
            "https://accounts.google.com" => (
                below("o/oauth2/v2/auth"),
                "https://oauth2.googleapis.com/token".to_owned(),
                "https://openidconnect.googleapis.com/v1/userinfo".to_owned(),
                "https://www.googleapis.com/oauth2/v3/certs".to_owned(),
            ),
            "https://www.linkedin.com/oauth" => (
                below("v2/authorization"),
                below("v2/accessToken"),
                "https://api.linkedin.com/v2/userinfo".to_owned(),
                below("openid/jwks"),
            ),
            _ => (
                below("authorize"),
                below("token"),
                below("userinfo"),
                below("jwks"),
            ),
        };
        Self {
            authorize,
            discovery: below(".well-known/openid-configuration"),
            jwks,
            token,
            userinfo,
            stranger: below("stranger"),
        }
    }

    /// What a request to `uri` is for. One in origin form, as it arrives at a socket, is known by
    /// its path alone.
    pub(super) fn find(&self, uri: &Uri) -> Endpoint {
        let is = |url: &str| match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(host)) => url == format!("{scheme}://{host}{}", uri.path()),
            _ => url
                .parse::<Uri>()
                .is_ok_and(|known| known.path() == uri.path()),
        };
        let stranger = &self.stranger;
        let known = [
            (self.authorize.as_str(), Endpoint::Authorize),
            (&self.discovery, Endpoint::Discovery),
            (&self.jwks, Endpoint::Jwks),
            (&self.token, Endpoint::Token),
            (&self.userinfo, Endpoint::Userinfo),
            (
                &format!("{stranger}/.well-known/openid-configuration"),
                Endpoint::StrangersDiscovery,
            ),
            (&format!("{stranger}/jwks"), Endpoint::StrangersJwks),
        ];
        let found = known.iter().find(|(url, _)| is(url));
        found.map_or(Endpoint::Elsewhere, |(_, endpoint)| *endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_known_by_its_whole_url_or_as_it_arrives_at_a_socket() {
        let table = [
            (
                "https://id.example",
                "https://id.example/token",
                Endpoint::Token,
            ),
            (
                "https://id.example",
                "https://id.example/jwks?x=y",
                Endpoint::Jwks,
            ),
            (
                "https://id.example",
                "http://id.example/token",
                Endpoint::Elsewhere,
            ),
            (
                "https://id.example",
                "https://other.example/token",
                Endpoint::Elsewhere,
            ),
            (
                "https://id.example",
                "https://id.example/token/",
                Endpoint::Elsewhere,
            ),
            (
                "https://id.example/",
                "https://id.example/token",
                Endpoint::Token,
            ),
            (
                "http://127.0.0.1:1/google",
                "/google/userinfo",
                Endpoint::Userinfo,
            ),
            (
                "http://127.0.0.1:1/google",
                "/userinfo",
                Endpoint::Elsewhere,
            ),
            (
                "https://accounts.google.com",
                "https://oauth2.googleapis.com/token",
                Endpoint::Token,
            ),
            (
                "https://www.linkedin.com/oauth",
                "https://www.linkedin.com/oauth/.well-known/openid-configuration",
                Endpoint::Discovery,
            ),
        ];
        for (issuer, url, endpoint) in table {
            let found = Endpoints::of(issuer).find(&url.parse().unwrap());
            assert_eq!(found, endpoint, "{url}");
        }
    }
}
