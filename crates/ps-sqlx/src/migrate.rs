//! The tables, brought up to date.

use async_trait::async_trait;
use ps_core::{StoreError, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use crate::{
    backend::{Connection, Unit},
    row::firsts,
    statement::Statement,
};

/// Forward only: version, name and text. What was released never changes, for its checksum is in
/// the databases. Each statement ends its line with a semicolon, and nothing else does.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "tables", include_str!("../migrations/0001_tables.sql")),
    (2, "lanes", include_str!("../migrations/0002_lanes.sql")),
    (
        3,
        "disabled accounts",
        include_str!("../migrations/0003_disabled_accounts.sql"),
    ),
];

/// Runs what has not run yet. Migrations are counted in a table of their own, since sqlx's may be
/// the host's; and those of a newer version, which runs beside this one, are nothing to us.
pub(crate) struct Migrate {
    /// What the database calls the order of bytes. The migrations say `"binary"`, as SQLite does.
    pub(crate) byte_order: &'static str,
}

#[async_trait]
impl Unit for Migrate {
    type Outcome = ();

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<()> {
        on.lock(&["migrations"]).await?;
        let count = Statement::new(
            "CREATE TABLE IF NOT EXISTS ps_migrations \
             (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum BYTEA NOT NULL)",
        );
        on.rows(count).await?;
        for (version, name, text) in MIGRATIONS {
            let checksum: [u8; 32] = Sha256::digest(text).into();
            let applied = Statement::new("SELECT checksum FROM ps_migrations WHERE version = $1");
            match firsts::<[u8; 32]>(on.rows(applied.with(*version)).await?)?.pop() {
                Some(applied) if applied == checksum => {}
                Some(_) => return Err(StoreError::new(Altered { version: *version })),
                None => {
                    apply(on, text, self.byte_order).await?;
                    let record = Statement::new(
                        "INSERT INTO ps_migrations (version, name, checksum) VALUES ($1, $2, $3)",
                    );
                    let record = record.with(*version).with(*name).with(&checksum);
                    on.rows(record).await?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("migration {version} was applied with another text than this version's")]
struct Altered {
    version: i64,
}

async fn apply(on: &mut dyn Connection, text: &str, byte_order: &str) -> StoreResult<()> {
    let collation = format!("COLLATE \"{byte_order}\"");
    let text = text.replace("COLLATE \"binary\"", &collation);
    for statement in text.split_inclusive(";\n") {
        let statement = AssertSqlSafe(statement.to_owned());
        on.rows(Statement::new(statement)).await?;
    }
    Ok(())
}
