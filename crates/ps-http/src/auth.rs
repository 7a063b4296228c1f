//! The whole: what is composed once, and what goes on in the background.

mod admission;
mod answering;
mod lane;
#[cfg(feature = "openapi")]
mod openapi;
mod request_ids;

use std::{pin::Pin, sync::Arc};

use futures_util::future::join_all;
use ps_core::{AccountId, Accounts, Ambient, AuthEvent, Follower, Outbox, Outcome, StoreResult};

use self::request_ids::RequestIds;
use crate::{
    Edge, Route,
    route::{Handler, Table},
    routes,
};

pub use admission::Admission;
#[cfg(feature = "openapi")]
pub(crate) use admission::is_admitted;
#[cfg(feature = "oauth")]
pub(crate) use lane::{Lane, Place};

type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The flows that a service has chosen, behind one HTTP behaviour.
///
/// It is composed once, shared in an `Arc`, and mounted by an adapter. The future of
/// [`run`](Self::run) must be spawned beside the server.
#[derive(Debug)]
pub struct Auth {
    edge: Edge,
    table: Table,
    places: admission::Places,
    accounts: Arc<dyn Accounts>,
    follower: Arc<Follower>,
    request_ids: RequestIds,
    ambient: Ambient,
    #[cfg(feature = "apikey")]
    keys: Option<Arc<ps_apikey::ApiKeys>>,
    #[cfg(feature = "session")]
    sessions: Option<Arc<ps_session::Sessions>>,
    #[cfg(feature = "magiccode")]
    codes: Option<Arc<ps_magiccode::MagicCodes>>,
    #[cfg(feature = "password")]
    passwords: Option<Arc<ps_password::Passwords>>,
    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    browsers: Option<Arc<crate::KnownBrowsers>>,
    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    notices: Vec<crate::Notices>,
    #[cfg(feature = "openapi")]
    document: std::sync::OnceLock<bytes::Bytes>,
}

impl Auth {
    /// A service without any flow: it answers `/healthz` and `/readyz`.
    #[must_use]
    pub fn new(
        edge: Edge,
        accounts: Arc<dyn Accounts>,
        follower: Arc<Follower>,
        ambient: Ambient,
    ) -> Self {
        let auth = Self {
            edge,
            table: Table::default(),
            places: admission::Places::new(Admission::default()),
            accounts,
            follower,
            request_ids: RequestIds::new(Arc::clone(&ambient.random)),
            ambient,
            #[cfg(feature = "apikey")]
            keys: None,
            #[cfg(feature = "session")]
            sessions: None,
            #[cfg(feature = "magiccode")]
            codes: None,
            #[cfg(feature = "password")]
            passwords: None,
            #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
            browsers: None,
            #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
            notices: Vec::new(),
            #[cfg(feature = "openapi")]
            document: std::sync::OnceLock::new(),
        };
        let probes = routes::probes(Arc::clone(&auth.follower), auth.ambient.clone());
        auth.with_routes(probes)
    }

    /// Takes API keys on `/api/v1/*`, of which `GET /api/v1/whoami` is ours. With
    /// sessions too, their owners make and revoke them under `/api/keys`.
    #[cfg(feature = "apikey")]
    #[must_use]
    pub fn with_api_keys(mut self, keys: Arc<ps_apikey::ApiKeys>) -> Self {
        self.follower.tell(Arc::clone(&keys) as _);
        self.keys = Some(keys);
        self.with_routes(routes::whoami()).with_key_settings()
    }

    /// Takes access tokens, and keeps sessions under `/api/auth`. `users` is where the account of a
    /// session answer comes from.
    #[cfg(feature = "session")]
    #[must_use]
    pub fn with_sessions(
        mut self,
        sessions: Arc<ps_session::Sessions>,
        users: Arc<dyn ps_core::Users>,
    ) -> Self {
        self.follower.tell(Arc::clone(&sessions) as _);
        self.sessions = Some(Arc::clone(&sessions));
        let table = routes::sessions(sessions, users);
        self.with_routes(table).with_key_settings()
    }

    /// Knows browsers again that signed in before, by whatever flow is added after this call, and tells
    /// owners of sign-ins that are not like the others.
    ///
    /// # Panics
    /// If a flow that signs in was added before: it would know nobody.
    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    #[must_use]
    pub fn with_known_browsers(mut self, browsers: crate::KnownBrowsers) -> Self {
        assert!(
            !self.signs_in(),
            "browsers are to be known before anybody signs in"
        );
        self.keep(browsers.notices());
        self.browsers = Some(Arc::new(browsers));
        self
    }

