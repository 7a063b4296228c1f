//! Deleting what nobody asks for any more, a batch at a time.

use async_trait::async_trait;
use ps_core::{StoreResult, Timestamp};
use sqlx::AssertSqlSafe;

use crate::{
    backend::{Connection, Unit},
    statement::Statement,
};

/// What is deleted of a table.
#[derive(Clone, Copy)]
pub(crate) struct Purged {
    pub(crate) table: &'static str,
    /// The columns that name a row.
    pub(crate) key: &'static str,
    /// The condition that a row is old, where `$1` is the moment and `$2` the size of the batch.
    pub(crate) which: &'static str,
    /// The column by which the oldest come first.
    pub(crate) oldest: &'static str,
}

/// Deletes the oldest rows, and answers how many.
pub(crate) struct Purge {
    of: Purged,
    before: Timestamp,
    at_most: u32,
}

impl Purge {
    pub(crate) fn new(of: Purged, before: Timestamp, at_most: u32) -> Self {
        Self {
            of,
            before,
            at_most,
        }
    }
}

#[async_trait]
impl Unit for Purge {
    const IS_ONE_STATEMENT: bool = true;

    type Outcome = u32;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<u32> {
        let Purged {
            table,
            key,
            which,
            oldest,
        } = self.of;
        // The rows are chosen apart: a subquery that locks may run more than once, and choose more.
        let purge = Statement::new(AssertSqlSafe(format!(
            "WITH old AS (SELECT {key} FROM {table} WHERE {which} ORDER BY {oldest} LIMIT $2 {}) \
             DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM old) RETURNING {oldest}",
            on.passing_over_locked()
        )));
        let gone = on.rows(purge.with(self.before).with(self.at_most)).await?;
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }
}
