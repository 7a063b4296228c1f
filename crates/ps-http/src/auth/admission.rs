//! How many requests are answered at once, so that an overload is refused and not queued.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Code, Problem, Route, edge::is_probe, route::Handler};

/// How many requests a node answers at the same time, those that wait for a store included. One more
/// gets 503 `unavailable` with `Retry-After`, at once.
///
/// Requests with API keys and all others are counted apart, 1024 of each: whatever machines do, people
/// can still refresh, sign in and revoke, and the other way round. `/healthz`, `/readyz`, the public
/// keys and the OpenAPI document are never counted.
///
/// The bound is what keeps a slow store from filling the memory: each place may hold a body of
/// [`BODY_LIMIT`](crate::BODY_LIMIT). It is no limit of a rate. A store that answers in 5 ms takes a
/// place for 5 ms, so that 1024 of them are 200 000 requests a second.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    keys: u32,
    others: u32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            keys: 1024,
            others: 1024,
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
}

/// The places that there are, by who takes them.
#[derive(Debug)]
pub(super) struct Places {
    #[cfg(feature = "apikey")]
    pub(super) keys: Lane,
    pub(super) others: Lane,
}

impl Places {
    pub(super) fn new(of: Admission) -> Self {
        Self {
            #[cfg(feature = "apikey")]
            keys: Lane::new("api keys", of.keys),
            others: Lane::new("others", of.others),
        }
    }

    /// A place for a request to this row; none where it is answered without waiting for anything,
    /// or must be answered whatever happens.
    pub(super) fn take(&self, row: &Route) -> Result<Option<Place<'_>>, Problem> {
        match row.handler {
            #[cfg(feature = "apikey")]
            Handler::ApiKey(..) => self.keys.take().map(Some),
            _ if is_admitted(row) => self.others.take().map(Some),
            _ => Ok(None),
        }
    }
}

/// Whether a request to this row needs a place.
pub(crate) fn is_admitted(row: &Route) -> bool {
    match row.handler {
        #[cfg(feature = "openapi")]
        Handler::Document => false,
        Handler::Public(_) => !is_probe(row.path()) && row.path() != "/.well-known/jwks.json",
        #[cfg(any(feature = "apikey", feature = "session"))]
        _ => true,
    }
}

/// Apart from what is read beside it: it is written twice a request.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Lane {
    name: &'static str,
    taken: AtomicU32,
    at_most: u32,
}

impl Lane {
    fn new(name: &'static str, at_most: u32) -> Self {
        let taken = AtomicU32::new(0);
        Self {
            name,
            taken,
            at_most,
        }
    }

    /// A place until it is dropped, however the request ends: answered, panicked, or left by its
    /// client.
    pub(super) fn take(&self) -> Result<Place<'_>, Problem> {
        // Nothing is published by the number, so no order is asked for.
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        let place = Place(&self.taken);
        if before < self.at_most {
            Ok(place)
        } else {
            tracing::warn!(lane = self.name, at_most = self.at_most, "no place is left");
            Err(Problem::new(Code::Unavailable))
        }
    }
}

#[derive(Debug)]
pub(super) struct Place<'a>(&'a AtomicU32);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_places_are_ever_held() {
        let lane = Lane::new("test", 3);
        let held = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(_place) = lane.take() {
                            assert!(held.fetch_add(1, Ordering::SeqCst) < 3);
                            std::thread::yield_now();
                            held.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(lane.taken.load(Ordering::Relaxed), 0);
        let all: Vec<_> = std::iter::from_fn(|| lane.take().ok()).collect();
        assert_eq!(all.len(), 3);
    }
}