    /// Signs in and signs up by magic code, into sessions. `limits`, where given, bound what one
    /// network may ask for.
    ///
    /// # Panics
    /// If [`with_sessions`](Self::with_sessions) was not called before.
    #[cfg(feature = "magiccode")]
    #[must_use]
    pub fn with_magic_codes(
        mut self,
        codes: Arc<ps_magiccode::MagicCodes>,
        users: Arc<dyn ps_core::Users>,
        limits: Option<crate::NetworkLimits>,
    ) -> Self {
        let sign_in = self.sign_in(users);
        self.codes = Some(Arc::clone(&codes));
        self.with_routes(routes::codes(codes, sign_in, limits))
    }

    /// Signs in by password, into sessions, and lets the owner set and change it. `limits`, where
    /// given, bound what one network may guess.
    ///
    /// # Panics
    /// If [`with_sessions`](Self::with_sessions) was not called before.
    #[cfg(feature = "password")]
    #[must_use]
    pub fn with_passwords(
        mut self,
        passwords: Arc<ps_password::Passwords>,
        users: Arc<dyn ps_core::Users>,
        notices: crate::Notices,
        limits: Option<crate::NetworkLimits>,
    ) -> Self {
        let sign_in = self.sign_in(users);
        self.passwords = Some(Arc::clone(&passwords));
        self.keep(&notices);
        self.with_routes(routes::passwords(passwords, sign_in, notices, limits))
    }

    /// Signs in by the providers of `logins`, into sessions, and lets the owner link and unlink them.
    /// `limits`, where given, bound how many codes that no provider takes one network may bring.
    ///
    /// A password is a way in besides them only if
    /// [`with_passwords`](Self::with_passwords) was called before.
    ///
    /// # Panics
    /// If [`with_sessions`](Self::with_sessions) was not called before.
    #[cfg(feature = "oauth")]
    #[must_use]
    pub fn with_social_logins(
        mut self,
        logins: Arc<ps_oauth::SocialLogins>,
        users: Arc<dyn ps_core::Users>,
        notices: crate::Notices,
        limits: Option<crate::NetworkLimits>,
    ) -> Self {
        let sign_in = self.sign_in(users);
        self.keep(&notices);
        let site = self.edge.public_url().clone();
        #[cfg(feature = "password")]
        let passwords = self.passwords.clone();
        let names = logins.providers().map(ps_oauth::Provider::name);
        let lanes = names.map(|name| (name.to_owned(), self.places.for_provider(name)));
        let desk = routes::SocialDesk {
            lanes: lanes.collect(),
            logins,
            sign_in,
            notices,
            site,
            limits,
            flights: routes::Flights::default(),
            #[cfg(feature = "password")]
            passwords,
        };
        self.with_routes(routes::social(desk))
    }

    /// Two flows may share one queue of notices.
    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    fn keep(&mut self, notices: &crate::Notices) {
        let is_new = |kept: &crate::Notices| !Arc::ptr_eq(kept.outbox(), notices.outbox());
        if self.notices.iter().all(is_new) {
            self.notices.push(notices.clone());
        }
    }

    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    fn signs_in(&self) -> bool {
        self.knows("/api/auth/magic-code/verify")
            || self.knows("/api/auth/login")
            || self.knows("/api/auth/social/x/callback")
    }

    /// # Panics
    /// If there are no sessions to sign in to.
    #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
    fn sign_in(&self, users: Arc<dyn ps_core::Users>) -> crate::sign_in::SignIn {
        let sessions = self.sessions.as_ref();
        crate::sign_in::SignIn {
            sessions: Arc::clone(sessions.expect("whoever signs in is given a session")),
            users,
            accounts: Arc::clone(&self.accounts),
            follower: Arc::clone(&self.follower),
            browsers: self.browsers.clone(),
            ambient: self.ambient.clone(),
        }
    }

    /// Answers further routes by the same rules: the application's own resources, where it wants
    /// them independent of its framework.
    ///
    /// # Panics
    /// If a route takes a credential that no flow was added for: nobody could ever call it.
    #[must_use]
    pub fn with_routes(mut self, routes: impl IntoIterator<Item = Route>) -> Self {
        for route in routes {
            match route.handler {
                #[cfg(feature = "apikey")]
                Handler::ApiKey(..) => {
                    assert!(self.keys.is_some(), "{route:?}: no API keys are served");
                }
                #[cfg(feature = "openapi")]
                Handler::Document => {}
                Handler::Public(_) => {}
                #[cfg(feature = "session")]
                Handler::Session(_) => {
                    assert!(self.sessions.is_some(), "{route:?}: no sessions are served");
                }
            }
            self.table.add(route);
        }
        #[cfg(feature = "openapi")]
        self.forget_document();
        self
    }

    #[cfg(all(feature = "apikey", feature = "session"))]
    fn with_key_settings(self) -> Self {
        match (&self.keys, &self.sessions) {
            (Some(keys), Some(sessions)) => {
                let table = routes::key_settings(
                    Arc::clone(keys),
                    Arc::clone(sessions),
                    self.ambient.clone(),
                );
                self.with_routes(table)
            }
            _ => self,
        }
    }

