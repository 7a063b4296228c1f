//! Where a provider is found (OpenID Connect Discovery 1.0).

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;
use url::{Host, Url};

use crate::{
    failure::Outage,
    json::{given, object},
};

/// How long discovered endpoints are used before they are asked for again.
pub(crate) const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// How soon after a fetch that failed the next is tried: somebody waits to sign in.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

/// How long they are used while the provider does not answer.
pub(crate) const STALE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A provider's endpoints, and how it wants to be spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Cow<'static, str>,
    pub(crate) token: Cow<'static, str>,
    pub(crate) jwks: Cow<'static, str>,
    pub(crate) userinfo: Option<Cow<'static, str>>,
    pub(crate) authentication: Authentication,
    /// Whether every callback carries `iss` (RFC 9207 §3).
    pub(crate) names_itself: bool,
}

/// How a client shows that it is the one (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// `client_secret_basic`: in a header.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

impl Endpoints {
    /// Of a provider that takes `client_secret_post` and does not promise `iss` in callbacks.
    pub(crate) const fn pinned(
        authorization: &'static str,
        token: &'static str,
        jwks: &'static str,
        userinfo: &'static str,
    ) -> Self {
        Self {
            authorization: Cow::Borrowed(authorization),
            token: Cow::Borrowed(token),
            jwks: Cow::Borrowed(jwks),
            userinfo: Some(Cow::Borrowed(userinfo)),
            authentication: Authentication::Post,
            names_itself: false,
        }
    }

    /// Reads what `issuer` says of itself.
    pub(crate) fn read(json: &[u8], issuer: &str) -> Result<Self, Outage> {
        let metadata: Metadata = object(json).ok_or(Outage::Rubbish("no provider metadata"))?;
        if metadata.issuer != issuer {
            return Err(Outage::Rubbish("the metadata of another issuer"));
        }
        let plain = issuer.starts_with("http:");
        let checked = |url: String| {
            let good = is_endpoint(&url, plain);
            good.then_some(Cow::Owned(url))
                .ok_or(Outage::Rubbish("an endpoint that is not https"))
        };
        let methods = metadata.token_endpoint_auth_methods_supported;
        let takes_post = methods
            .iter()
            .flatten()
            .any(|it| it == "client_secret_post");
        Ok(Self {
            authorization: checked(metadata.authorization_endpoint)?,
            token: checked(metadata.token_endpoint)?,
            jwks: checked(metadata.jwks_uri)?,
            userinfo: metadata.userinfo_endpoint.map(checked).transpose()?,
            authentication: if takes_post {
                Authentication::Post
            } else {
                Authentication::Basic
            },
            names_itself: metadata.authorization_response_iss_parameter_supported,
        })
    }
}

/// The part of the metadata that is used (OpenID Connect Discovery §3, RFC 9207 §3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default, deserialize_with = "given")]
    userinfo_endpoint: Option<String>,
    #[serde(default, deserialize_with = "given")]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Where the metadata of `issuer` stands (§4.1).
pub(crate) fn location(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{base}/.well-known/openid-configuration")
}

/// Whether `text` can be a provider's issuer: `https`, or `http` on this machine, and nothing but a
/// host and a path (§2).
pub(crate) fn is_issuer(text: &str) -> bool {
    is_endpoint(text, true) && !text.contains('?')
}

