//! Providers, as data.

use std::borrow::Cow;

use crate::{discovery::Endpoints, jws::Algorithm};

/// Google, by its pinned endpoints. Its word counts for its own mailboxes: those at `gmail.com`, and
/// those of a domain that it hosts, which the token then names as `hd`.
///
/// <https://developers.google.com/identity/openid-connect/openid-connect>
pub const GOOGLE: Provider = Provider {
    name: Cow::Borrowed("google"),
    title: Cow::Borrowed("Google"),
    issuer: Cow::Borrowed("https://accounts.google.com"),
    endpoints: Some(Endpoints::pinned(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v3/certs",
        "https://openidconnect.googleapis.com/v1/userinfo",
    )),
    quirks: Quirks {
        algorithms: &[Algorithm::Rs256],
        issuer_without_scheme: true,
        own_mailboxes: Mailboxes {
            domain: Some("gmail.com"),
            hosted: true,
        },
        ..Quirks::NONE
    },
};

/// `LinkedIn`, by its pinned endpoints. It echoes no nonce and refuses PKCE in web flows, so what
/// keeps a stolen code from being used is the rest: state bound to the browser, a redirect URI of its
/// own, our client secret, and codes that work once. Its word counts for no mailbox.
///
/// <https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2>
pub const LINKEDIN: Provider = Provider {
    name: Cow::Borrowed("linkedin"),
    title: Cow::Borrowed("LinkedIn"),
    issuer: Cow::Borrowed("https://www.linkedin.com/oauth"),
    endpoints: Some(Endpoints::pinned(
        "https://www.linkedin.com/oauth/v2/authorization",
        "https://www.linkedin.com/oauth/v2/accessToken",
        "https://www.linkedin.com/oauth/openid/jwks",
        "https://api.linkedin.com/v2/userinfo",
    )),
    quirks: Quirks {
        algorithms: &[Algorithm::Rs256],
        takes_pkce: false,
        echoes_nonce: false,
        ..Quirks::NONE
    },
};

/// A site that vouches for people by OpenID Connect, with whatever is peculiar about it.
///
/// A quirk stands here, for all to see, and is never found out by trying: what is required of a
/// provider does not depend on how it behaves today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    name: Cow<'static, str>,
    title: Cow<'static, str>,
    issuer: Cow<'static, str>,
    /// Where it is found; by discovery where nothing is pinned.
    pub(crate) endpoints: Option<Endpoints>,
    pub(crate) quirks: Quirks,
}

impl Provider {
    /// Any OpenID provider, found by discovery (OpenID Connect Discovery 1.0): RS256 or ES256, PKCE,
    /// a nonce that it must echo. Its word counts for no mailbox.
    ///
    /// `name` is what stands in our URLs and is stored with identities, `title` what people read.
    /// [`Client::new`](crate::Client::new) checks them.
    pub fn openid(
        name: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
        issuer: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            issuer: issuer.into(),
            endpoints: None,
            quirks: Quirks::NONE,
        }
    }

    /// The same with all its quirks, at another issuer, found by discovery: a stand-in for tests and
    /// development.
    #[must_use]
    pub fn at(self, issuer: impl Into<Cow<'static, str>>) -> Self {
        Self {
            issuer: issuer.into(),
            endpoints: None,
            ..self
        }
    }

    /// Its name in URLs and stores: `google`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people: `Google`.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its issuer identifier, in the one form that identities are stored with.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether an ID token of this `iss` is one of the provider's.
    pub(crate) fn issues_as(&self, iss: &str) -> bool {
        let bare = self.issuer.split_once("://").map(|(_, bare)| bare);
        iss == self.issuer || (self.quirks.issuer_without_scheme && Some(iss) == bare)
    }
}

/// What is peculiar about a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// What it signs with, and nothing else is taken.
    pub(crate) algorithms: &'static [Algorithm],
    /// Whether its tokens may name the issuer without `https://`.
    pub(crate) issuer_without_scheme: bool,
    /// Whether it takes part in PKCE (RFC 7636).
    pub(crate) takes_pkce: bool,
    /// Whether its tokens carry the nonce. A wrong one is refused either way.
    pub(crate) echoes_nonce: bool,
    /// The mailboxes that are its own.
    pub(crate) own_mailboxes: Mailboxes,
}

impl Quirks {
    const NONE: Self = Self {
        algorithms: &[Algorithm::Rs256, Algorithm::Es256],
        issuer_without_scheme: false,
        takes_pkce: true,
        echoes_nonce: true,
        own_mailboxes: Mailboxes {
            domain: None,
            hosted: false,
        },
    };
}

/// Mailboxes that a provider runs itself, so that whoever signs in there is who reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mailboxes {
    /// Those of this domain.
    pub(crate) domain: Option<&'static str>,
    /// Those of a person whose token has `hd`.
    pub(crate) hosted: bool,
}

impl Mailboxes {
    pub(crate) fn contain(self, domain: &str, hosted_domain: Option<&str>) -> bool {
        self.domain == Some(domain) || (self.hosted && hosted_domain.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // OA7
    #[test]
    fn an_issuer_has_the_forms_that_the_provider_uses_and_no_other() {
        let other = Provider::openid("other", "Other", "https://id.example/realm");
        let table = [
            (&GOOGLE, "https://accounts.google.com", true),
            (&GOOGLE, "accounts.google.com", true),
            (&GOOGLE, "http://accounts.google.com", false),
            (&GOOGLE, "https://accounts.google.com/", false),
            (&GOOGLE, "accounts.google.com/", false),
            (&GOOGLE, "https://accounts.google.com.evil", false),
            (&GOOGLE, "https://ACCOUNTS.google.com", false),
            (&GOOGLE, "", false),
            (&LINKEDIN, "https://www.linkedin.com/oauth", true),
            (&LINKEDIN, "https://www.linkedin.com", false),
            (&LINKEDIN, "www.linkedin.com/oauth", false),
            (&other, "https://id.example/realm", true),
            (&other, "id.example/realm", false),
            (&other, "https://id.example", false),
        ];
        for (provider, iss, good) in table {
            assert_eq!(provider.issues_as(iss), good, "{} {iss}", provider.name());
        }
        let stand_in = GOOGLE.at("http://127.0.0.1:9000");
        assert!(stand_in.issues_as("127.0.0.1:9000"));
        assert!(!stand_in.issues_as("accounts.google.com"));
    }

    // OA20
    #[test]
    fn only_google_speaks_for_mailboxes_and_only_for_its_own() {
        let table = [
            (&GOOGLE, "gmail.com", None, true),
            (&GOOGLE, "example.com", Some("example.com"), true),
            (&GOOGLE, "example.com", None, false),
            (&GOOGLE, "googlemail.com", None, false),
            (&GOOGLE, "evil-gmail.com", None, false),
            (&GOOGLE, "gmail.com.evil.example", None, false),
            (&LINKEDIN, "gmail.com", None, false),
            (&LINKEDIN, "linkedin.com", Some("linkedin.com"), false),
        ];
        for (provider, domain, hd, own) in table {
            let mailboxes = provider.quirks.own_mailboxes;
            assert_eq!(mailboxes.contain(domain, hd), own, "{domain} {hd:?}");
        }
    }

    #[test]
    fn a_stand_in_is_found_by_discovery_and_keeps_the_quirks() {
        let stand_in = LINKEDIN.at("https://id.example");
        assert_eq!(stand_in.endpoints, None);
        assert_eq!(stand_in.quirks, LINKEDIN.quirks);
        assert_eq!(stand_in.name(), "linkedin");
    }
}