    #[cfg(not(all(feature = "apikey", feature = "session")))]
    #[cfg(any(feature = "apikey", feature = "session"))]
    fn with_key_settings(self) -> Self {
        self
    }

    /// Answers at most so many requests at once; without this as many as [`Admission`] says.
    #[must_use]
    pub fn with_admission(mut self, admission: Admission) -> Self {
        self.places.bound(admission);
        self
    }

    /// Where the service stands on the network.
    #[must_use]
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Every route, in no order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.table.routes()
    }

    /// The paths that are ours, a parameter written `{id}`, for adapters that mount them one by one.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.table.paths()
    }

    /// Whether a path is ours, compared as it was sent, whatever the method: for adapters whose
    /// framework decodes paths before it matches.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        self.table.knows(path)
    }

    /// What must go on in the background: following changes, writing last uses, sending mail. It
    /// never ends; spawn it once. Where it does not run, nothing remembered is trusted and no mail
    /// is sent.
    pub async fn run(&self) {
        let tasks = std::iter::once(Box::pin(self.follower.run()) as Task<'_>);
        #[cfg(feature = "apikey")]
        let tasks = tasks.chain(
            self.keys
                .iter()
                .map(|keys| Box::pin(keys.run()) as Task<'_>),
        );
        #[cfg(feature = "session")]
        let tasks = tasks.chain(
            self.sessions
                .iter()
                .map(|sessions| Box::pin(sessions.run()) as Task<'_>),
        );
        #[cfg(feature = "magiccode")]
        let tasks = tasks.chain(
            self.codes
                .iter()
                .map(|codes| Box::pin(codes.run()) as Task<'_>),
        );
        #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
        let tasks = tasks.chain(
            self.notices
                .iter()
                .map(|notices| Box::pin(notices.outbox().run()) as Task<'_>),
        );
        join_all(tasks).await;
    }

    /// Waits until every mail that was queued is settled, while [`run`](Self::run) goes on. Call it
    /// when the server takes no more requests, with a deadline of the host's own.
    ///
    /// From then on no mail waits for another try: those that do are tried once more at once, and a
    /// failure is the last. So a mail server that is down holds nothing up but by its deadlines.
    pub async fn settle(&self) {
        join_all(self.outboxes().map(Outbox::settle)).await;
    }

    /// How many mails are not settled yet: queued, being sent, or waiting for another try. Worth a
    /// gauge.
    #[must_use]
    pub fn unsettled_mails(&self) -> usize {
        self.outboxes().map(Outbox::unsettled).sum()
    }

    #[cfg_attr(
        not(any(feature = "magiccode", feature = "oauth", feature = "password")),
        expect(clippy::unused_self, reason = "nothing here sends mail")
    )]
    fn outboxes(&self) -> impl Iterator<Item = &Outbox> {
        let outboxes = std::iter::empty();
        #[cfg(feature = "magiccode")]
        let outboxes = outboxes.chain(self.codes.iter().map(|codes| codes.outbox()));
        #[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
        let outboxes = outboxes.chain(self.notices.iter().map(|notices| &**notices.outbox()));
        outboxes
    }

    /// Writes what is still only in memory, and gives up the mails that are left, each of which is
    /// an event. Call it when the server has stopped and [`run`](Self::run) was dropped.
    ///
    /// # Errors
    /// What the store said.
    pub async fn flush(&self) -> StoreResult<()> {
        self.outboxes().for_each(Outbox::give_up);
        #[cfg(feature = "apikey")]
        if let Some(keys) = &self.keys {
            keys.flush().await?;
        }
        Ok(())
    }

    /// Disables an account; whether it was enabled. When this returns, this node refuses its
    /// sessions, keys and codes, and every other within a second.
    ///
    /// # Errors
    /// What the store said.
    pub async fn disable(&self, account: &AccountId) -> StoreResult<bool> {
        let now = self.ambient.clock.now();
        let changed = self.accounts.disable(account, now).await?;
        self.follower.catch_up().await;
        if changed {
            let event = AuthEvent::new(Outcome::AccountDisabled, now).of(account);
            self.ambient.events.record(&event);
        }
        Ok(changed)
    }

    /// Enables an account again; whether it was disabled. Its keys work again, its sessions do not.
    ///
    /// # Errors
    /// What the store said.
    pub async fn enable(&self, account: &AccountId) -> StoreResult<bool> {
        let now = self.ambient.clock.now();
        let changed = self.accounts.enable(account, now).await?;
        self.follower.catch_up().await;
        if changed {
            let event = AuthEvent::new(Outcome::AccountEnabled, now).of(account);
            self.ambient.events.record(&event);
        }
        Ok(changed)
    }
}
