//! Our registration at a provider, and what is asked of the provider by it.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use ps_core::{Ambient, EmailAddress, Timestamp};
use zeroize::Zeroizing;

use crate::{
    HttpClient, Identity, Profile, Provider,
    discovery::{self, Endpoints},
    exchange::{self, Grant, Registration},
    failure::{InvalidIdToken, Outage, ProviderError},
    id_token::{Expected, IdToken},
    jwks::{self, KeySet},
    jws::Signed,
    kept::{COOLDOWN, Kept},
    outbound,
    profile::Email,
    userinfo::UserInfo,
};

/// Why a registration cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// The client id is empty, longer than 255 bytes or not of visible ASCII characters.
    #[error("a client id is 1 to 255 visible ASCII characters")]
    ClientId,
    /// The client secret is empty or has characters that no provider would give out.
    #[error("a client secret is at least one visible ASCII character")]
    ClientSecret,
    /// The issuer is not `https`, nor `http` on this machine, or has more than a host and a path.
    #[error("an issuer is an https URL without a query (plain http only on loopback)")]
    Issuer,
    /// The provider's name cannot stand in a URL as it is.
    #[error("a provider's name is 1 to 32 of a-z, 0-9, - and _")]
    Name,
    /// The redirect URI is not `https`, nor `http` on this machine, or has a fragment.
    #[error("a redirect URI is an https URL without a fragment (plain http only on loopback)")]
    RedirectUri,
}

/// Our registration at a provider: who we are there, and where it sends people back to.
pub struct Client {
    provider: Provider,
    client_id: String,
    client_secret: Zeroizing<String>,
    redirect_uri: String,
    hosted_domain: Option<String>,
    http: Arc<dyn HttpClient>,
    pinned: Option<Arc<Endpoints>>,
    discovered: Kept<Endpoints>,
    keys: Kept<KeySet>,
}

/// What an attempt shares with the provider, each 43 characters of base64url.
#[derive(Clone, Copy)]
pub(crate) struct Secrets<'a> {
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) verifier: &'a str,
}

impl Client {
    /// Takes a registration. `redirect_uri` is exactly the one that the provider knows.
    ///
    /// # Errors
    /// [`InvalidClient`], by what is wrong with it.
    pub fn new(
        provider: Provider,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uri: impl Into<String>,
        http: Arc<dyn HttpClient>,
    ) -> Result<Self, InvalidClient> {
        let (client_id, redirect_uri) = (client_id.into(), redirect_uri.into());
        let client_secret = Zeroizing::new(client_secret.into());
        Self::judge(&provider, &client_id, &client_secret)?;
        if !discovery::is_endpoint(&redirect_uri, true) {
            return Err(InvalidClient::RedirectUri);
        }
        Ok(Self {
            pinned: provider.endpoints.clone().map(Arc::new),
            provider,
            client_id,
            client_secret,
            redirect_uri,
            hosted_domain: None,
            http,
            discovered: Kept::new(discovery::STALE, discovery::RETRY),
            keys: Kept::new(jwks::STALE, COOLDOWN),
        })
    }

    /// What [`new`](Self::new) would refuse of a registration, where a configuration is judged before
    /// anything is made of it.
    ///
    /// # Errors
    /// [`InvalidClient`], by what is wrong with it.
    pub fn judge(
        provider: &Provider,
        client_id: &str,
        client_secret: &str,
    ) -> Result<(), InvalidClient> {
        if !is_name(provider.name()) {
            Err(InvalidClient::Name)
        } else if !discovery::is_issuer(provider.issuer()) {
            Err(InvalidClient::Issuer)
        } else if client_id.len() > 255 || !is_visible(client_id) {
            Err(InvalidClient::ClientId)
        } else if !is_visible(client_secret) {
            Err(InvalidClient::ClientSecret)
        } else {
            Ok(())
        }
    }

    /// Takes only people of this domain, which the provider hosts: the token's `hd` must name it.
    #[must_use]
    pub fn with_hosted_domain(mut self, domain: impl Into<String>) -> Self {
        self.hosted_domain = Some(domain.into());
        self
    }

    /// Where it is registered.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Where the browser is sent to begin an attempt.
    pub(crate) async fn authorize_url(
        &self,
        secrets: &Secrets<'_>,
        ambient: &Ambient,
    ) -> Result<String, ProviderError> {
        let endpoints = self.endpoints(ambient.clock.now()).await?;
        let hosted_domain = self.hosted_domain.as_deref();
        let url = exchange::authorize_url(self.us(), &endpoints, secrets, hosted_domain)?;
        Ok(url)
    }