/// Whether `text` is a URL that may be called: `https`, or `http` on this machine where `plain` is
/// said. It is used as it stands, so it must be what a parser would write, and not what one mends.
pub(crate) fn is_endpoint(text: &str, plain: bool) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    if url.as_str() != text && url.as_str().strip_suffix('/') != Some(text) {
        return false;
    }
    let url = &url;
    let safe = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => plain && is_loopback(url),
        _ => false,
    };
    safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example/realm";

    fn good() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize?realm=1",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://keys.example/jwks",
            "userinfo_endpoint": "https://id.example/userinfo",
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["openid"],
        })
    }

    fn read(metadata: &Value) -> Option<Endpoints> {
        Endpoints::read(metadata.to_string().as_bytes(), ISSUER).ok()
    }

    fn with(name: &str, value: Value) -> Value {
        let mut metadata = good();
        metadata[name] = value;
        metadata
    }

    fn without(name: &str) -> Value {
        let mut metadata = good();
        metadata.as_object_mut().unwrap().remove(name);
        metadata
    }

    #[test]
    fn good_metadata_is_read() {
        let endpoints = read(&good()).unwrap();
        assert_eq!(
            endpoints.authorization,
            "https://id.example/authorize?realm=1"
        );
        assert_eq!(endpoints.token, "https://id.example/token");
        assert_eq!(endpoints.jwks, "https://keys.example/jwks");
        let userinfo = endpoints.userinfo.as_deref();
        assert_eq!(userinfo, Some("https://id.example/userinfo"));
        assert_eq!(endpoints.authentication, Authentication::Post);
        assert!(endpoints.names_itself);
    }

    #[test]
    fn what_is_not_said_has_the_standards_default() {
        let silent = without("token_endpoint_auth_methods_supported");
        assert_eq!(read(&silent).unwrap().authentication, Authentication::Basic);
        let basic = with(
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic"]),
        );
        assert_eq!(read(&basic).unwrap().authentication, Authentication::Basic);
        let silent = without("authorization_response_iss_parameter_supported");
        assert!(!read(&silent).unwrap().names_itself);
        assert_eq!(read(&without("userinfo_endpoint")).unwrap().userinfo, None);
    }

    // OA7: an issuer speaks for itself and for nobody else.
    #[test]
    fn metadata_is_of_exactly_the_issuer_that_was_asked() {
        for other in [
            json!("https://id.example/realm/"),
            json!("https://id.example/Realm"),
            json!("https://id.example"),
            json!("http://id.example/realm"),
            json!("https://id.example:443/realm"),
            json!(""),
            json!(null),
            json!([ISSUER]),
        ] {
            assert_eq!(read(&with("issuer", other.clone())), None, "{other}");
        }
    }

    #[test]
    fn endpoints_are_called_by_https_only() {
        let names = [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
        ];
        for name in names {
            for bad in [
                json!("http://id.example/x"),
                json!("http://127.0.0.1/x"),
                json!("file:///etc/passwd"),
                json!("javascript:alert(1)"),
                json!("//id.example/x"),
                json!("/x"),
                json!(""),
                json!("https://"),
                json!("https://user@id.example/x"),
                json!("https://id.example/x#y"),
                json!("https://id.example/x y"),
                json!(" https://id.example/x"),
                json!("https://id.example/x "),
                json!("https:id.example/x"),
                json!("https:\\\\id.example/x"),
                json!("https:///id.example/x"),
                json!("https://id.ex\tample/x"),
                json!(1),
                json!(null),
                json!(["https://id.example/x"]),
            ] {
                assert_eq!(read(&with(name, bad.clone())), None, "{name} {bad}");
            }
            if name != "userinfo_endpoint" {
                assert_eq!(read(&without(name)), None, "{name}");
            }
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        let issuer = "http://127.0.0.1:9000";
        let read = |token: &str| {
            let metadata = json!({
                "issuer": issuer,
                "authorization_endpoint": "http://localhost:9000/authorize",
                "token_endpoint": token,
                "jwks_uri": "http://[::1]:9000/jwks",
            });
            Endpoints::read(metadata.to_string().as_bytes(), issuer).is_ok()
        };
        assert!(read("http://127.0.0.1:9000/token"));
        assert!(read("https://id.example/token"));
        assert!(!read("http://id.example/token"));
        assert!(!read("http://10.0.0.1/token"));
        assert!(!read("http://localhost.evil.example/token"));
    }

    #[test]
    fn rubbish_is_no_metadata() {
        for json in ["", "null", "[]", "{}", "<html>", "{\"issuer\":"] {
            assert!(Endpoints::read(json.as_bytes(), ISSUER).is_err(), "{json}");
        }
        let twice = good()
            .to_string()
            .replacen('{', r#"{"jwks_uri":"https://evil.example","#, 1);
        assert!(Endpoints::read(twice.as_bytes(), ISSUER).is_err());
    }

    #[test]
    fn metadata_stands_below_the_issuer() {
        let expected = "https://id.example/realm/.well-known/openid-configuration";
        assert_eq!(location(ISSUER), expected);
        assert_eq!(location("https://id.example/realm/"), expected);
    }
}
