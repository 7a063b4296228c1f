//! How a unit is carried out on a connection.

use std::{error::Error, time::Duration};

use ps_core::{StoreError, StoreResult};
use sqlx::{Connection, PgConnection, pool::PoolConnection};
use tokio::time::timeout;

use crate::backend::Unit;

/// How often a unit is run again that the server undid for another's sake.
const REPETITIONS: u32 = 3;
/// How long a unit may take, whatever became of the server: it can tell a slow statement, and nobody
/// can tell whether it is there at all.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn carry_out<U: Unit>(
    unit: U,
    mut connection: PoolConnection<sqlx::Postgres>,
) -> StoreResult<U::Outcome> {
    let outcome = timeout(PATIENCE, repeat(&unit, &mut connection)).await;
    outcome.unwrap_or_else(|_| {
        // Who waits for it to be of use again would wait as long.
        connection.close_on_drop();
        Err(StoreError::new("the database did not answer in time"))
    })
}

async fn repeat<U: Unit>(unit: &U, connection: &mut PgConnection) -> StoreResult<U::Outcome> {
    for _ in 0..REPETITIONS {
        match run(unit, connection).await {
            Err(error) if is_undone_for_another(&error) => {}
            outcome => return outcome,
        }
    }
    run(unit, connection).await
}

async fn run<U: Unit>(unit: &U, connection: &mut PgConnection) -> StoreResult<U::Outcome> {
    if U::IS_ONE_STATEMENT {
        return unit.run(connection).await;
    }
    let mut transaction = connection.begin().await.map_err(StoreError::new)?;
    match unit.run(&mut *transaction).await {
        Ok(outcome) => {
            transaction.commit().await.map_err(StoreError::new)?;
            Ok(outcome)
        }
        Err(error) => {
            // Where that fails, the connection is lost, and with it the transaction.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Whether the server says that nothing happened and that the same may go well another time.
/// <https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html>
fn is_undone_for_another(error: &StoreError) -> bool {
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK_DETECTED: &str = "40P01";
    let error = error.source().and_then(|cause| cause.downcast_ref());
    let error = error.and_then(sqlx::Error::as_database_error);
    let code = error.and_then(|error| error.code());
    code.is_some_and(|code| [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].contains(&&*code))
}
