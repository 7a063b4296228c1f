//! PostgreSQL: a few connections, and one transaction for each unit of several statements.

mod connect;
mod options;
mod unit;
mod url;

use std::fmt;

use async_trait::async_trait;
use ps_core::{StoreError, StoreResult};
use sqlx::{
    Decode, PgConnection, PgPool, Row as _, TypeInfo, ValueRef,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgRow, PgValueRef},
    query,
};
use tokio::{runtime::Handle, task::JoinSet};

pub use self::{options::PostgresOptions, url::PostgresUrl};
use crate::{
    OpenError, PostgresStore,
    backend::{Backend, Connection, One, Unit},
    postgres::{connect::connections, unit::carry_out},
    row::Row,
    statement::{Statement, Value},
};

/// A PostgreSQL database, and the connections to it.
#[derive(Clone)]
pub struct Postgres {
    connections: PgPool,
    /// The one that the store was opened on. A connection lives as long as the runtime that it was
    /// made on, and callers may be on others that end sooner, as actix-web's workers are.
    runtime: Handle,
}

impl PostgresStore {
    /// Opens the database that `url` names (`postgres://user:password@host/database`), and brings
    /// its tables up to date. They stand in the schema that is first on the search path.
    ///
    /// Any number of processes may open the same database. Runs on tokio, and uses its connections
    /// on the runtime that it was opened on, whoever asks.
    ///
    /// # Errors
    /// [`OpenError`]: the URL is not one, the server does not let us in, or the tables are not ours
    /// to change. No error shows the URL, in which there may be a password.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, PostgresOptions::default()).await
    }

    /// As [`open`](Self::open), with other numbers than the default ones.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        Self::open_at(PostgresUrl::parse(url)?, options).await
    }

    /// As [`open_with`](Self::open_with), of a URL that was read before.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the URL.
    pub async fn open_at(url: PostgresUrl, options: PostgresOptions) -> Result<Self, OpenError> {
        let connections = connections(url.into_options(), options).await?;
        let runtime = Handle::current();
        Ok(Self::new(Postgres {
            connections,
            runtime,
        }))
    }

    /// Finishes what was begun, and closes the connections. Whoever asks later, by any handle, gets
    /// an error.
    pub async fn close(&self) {
        self.database.connections.close().await;
    }
}

impl Backend for Postgres {
    #[cfg(feature = "apikey")]
    const HAS_ARRAYS: bool = true;
    const HAS_CLOCK: bool = true;

    async fn read(&self, statement: Statement) -> StoreResult<Vec<Row>> {
        self.write(One(statement)).await
    }

    /// In a task of its own, so that it goes on when the caller hangs up: a connection whose `BEGIN`
    /// nobody waited for would be handed on within that transaction, and what is done there is
    /// acknowledged and never committed.
    async fn write<U: Unit>(&self, unit: U) -> StoreResult<U::Outcome> {
        let connection = self.connection().await?;
        let carrying_out = self.runtime.spawn(carry_out(unit, connection));
        let carried_out = carrying_out.await;
        carried_out.unwrap_or_else(|error| Err(StoreError::new(error)))
    }
}

impl Postgres {
    /// One that waits to be of use, or a new one.
    async fn connection(&self) -> StoreResult<PoolConnection<sqlx::Postgres>> {
        if let Some(connection) = self.connections.try_acquire() {
            return Ok(connection);
        }
        // Dropped with the caller who waits for it.
        let mut acquiring = JoinSet::new();
        let connections = self.connections.clone();
        acquiring.spawn_on(async move { connections.acquire().await }, &self.runtime);
        match acquiring.join_next().await {
            Some(Ok(acquired)) => acquired.map_err(StoreError::new),
            Some(Err(error)) => Err(StoreError::new(error)),
            None => Err(StoreError::new("nobody waited for a connection")),
        }
    }
}

#[async_trait]
impl Connection for PgConnection {
    async fn rows(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        fetch(self, statement).await.map_err(StoreError::new)
    }

    /// By the hashes of their names, among the locks that an application makes up for itself.
    async fn lock(&mut self, what: &[&str]) -> StoreResult<()> {
        /// So that another's lock of the same name is another lock.
        const OURS: i64 = 0x70_732d_6175_7468;
        let lock = query(
            "SELECT pg_advisory_xact_lock(hashtextextended(name COLLATE \"C\", $2)) \
             FROM unnest($1) AS name",
        );
        let locked = lock.bind(what).bind(OURS).execute(self).await;
        locked.map(drop).map_err(StoreError::new)
    }

    #[cfg(feature = "magiccode")]
    fn is_alone(&self) -> bool {
        false
    }

    #[cfg(feature = "magiccode")]
    fn in_one_go(&self, _: &'static str, postgres: &'static str) -> &'static str {
        postgres
    }

    fn passing_over_locked(&self) -> &'static str {
        "FOR UPDATE SKIP LOCKED"
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

async fn fetch(on: &mut PgConnection, statement: Statement) -> Result<Vec<Row>, sqlx::Error> {
    let mut query = query(statement.sql);
    for value in statement.values {
        query = match value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Digests(digests) => query.bind(digests),
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        };
    }
    let rows = query.fetch_all(on).await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<Row, sqlx::Error> {
    let columns = (0..row.len()).map(|place| {
        let value = row.try_get_raw(place)?;
        value_of(value).map_err(sqlx::Error::Decode)
    });
    let columns: Vec<_> = columns.collect::<Result<_, sqlx::Error>>()?;
    Ok(Row::new(columns))
}

fn value_of(value: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Integer(None));
    }
    let kind = value.type_info().into_owned();
    match kind.name() {
        "BYTEA" => Decode::<sqlx::Postgres>::decode(value).map(Value::Bytes),
        "INT8" => Decode::<sqlx::Postgres>::decode(value).map(Value::Integer),
        "TEXT" => Decode::<sqlx::Postgres>::decode(value).map(Value::Text),
        other => Err(format!("nothing stored is of the type {other}").into()),
    }
}
