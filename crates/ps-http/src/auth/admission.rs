//! How many requests are answered at once, so that an overload is refused and not queued.

#[cfg(feature = "oauth")]
use std::sync::Arc;

use super::lane::{Lane, Place};
use crate::{Problem, Route, edge::is_probe, route::Handler};

/// How many requests a node answers at the same time, those that wait for a store included. One more
/// gets 503 `unavailable` with `Retry-After`, at once.
///
/// Requests with API keys and all others are counted apart, 1024 of each: whatever machines do, people
/// can still refresh, sign in and revoke, and the other way round. Those that may have to wait for a
/// provider of social sign-in are counted apart again, 64 for each provider: one that hangs holds each
/// for 10 s, and takes nobody else's place. One more than that is told `provider_unavailable`, a
/// callback on its page, and the provider is not called for it. `/healthz`, `/readyz`, the public
/// keys and the OpenAPI document are never counted.
///
/// The bound is what keeps a slow store from filling the memory: each place may hold a body of
/// [`BODY_LIMIT`](crate::BODY_LIMIT). It is no limit of a rate. A store that answers in 5 ms takes a
/// place for 5 ms, so that 1024 of them are 200 000 requests a second.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    keys: u32,
    others: u32,
    each_provider: u32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            keys: 1024,
            others: 1024,
            each_provider: 64,
        }
    }
}

impl Admission {
    /// At most so many requests with API keys at once.
    #[must_use]
    pub fn with_api_keys(mut self, at_most: u32) -> Self {
        self.keys = at_most;
        self
    }

    /// At most so many others at once: sign-in, sessions, settings, the application's own rows for
    /// anybody.
    #[must_use]
    pub fn with_others(mut self, at_most: u32) -> Self {
        self.others = at_most;
        self
    }

    /// At most so many at once that may have to wait for one provider of social sign-in: those that
    /// leave for it, and those that come back.
    #[must_use]
    pub fn with_each_provider(mut self, at_most: u32) -> Self {
        self.each_provider = at_most;
        self
    }
}

/// The places that there are, by who takes them.
#[derive(Debug)]
pub(super) struct Places {
    #[cfg(feature = "apikey")]
    pub(super) keys: Lane,
    pub(super) others: Lane,
    #[cfg(feature = "oauth")]
    providers: Vec<Arc<Lane>>,
    #[cfg(feature = "oauth")]
    each_provider: u32,
}

impl Places {
    pub(super) fn new(of: Admission) -> Self {
        Self {
            #[cfg(feature = "apikey")]
            keys: Lane::new("api keys", of.keys),
            others: Lane::new("others", of.others),
            #[cfg(feature = "oauth")]
            providers: Vec::new(),
            #[cfg(feature = "oauth")]
            each_provider: of.each_provider,
        }
    }

    /// From now on there are so many, of those for providers too that were given out.
    pub(super) fn bound(&mut self, by: Admission) {
        let new = Self::new(by);
        #[cfg(feature = "oauth")]
        let new = Self {
            providers: std::mem::take(&mut self.providers),
            ..new
        };
        *self = new;
        #[cfg(feature = "oauth")]
        for lane in &self.providers {
            lane.bound(self.each_provider);
        }
    }

    /// The places of those who wait for this provider.
    #[cfg(feature = "oauth")]
    pub(super) fn for_provider(&mut self, name: &str) -> Arc<Lane> {
        let lane = Arc::new(Lane::new(name, self.each_provider));
        self.providers.push(Arc::clone(&lane));
        lane
    }

    /// A place for a request to this row; none where it is answered without waiting for anything,
    /// must be answered whatever happens, or takes one of its own.
    pub(super) fn take(&self, row: &Route) -> Result<Option<Place<'_>>, Problem> {
        match row.handler {
            #[cfg(feature = "apikey")]
            Handler::ApiKey(..) => self.keys.admit().map(Some),
            _ if is_admitted(row) => self.others.admit().map(Some),
            _ => Ok(None),
        }
    }
}

/// Whether a request to this row needs a place before its handler is asked.
pub(crate) fn is_admitted(row: &Route) -> bool {
    match row.handler {
        #[cfg(feature = "openapi")]
        Handler::Document => false,
        Handler::Public(_) if row.places_itself => false,
        Handler::Public(_) => !is_probe(row.path()) && row.path() != "/.well-known/jwks.json",
        #[cfg(any(feature = "apikey", feature = "session"))]
        _ => true,
    }
}
