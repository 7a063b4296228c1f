//! How a server is connected to.

use std::str::FromStr;

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{OpenError, PostgresOptions, backend::Unit, migrate::Migrate};

/// Enough for every statement there is, so that none is prepared twice.
const STATEMENTS: usize = 256;

/// Said once on each connection. A statement, its wait for locks included, is given up before the
/// caller is; a transaction that nobody goes on with does not hold its locks; and each statement
/// sees what was committed before it, which is what makes a lock of its own statement worth taking.
const SESSION: &str = "\
    SET statement_timeout = '2s'; \
    SET idle_in_transaction_session_timeout = '5s'; \
    SET default_transaction_isolation = 'read committed'";

/// For migrations only: they wait for one another.
const PATIENTLY: &str = "SET LOCAL statement_timeout = '60s'";

/// What a URL may say. The driver passes over what it does not know, so that who misspells
/// `sslmode` would be connected in clear.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// A database of a server. It cannot be printed, for the password is in it.
pub(super) struct Server(PgConnectOptions);

impl Server {
    pub(super) fn at(url: &str) -> Result<Self, OpenError> {
        let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_ours || !parameters(url).all(is_known) {
            return Err(OpenError::Location);
        }
        // What the driver says of a bad URL may repeat parts of it.
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Location)?;
        Ok(Self(match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("ps-auth"),
        }))
    }

    /// Connections to it, when its tables are up to date.
    pub(super) async fn connections(self, options: PostgresOptions) -> Result<PgPool, OpenError> {
        let unreachable = |error: sqlx::Error| OpenError::Unreachable(error.into());
        let how = self.0.statement_cache_capacity(STATEMENTS);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections())
            .acquire_timeout(options.acquire_timeout())
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(drop) })
            })
            .connect_with(how.disable_statement_logging())
            .await
            .map_err(unreachable)?;
        let mut connection = pool.acquire().await.map_err(unreachable)?;
        migrate(&mut connection).await?;
        close(connection).await;
        Ok(pool)
    }
}

/// In one transaction, so that of several processes one does it, wholly or not at all.
async fn migrate(connection: &mut PgConnection) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Migrations(error.into());
    let mut transaction = connection.begin().await.map_err(failed)?;
    transaction.execute(PATIENTLY).await.map_err(failed)?;
    let run = Migrate { byte_order: "C" }.run(&mut *transaction).await;
    run.map_err(|error| OpenError::Migrations(error.into()))?;
    transaction.commit().await.map_err(failed)
}

/// It remembers statements that nobody needs again.
async fn close(connection: PoolConnection<sqlx::Postgres>) {
    // Whether or not the server hears of it.
    let _ = connection.close().await;
}

/// The names of a URL's parameters, as they are written.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let (_, all) = url.split_once('?').unwrap_or_default();
    let all = all.split_once('#').map_or(all, |(all, _)| all);
    let each = all.split('&').filter(|one| !one.is_empty());
    each.map(|one| one.split_once('=').map_or(one, |(name, _)| name))
}

fn is_known(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter) || parameter.starts_with("options[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_that_is_wholly_understood() {
        for url in [
            "postgres://host/database",
            "postgresql://user:p%40ss@host:5433/database?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://%2Fvar%2Frun%2Fpostgresql/database?user=a&options[search_path]=b",
        ] {
            assert!(Server::at(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "host=localhost",
            "mysql://host/database",
            "postgres://host/database?sslmod=verify-full",
            "postgres://host/database?sslmode=verify_full",
            "postgres://host/database?%73slmode=require",
            "postgres://host:port/database",
        ] {
            let server = Server::at(url);
            assert!(matches!(server, Err(OpenError::Location)), "{url}");
        }
    }

    #[test]
    fn no_error_shows_the_password() {
        for url in [
            "postgres://u:hunter2@[::1/d",
            "postgres://u:hunter2@h/d?hunter2=1",
        ] {
            let error = Server::at(url).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