    /// Whether a callback with this `iss` may be the provider's (RFC 9207 §2.4): the issuer exactly,
    /// or none where the provider does not promise one. Nothing is asked of anybody about a wrong one.
    pub(crate) async fn expects_issuer(
        &self,
        iss: Option<&str>,
        ambient: &Ambient,
    ) -> Result<bool, ProviderError> {
        match iss {
            Some(iss) => Ok(iss == self.provider.issuer()),
            None => Ok(!self.endpoints(ambient.clock.now()).await?.names_itself),
        }
    }

    /// Exchanges the code of a callback for the provider's word of who has signed in.
    pub(crate) async fn prove(
        &self,
        code: &str,
        secrets: &Secrets<'_>,
        ambient: &Ambient,
    ) -> Result<Profile, ProviderError> {
        let endpoints = self.endpoints(ambient.clock.now()).await?;
        let grant = exchange::exchange(self.us(), &endpoints, code, secrets, &*self.http).await?;
        // The token was made while we waited, and is judged by the time at which it is here.
        let now = ambient.clock.now();
        let token = self.verified(&grant, secrets, &endpoints, now).await?;
        self.profile(token, &grant, &endpoints, now).await
    }

    fn us(&self) -> Registration<'_> {
        Registration {
            client_id: &self.client_id,
            client_secret: &self.client_secret,
            redirect_uri: &self.redirect_uri,
            takes_pkce: self.provider.quirks.takes_pkce,
        }
    }

    /// The ID token, if the provider signed it and everything that it says is as it should be.
    async fn verified(
        &self,
        grant: &Grant,
        secrets: &Secrets<'_>,
        endpoints: &Endpoints,
        now: Timestamp,
    ) -> Result<IdToken, ProviderError> {
        let token = Signed::parse(&grant.id_token)?;
        if !self.provider.quirks.algorithms.contains(&token.algorithm) {
            return Err(InvalidIdToken::Algorithm.into());
        }
        let keys = self.keys(jwks::FRESH, endpoints, now).await?;
        let mut verdict = keys.judge(&token);
        // A key may have been replaced, under another name or under its own.
        if let Err(InvalidIdToken::Signature | InvalidIdToken::UnknownKey) = verdict {
            let newer = self.keys(COOLDOWN, endpoints, now).await?;
            verdict = newer.judge(&token);
        }
        verdict?;
        let expected = Expected {
            provider: &self.provider,
            client_id: &self.client_id,
            hosted_domain: self.hosted_domain.as_deref(),
            nonce: secrets.nonce,
            access_token: &grant.access_token,
        };
        Ok(IdToken::read(&token.payload, &expected, now)?)
    }

    async fn profile(
        &self,
        token: IdToken,
        grant: &Grant,
        endpoints: &Endpoints,
        now: Timestamp,
    ) -> Result<Profile, ProviderError> {
        let told = match &endpoints.userinfo {
            Some(endpoint) if token.email.is_none() => {
                let access_token = &grant.access_token;
                UserInfo::fetch(&*self.http, endpoint, access_token, &token.subject).await?
            }
            _ => UserInfo {
                email: token.email,
                email_verified: token.email_verified,
            },
        };
        let hosted_domain = token.hosted_domain.as_deref();
        let mailboxes = self.provider.quirks.own_mailboxes;
        let address = told.email.and_then(|text| EmailAddress::parse(&text).ok());
        let email = address.map(|address| Email {
            is_own: mailboxes.contain(address.domain(), hosted_domain),
            is_verified: told.email_verified,
            address,
        });
        let identity = Identity {
            provider: self.provider.name().to_owned(),
            issuer: self.provider.issuer().to_owned(),
            subject: token.subject,
        };
        Ok(Profile::new(identity, email, now))
    }

    async fn endpoints(&self, now: Timestamp) -> Result<Arc<Endpoints>, Arc<Outage>> {
        if let Some(pinned) = &self.pinned {
            return Ok(Arc::clone(pinned));
        }
        let fetch = || {
            let (http, issuer) = (self.http.clone(), self.provider.issuer().to_owned());
            async move {
                let at = discovery::location(&issuer);
                let json = outbound::fetch(http, at, outbound::LONGEST).await?;
                Endpoints::read(&json, &issuer)
            }
        };
        self.discovered.find(discovery::FRESH, now, fetch).await
    }

    async fn keys(
        &self,
        fresh_for: std::time::Duration,
        endpoints: &Endpoints,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, Arc<Outage>> {
        let fetch = || {
            let (http, at) = (self.http.clone(), endpoints.jwks.clone().into_owned());
            async move { KeySet::read(&outbound::fetch(http, at, jwks::LONGEST).await?) }
        };
        self.keys.find(fresh_for, now, fetch).await
    }
}

fn is_name(name: &str) -> bool {
    let in_url = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(in_url)
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("provider", &self.provider.name())
            .field("issuer", &self.provider.issuer())
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
