//! SQLite: one writer, which commits in groups, and readers beside it.

mod connect;
mod group;
mod writer;

use std::{fmt, path::Path};

use async_trait::async_trait;
use ps_core::{StoreError, StoreResult};
use sqlx::{
    Decode, Executor, Row as _, SqliteConnection, SqlitePool, TypeInfo, ValueRef,
    error::BoxDynError,
    query,
    sqlite::{SqliteRow, SqliteValueRef},
};

use crate::{
    OpenError, SqliteStore,
    backend::{Backend, Connection, Unit},
    row::Row,
    sqlite::{connect::File, writer::Writer},
    statement::{Statement, Value},
};

/// A SQLite database: a file, and what is open on it.
#[derive(Clone)]
pub struct Sqlite {
    readers: SqlitePool,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database file at `location`, a path or a `sqlite:` URL without parameters; makes it
    /// if it is not there, and brings its tables up to date.
    ///
    /// Any number of processes on one machine may open the same file. Runs on tokio, and writes on
    /// a task of the runtime that it was opened on.
    ///
    /// # Errors
    /// [`OpenError`]: the location is no file's, the file cannot be opened, or its tables are not
    /// ours to change.
    pub async fn open(location: impl AsRef<Path>) -> Result<Self, OpenError> {
        let file = File::at(location.as_ref())?;
        let connection = file.prepare().await?;
        Ok(Self::new(Sqlite {
            readers: file.readers().await?,
            writer: Writer::start(file, connection),
        }))
    }

    /// Finishes what waits to be written, and closes the file. Whoever asks later, by any handle,
    /// gets an error.
    ///
    /// Dropping every handle finishes what waits as well, if the runtime lives that long; this is
    /// the way to know.
    pub async fn close(&self) {
        self.database.readers.close().await;
        self.database.writer.close().await;
    }
}

impl Backend for Sqlite {
    #[cfg(feature = "apikey")]
    const HAS_ARRAYS: bool = false;
    const HAS_CLOCK: bool = false;

    async fn read(&self, statement: Statement) -> StoreResult<Vec<Row>> {
        fetch(&self.readers, statement).await
    }

    async fn write<U: Unit>(&self, unit: U) -> StoreResult<U::Outcome> {
        self.writer.write(unit).await
    }
}

#[async_trait]
impl Connection for SqliteConnection {
    async fn rows(&mut self, statement: Statement) -> StoreResult<Vec<Row>> {
        fetch(self, statement).await
    }

    /// There is one writer, and its transaction holds the file.
    async fn lock(&mut self, _what: &[&str]) -> StoreResult<()> {
        Ok(())
    }

    #[cfg(feature = "magiccode")]
    fn is_alone(&self) -> bool {
        true
    }

    #[cfg(feature = "magiccode")]
    fn in_one_go(&self, sqlite: &'static str, _: &'static str) -> &'static str {
        sqlite
    }

    fn passing_over_locked(&self) -> &'static str {
        ""
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

/// Runs a statement until it is done, never only to its first row: outside of a transaction that is
/// where it commits, and an error of the commit would be lost.
async fn fetch<'c>(
    on: impl Executor<'c, Database = sqlx::Sqlite>,
    statement: Statement,
) -> StoreResult<Vec<Row>> {
    let mut query = query(statement.sql);
    for value in statement.values {
        query = match value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Digests(_) => return Err(StoreError::new("SQLite has no arrays")),
            Value::Integer(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        };
    }
    let rows = query.fetch_all(on).await.map_err(StoreError::new)?;
    rows.iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(StoreError::new)
}

fn read(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let columns = (0..row.len()).map(|place| {
        let value = row.try_get_raw(place)?;
        value_of(value).map_err(sqlx::Error::Decode)
    });
    let columns: Vec<_> = columns.collect::<Result<_, sqlx::Error>>()?;
    Ok(Row::new(columns))
}

/// A value as it is, whatever its column was declared to hold.
fn value_of(value: SqliteValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Integer(None));
    }
    let kind = value.type_info().into_owned();
    match kind.name() {
        "BLOB" => Decode::<sqlx::Sqlite>::decode(value).map(Value::Bytes),
        "INTEGER" => Decode::<sqlx::Sqlite>::decode(value).map(Value::Integer),
        "TEXT" => Decode::<sqlx::Sqlite>::decode(value).map(Value::Text),
        other => Err(format!("nothing stored is of the type {other}").into()),
    }
}
