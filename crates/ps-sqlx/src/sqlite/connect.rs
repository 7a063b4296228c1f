//! How a file is opened.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool, query,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::sleep;

use crate::{OpenError, backend::Unit, migrate::Migrate};

/// How long a write waits for another process's to be over.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for a free connection, or for the file.
const READ_TIMEOUT: Duration = Duration::from_secs(1);
const READERS: u32 = 4;

/// A database file.
pub(super) struct File(PathBuf);

impl File {
    /// An in-memory database is none: each connection would see its own. And a URL's parameters
    /// could take back what is promised about durability.
    pub(super) fn at(location: &Path) -> Result<Self, OpenError> {
        let url = location
            .to_str()
            .and_then(|text| text.strip_prefix("sqlite:"));
        let path = match url {
            Some(rest) if rest.contains('?') => return Err(OpenError::Location),
            Some(rest) => Path::new(rest.strip_prefix("//").unwrap_or(rest)),
            None => location,
        };
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            return Err(OpenError::Location);
        }
        Ok(Self(path.to_owned()))
    }

    /// Makes the file if need be, brings its tables up to date, and keeps the connection.
    pub(super) async fn prepare(&self) -> Result<SqliteConnection, OpenError> {
        let unreachable = |error: sqlx::Error| OpenError::Unreachable(error.into());
        self.make()
            .map_err(|error| OpenError::Unreachable(error.into()))?;
        let mut connection = self.connect().await.map_err(unreachable)?;
        into_wal(&mut connection).await.map_err(unreachable)?;
        migrate(&mut connection).await?;
        Ok(connection)
    }

    /// Makes the file, if it is not there, for its owner only: addresses stand in it. SQLite gives
    /// the files beside it the same mode. One that is there is left as it is.
    fn make(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.0) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// A connection that writes.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.options().busy_timeout(BUSY_TIMEOUT);
        options.create_if_missing(true).connect().await
    }

    /// Connections that cannot write.
    pub(super) async fn readers(&self) -> Result<SqlitePool, OpenError> {
        let options = self.options().busy_timeout(READ_TIMEOUT).read_only(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(READ_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        let pool = pool.connect_with(options).await;
        pool.map_err(|error| OpenError::Unreachable(error.into()))
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.0)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging()
    }
}

/// Stays in the file once it is set. Where two processes set it at once, SQLite does not wait for
/// the one that is first.
async fn into_wal(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match query("PRAGMA journal_mode = WAL")
            .execute(&mut *connection)
            .await
        {
            Err(error) if is_busy(&error) && waited < BUSY_TIMEOUT => {
                sleep(PAUSE).await;
                waited += PAUSE;
            }
            done => return done.map(|_| ()),
        }
    }
}

/// The low byte of a code says what happened, the rest where.
fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// In a transaction that begins by writing, so that of several processes one does it.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Migrations(error.into());
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut transaction = begun.map_err(failed)?;
    let migrate = Migrate {
        byte_order: "binary",
    };
    let run = migrate.run(&mut *transaction).await;
    run.map_err(|error| OpenError::Migrations(error.into()))?;
    transaction.commit().await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    // ST3
    #[tokio::test]
    async fn a_commit_waits_for_the_disk_and_a_reader_cannot_write() {
        let name = format!("ps-sqlx-connect-{}.db", std::process::id());
        let file = File::at(&std::env::temp_dir().join(name)).unwrap();
        let mut writer = file.prepare().await.unwrap();
        let settings = [
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA busy_timeout", "5000"),
        ];
        for (pragma, setting) in settings {
            let row = query(pragma).fetch_one(&mut writer).await.unwrap();
            let found = row.try_get::<String, _>(0);
            let found =
                found.or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
            assert_eq!(found.unwrap(), setting, "{pragma}");
        }
        let readers = file.readers().await.unwrap();
        let write = query("DELETE FROM ps_users").execute(&readers).await;
        assert!(write.is_err());
        assert_eq!(readers.options().get_acquire_timeout(), READ_TIMEOUT);
        readers.close().await;
        writer.close().await.unwrap();
        std::fs::remove_file(&file.0).unwrap();
    }

    #[test]
    fn a_location_is_a_file() {
        let table = [
            ("a.db", "a.db"),
            ("/var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "a.db"),
            ("sqlite://a.db", "a.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
        ];
        for (location, path) in table {
            let file = File::at(Path::new(location));
            assert!(
                file.is_ok_and(|file| file.0 == Path::new(path)),
                "{location}"
            );
        }
        for location in [
            "",
            "sqlite:",
            "sqlite://",
            ":memory:",
            "sqlite::memory:",
            "sqlite:a.db?mode=memory",
        ] {
            let file = File::at(Path::new(location));
            assert!(matches!(file, Err(OpenError::Location)), "{location}");
        }
    }
}
