#![doc = include_str!("../README.md")]
// The ports are written once for every database; with none there is nobody to use them.
#![cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]

mod accounts;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod audit;
mod backend;
#[cfg(feature = "magiccode")]
mod challenges;
mod changes;
#[cfg(feature = "magiccode")]
mod counts;
mod error;
mod fence;
#[cfg(feature = "oauth")]
mod identities;
#[cfg(feature = "apikey")]
mod keys;
mod limiter;
mod migrate;
#[cfg(feature = "password")]
mod passwords;
#[cfg(feature = "postgres")]
mod postgres;
mod purge;
mod row;
#[cfg(feature = "session")]
mod sessions;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod users;

use std::{fmt, sync::Arc};

use ps_core::{Clock, Random, SystemClock, SystemRandom};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use audit::{AuditEntry, AuditLog};
pub use error::OpenError;
pub use fence::{Fenced, KeyToReview};
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresOptions, PostgresUrl};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

/// Every port on SQLite.
#[cfg(feature = "sqlite")]
pub type SqliteStore = SqlStore<Sqlite>;

/// Every port on PostgreSQL.
#[cfg(feature = "postgres")]
pub type PostgresStore = SqlStore<Postgres>;

/// Every port on one database. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct SqlStore<DB> {
    database: DB,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl<DB> SqlStore<DB> {
    fn new(database: DB) -> Self {
        Self {
            database,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// Draws the ids of new users from `random` instead of the system's.
    #[must_use]
    pub fn with_random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Takes `clock` as the store's own where the database has none, as SQLite has not. It is
    /// [`Changes::time`](ps_core::Changes::time) and decides nothing.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl<DB> fmt::Debug for SqlStore<DB> {
    /// Shows nothing of what is stored, nor where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").finish_non_exhaustive()
    }
}
