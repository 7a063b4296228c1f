//! How a server is connected to.

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tokio::time::timeout;

use crate::{OpenError, PostgresOptions, backend::Unit, migrate::Migrate};

/// Enough for every statement there is, so that none is prepared twice.
const STATEMENTS: usize = 256;

/// Said once on each connection. A server that only repeats another's changes is refused: it would
/// go on to accept what has ended. A statement, its wait for locks included, is given up before the
/// caller is; a transaction that nobody goes on with does not hold its locks; and each statement
/// sees what was committed before it, which is what makes a lock of its own statement worth taking.
const SESSION: &str = "\
    DO $$ BEGIN IF pg_is_in_recovery() THEN \
        RAISE EXCEPTION 'this server is a replica, and the store must ask the primary'; \
    END IF; END $$; \
    SET statement_timeout = '2s'; \
    SET idle_in_transaction_session_timeout = '5s'; \
    SET default_transaction_isolation = 'read committed'";

/// For migrations only: they wait for one another.
const PATIENTLY: &str = "SET LOCAL statement_timeout = '60s'";

/// Connections to a database, when its tables are up to date.
pub(super) async fn connections(
    at: PgConnectOptions,
    options: PostgresOptions,
) -> Result<PgPool, OpenError> {
    let how = at.statement_cache_capacity(STATEMENTS);
    let how = how.disable_statement_logging();
    prepare(&how, options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections())
        .acquire_timeout(options.acquire_timeout())
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SESSION).await.map(drop) })
        })
        .connect_lazy_with(how);
    Ok(pool)
}

/// Sees that the server is one to use, and brings the tables up to date, on a connection of its own:
/// it remembers statements that nobody needs again, and the pool does not tell why it has none.
async fn prepare(how: &PgConnectOptions, options: PostgresOptions) -> Result<(), OpenError> {
    let unreachable = |error: sqlx::Error| OpenError::Unreachable(error.into());
    let connecting = async {
        let mut connection = how.connect().await?;
        connection.execute(SESSION).await?;
        Ok(connection)
    };
    let connecting = timeout(options.acquire_timeout(), connecting).await;
    let mut connection = connecting
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map_err(unreachable)?;
    migrate(&mut connection).await?;
    // Whether or not the server hears of it.
    let _ = connection.close().await;
    Ok(())
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
