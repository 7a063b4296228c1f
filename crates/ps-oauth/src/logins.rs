//! Social sign-in as a service.

mod linking;

use std::{fmt, sync::Arc, time::Duration};

use ps_core::{
    Accounts, Ambient, AuthEvent, Outcome, Refusal, Requester, RootSecrets, Timestamp, Users,
};
use zeroize::Zeroizing;

use crate::{
    AttemptCookie, Callback, CallbackError, Client, IdentityStore, Intent, Profile, Provider,
    ReturnTo, SocialError, SocialPolicy, attempt::Attempts,
};

/// Sends people to providers, takes them back, and knows which account they open.
///
/// A sign-in is [`begin`](Self::begin), then at the callback [`read`](Self::read),
/// [`complete`](Self::complete) and [`weigh`](Self::weigh), then what the weighing says, under the
/// version that it says. A link is the same with [`link`](Self::link) in place of the weighing, once
/// the session that it was asked in has been looked at again.
#[derive(Debug)]
pub struct SocialLogins {
    clients: Vec<Client>,
    store: Arc<dyn IdentityStore>,
    users: Arc<dyn Users>,
    accounts: Arc<dyn Accounts>,
    attempts: Attempts,
    policy: SocialPolicy,
    ambient: Ambient,
}

/// An attempt that has begun: the browser keeps the cookie, and goes.
pub struct Begun {
    /// Where to.
    pub authorize_url: String,
    /// What it brings back.
    pub cookie: AttemptCookie,
    /// For how long the cookie is good.
    pub life: Duration,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl SocialLogins {
    /// Sign-in by these clients' providers; identities are kept in `store`, attempts under keys
    /// derived from `roots`.
    ///
    /// Of two clients whose providers have one name the first is used.
    #[must_use]
    pub fn new(
        clients: impl IntoIterator<Item = Client>,
        store: Arc<dyn IdentityStore>,
        users: Arc<dyn Users>,
        accounts: Arc<dyn Accounts>,
        roots: &RootSecrets,
        policy: SocialPolicy,
        ambient: Ambient,
    ) -> Self {
        Self {
            clients: clients.into_iter().collect(),
            store,
            users,
            accounts,
            attempts: Attempts::new(roots),
            policy,
            ambient,
        }
    }

    /// The configured providers, in their order.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.clients.iter().map(Client::provider)
    }

    /// Whether a provider of this name is configured.
    #[must_use]
    pub fn is_known(&self, provider: &str) -> bool {
        self.client(provider).is_some()
    }

    /// Begins an attempt. A provider that is used by discovery may be asked for its metadata.
    ///
    /// # Errors
    /// [`SocialError::UnknownProvider`], [`SocialError::ProviderUnavailable`].
    pub async fn begin(
        &self,
        provider: &str,
        intent: Intent,
        return_to: ReturnTo,
    ) -> Result<Begun, SocialError> {
        let client = self.client(provider).ok_or(SocialError::UnknownProvider)?;
        let now = self.ambient.clock.now();
        let mut secret = Zeroizing::new([0; 32]);
        self.ambient.random.fill(&mut *secret);
        let (attempt, cookie) = self
            .attempts
            .begin(provider, secret, intent, return_to, now);
        let derived = attempt.derived();
        let url = client
            .authorize_url(&derived.secrets(), &self.ambient)
            .await
            .map_err(SocialError::from);
        let authorize_url = url.inspect_err(|error| self.tell_error(error, None, now))?;
        Ok(Begun {
            authorize_url,
            cookie,
            life: self.policy.attempt_life,
        })
    }

    /// Reads a callback: the cookie that the browser sent to it, and the query as it stands in the
    /// URL. It asks neither the store nor the provider.
    ///
    /// The state is compared before anything else of the query counts, so what another browser's
    /// callback says is not even read (RFC 9700 §4.7). Nothing of the query is in the error.
    ///
    /// # Errors
    /// What [`CallbackError::why`] lists.
    pub fn read(
        &self,
        provider: &str,
        cookie: Option<&str>,
        query: &str,
        requester: &Requester,
    ) -> Result<Callback, CallbackError> {
        let now = self.ambient.clock.now();
        let life = self.policy.attempt_life;
        let read = match self.client(provider) {
            Some(_) => Callback::read(&self.attempts, provider, cookie, query, life, now),
            None => Err(CallbackError {
                why: SocialError::UnknownProvider,
                attempt: None,
                refusal: Refusal::Unknown,
            }),
        };
        read.inspect_err(|error| {
            let outcome = Outcome::SocialRefused(error.refusal);
            let event = AuthEvent::new(outcome, now).by(requester);
            self.ambient.events.record(&event);
        })
    }

    /// Exchanges the callback's code, and checks all that the provider says. It does so once: the
    /// caller sees to it that a callback whose session was opened already is not completed again.
    ///
    /// # Errors
    /// [`SocialError::AttemptInvalid`] where the callback is of another issuer (RFC 9207), before
    /// anything is exchanged; [`SocialError::InvalidGrant`], [`SocialError::IdTokenInvalid`],
    /// [`SocialError::ProviderError`], [`SocialError::ProviderUnavailable`].
    pub async fn complete(
        &self,
        callback: &Callback,
        requester: &Requester,
    ) -> Result<Profile, SocialError> {
        let proven = self.prove(callback).await;
        let now = self.ambient.clock.now();
        proven.inspect_err(|error| self.tell_error(error, Some(requester), now))
    }
}

/// What the operations are made of.
impl SocialLogins {
    fn client(&self, provider: &str) -> Option<&Client> {
        self.clients
            .iter()
            .find(|client| client.provider().name() == provider)
    }

    async fn prove(&self, callback: &Callback) -> Result<Profile, SocialError> {
        let client = self
            .client(&callback.provider)
            .ok_or(SocialError::UnknownProvider)?;
        let iss = callback.iss.as_deref();
        if !client.expects_issuer(iss, &self.ambient).await? {
            return Err(SocialError::AttemptInvalid);
        }
        let derived = callback.attempt.derived();
        let secrets = derived.secrets();
        Ok(client
            .prove(&callback.code, &secrets, &self.ambient)
            .await?)
    }

    /// A store that could not answer has refused nothing, and nothing is told of it.
    fn tell_error(&self, error: &SocialError, requester: Option<&Requester>, now: Timestamp) {
        if let Some(outcome) = error.outcome() {
            self.ambient.events.record(&AuthEvent {
                requester,
                ..AuthEvent::new(outcome, now)
            });
        }
    }
}
