//! The provider.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{Clock, Random};

use super::{
    Algorithm, Calls, FakeError, Misbehaviour, OldKeys, Person, Quirks,
    endpoints::Endpoints,
    state::{Client, State},
};

/// An OpenID provider: metadata, keys, the code flow, userinfo. Clones are the same provider.
///
/// As it is made it keeps to the standards ([`Quirks::NONE`]): only registered clients are served,
/// only at their redirect URIs; PKCE is required (S256); codes live 60 s and can be exchanged once,
/// by the client that they were made for; ID tokens are signed with RS256.
///
/// It is an [`HttpClient`](ps_oauth::HttpClient) whose every request arrives here, so that the real
/// `https://accounts.google.com` can be stood in for without a socket. With the feature
/// `openid-server` it listens on one.
///
/// Codes and access tokens come from the randomness that it is given. Its keys come from the system,
/// are made once, and are shared by all providers of a process.
#[derive(Clone)]
pub struct FakeProvider(Arc<Shared>);

struct Shared {
    issuer: String,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

impl FakeProvider {
    /// A provider with nobody in it. The endpoints stand below `issuer`; those of
    /// `https://accounts.google.com` and `https://www.linkedin.com/oauth` stand where they really do.
    #[must_use]
    pub fn new(issuer: impl Into<String>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let issuer = issuer.into();
        Self(Arc::new(Shared {
            endpoints: Endpoints::of(&issuer),
            issuer,
            clock,
            random,
            state: Mutex::default(),
        }))
    }

    /// With the ways of a real provider.
    #[must_use]
    pub fn with_quirks(self, quirks: Quirks) -> Self {
        self.state().quirks = quirks;
        self
    }

    /// With ID tokens signed in this way. The set of keys has both kinds anyway.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        self.state().algorithm = algorithm;
        self
    }

    /// With a client that may ask, and be answered at exactly this URI. One client may be registered
    /// with several.
    #[must_use]
    pub fn with_client(
        self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Self {
        self.state().clients.push(Client {
            id: client_id.into(),
            secret: client_secret.into(),
            redirect_uri: redirect_uri.into(),
        });
        self
    }

    /// With somebody who has an account.
    #[must_use]
    pub fn with_person(self, person: Person) -> Self {
        self.add_person(person);
        self
    }

    /// Adds somebody, or changes what is known of the person with that subject.
    pub fn add_person(&self, person: Person) {
        let mut state = self.state();
        let mut known = state.people.iter_mut();
        match known.find(|known| known.subject == person.subject) {
            Some(known) => *known = person,
            None => state.people.push(person),
        }
    }

    /// The issuer, as it was given.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Everybody, who was added first first.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.state().people.clone()
    }

    /// What was asked for so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// The front channel: `subject`, in a browser at `authorize_url`, agrees. Answers the URL to
    /// which the browser is sent.
    ///
    /// # Errors
    /// [`FakeError`] where the browser would see an error page of the provider instead.
    pub fn approve(&self, authorize_url: &str, subject: &str) -> Result<String, FakeError> {
        self.approve_query(self.query_of(authorize_url)?, subject)
    }

    /// The front channel: somebody, in a browser at `authorize_url`, declines. Answers the URL to
    /// which the browser is sent, with [`Quirks::denial`] as the error.
    ///
    /// # Errors
    /// [`FakeError`] where the browser would see an error page of the provider instead.
    pub fn deny(&self, authorize_url: &str) -> Result<String, FakeError> {
        self.deny_query(self.query_of(authorize_url)?)
    }

    /// From now on the provider misbehaves, in this way and no other.
    pub fn misbehave(&self, how: Misbehaviour) {
        self.state().misbehaviour = Some(how);
    }

    /// From now on the provider behaves.
    pub fn behave(&self) {
        self.state().misbehaviour = None;
    }

    /// From now on new keys sign.
    pub fn rotate_keys(&self, old: OldKeys) {
        self.state().rotate_keys(old);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// 256 bits in base64url.
    pub(super) fn draw(&self) -> String {
        let mut bytes = [0; 32];
        self.0.random.fill(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl fmt::Debug for FakeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeProvider").field(&self.issuer()).finish()
    }
}
