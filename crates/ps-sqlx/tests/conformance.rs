//! What every store promises, held to by SQLite.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::Folder;
use ps_sqlx::SqliteStore;
use ps_testkit::conformance::Harness;

ps_testkit::conformance!(
    OnSqlite(Folder::new()) => users, accounts, limiter, changes, across_flows,
    keys, keys_at_rest, sessions, sessions_at_rest, challenges, challenges_at_rest,
    identities, passwords,
);

struct OnSqlite(Folder);

#[async_trait]
impl Harness for OnSqlite {
    type Store = SqliteStore;

    async fn fresh(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.0.database()).await.unwrap())
    }

    /// The database and its log.
    async fn dump(&self, _store: &SqliteStore) -> Option<Vec<u8>> {
        Some(self.0.bytes())
    }
}
