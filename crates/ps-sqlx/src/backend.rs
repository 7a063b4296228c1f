//! What the ports ask of a database, so that each of them is written once.

use std::{fmt, future::Future};

use async_trait::async_trait;
use ps_core::StoreResult;

use crate::{row::Row, statement::Statement};

/// A database.
pub(crate) trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Whether one value can be many, so that one statement serves any number of them.
    #[cfg(feature = "apikey")]
    const HAS_ARRAYS: bool;

    /// Whether it can be asked for the time.
    const HAS_CLOCK: bool;

    /// Asks. What was acknowledged before is seen, and one statement sees one moment.
    fn read(&self, statement: Statement) -> impl Future<Output = StoreResult<Vec<Row>>> + Send;

    /// Carries out one unit of work, and answers when it is durable.
    ///
    /// A caller that hangs up leaves it either done or not done, never half.
    fn write<U: Unit>(&self, unit: U) -> impl Future<Output = StoreResult<U::Outcome>> + Send;
}

/// Work that happens as a whole or not at all. An error undoes it.
#[async_trait]
pub(crate) trait Unit: Send + Sync + 'static {
    /// Whether it runs exactly one statement, or one script within a savepoint, which needs no
    /// transaction around it.
    const IS_ONE_STATEMENT: bool = false;

    type Outcome: Send + 'static;

    /// Runs in a transaction that the caller commits. It may be undone and run again, so what it
    /// needs beyond the rows was drawn before.
    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Self::Outcome>;
}

/// Where a unit runs.
#[async_trait]
pub(crate) trait Connection: Send {
    /// Runs one statement to its end.
    async fn rows(&mut self, statement: Statement) -> StoreResult<Vec<Row>>;

    /// Waits until no other unit holds one of these locks, and holds them until the unit is over:
    /// for rules over rows that have no row in common, such as the mails to one address. Units that
    /// take several name them in the same order.
    async fn lock(&mut self, what: &[&str]) -> StoreResult<()>;

    /// Whether no other unit writes while this one runs, so that there is nothing to lock.
    #[cfg(feature = "magiccode")]
    fn is_alone(&self) -> bool;

    /// The text of what is done in one go, of two that do the same: one statement on PostgreSQL, and
    /// on SQLite, which has no statement over two tables, a script within a savepoint.
    #[cfg(feature = "magiccode")]
    fn in_one_go(&self, sqlite: &'static str, postgres: &'static str) -> &'static str;

    /// What a query ends with that chooses rows to delete, so that units which choose the same do
    /// not wait for each other.
    fn passing_over_locked(&self) -> &'static str;
}

/// The unit of one statement.
#[cfg(any(
    feature = "apikey",
    feature = "password",
    feature = "postgres",
    feature = "session"
))]
pub(crate) struct One(pub(crate) Statement);

#[cfg(any(
    feature = "apikey",
    feature = "password",
    feature = "postgres",
    feature = "session"
))]
#[async_trait]
impl Unit for One {
    const IS_ONE_STATEMENT: bool = true;

    type Outcome = Vec<Row>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Vec<Row>> {
        on.rows(self.0.clone()).await
    }
}
