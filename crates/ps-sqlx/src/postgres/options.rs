//! What an application may choose of how PostgreSQL is used.

use std::{num::NonZeroU32, time::Duration};

/// How a store uses its server. The default is what most services need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    max_connections: NonZeroU32,
    acquire_timeout: Duration,
}

impl PostgresOptions {
    /// Opens at most so many connections instead of 10.
    ///
    /// All nodes together must leave the server some of its own `max_connections`, for whoever has
    /// to look after it. More than a few for each of its cores make nothing faster.
    #[must_use]
    pub fn with_max_connections(mut self, at_most: NonZeroU32) -> Self {
        self.max_connections = at_most;
        self
    }

    /// Lets a caller wait so long for a free connection, or for a new one, instead of 1 s: then it
    /// is a [`StoreError`](ps_core::StoreError). What the wait is good for is a burst; a server that
    /// is too slow for what is asked of it makes everybody wait as long.
    #[must_use]
    pub fn with_acquire_timeout(mut self, at_most: Duration) -> Self {
        self.acquire_timeout = at_most;
        self
    }

    pub(super) fn acquire_timeout(self) -> Duration {
        self.acquire_timeout
    }

    pub(super) fn max_connections(self) -> u32 {
        self.max_connections.get()
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        const TEN: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
        Self {
            max_connections: TEN,
            acquire_timeout: Duration::from_secs(1),
        }
    }
}
