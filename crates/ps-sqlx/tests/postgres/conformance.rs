//! How the suites come by a store.

use std::sync::Arc;

use async_trait::async_trait;
use ps_sqlx::PostgresStore;
use ps_testkit::conformance::Harness;

use crate::schema::Schema;

/// For one property: its schema holds one store.
pub(crate) struct OnPostgres(pub(crate) Schema);

#[async_trait]
impl Harness for OnPostgres {
    type Store = PostgresStore;

    async fn fresh(&self) -> Arc<PostgresStore> {
        Arc::new(self.0.open().await)
    }

    /// All rows of all tables.
    async fn dump(&self, _store: &PostgresStore) -> Option<Vec<u8>> {
        Some(self.0.dump().await)
    }
}
