//! Units of work that share one transaction.

use async_trait::async_trait;
use ps_core::{StoreError, StoreResult};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use crate::{backend::Unit, sqlite::connect::File};

pub(super) type Group = Vec<Box<dyn Job>>;

/// A unit, and who asked for it.
#[async_trait]
pub(super) trait Job: Send {
    fn is_one_statement(&self) -> bool;

    /// Runs it, once more if need be, and keeps what it answered; whether that is no error.
    async fn run(&mut self, on: &mut SqliteConnection) -> bool;

    /// Tells who asked what it answered.
    fn acknowledge(self: Box<Self>);

    /// Tells who asked that it did not happen.
    fn refuse(self: Box<Self>, why: StoreError);
}

pub(super) struct Asked<U: Unit> {
    unit: U,
    outcome: StoreResult<U::Outcome>,
    answer: oneshot::Sender<StoreResult<U::Outcome>>,
}

impl<U: Unit> Asked<U> {
    pub(super) fn new(unit: U, answer: oneshot::Sender<StoreResult<U::Outcome>>) -> Self {
        Self {
            unit,
            outcome: Err(StoreError::new("the unit was not run")),
            answer,
        }
    }
}

/// Where nobody waits for an answer any more, the unit has happened all the same.
#[async_trait]
impl<U: Unit> Job for Asked<U> {
    fn is_one_statement(&self) -> bool {
        U::IS_ONE_STATEMENT
    }

    async fn run(&mut self, on: &mut SqliteConnection) -> bool {
        self.outcome = self.unit.run(on).await;
        self.outcome.is_ok()
    }

    fn acknowledge(self: Box<Self>) {
        let _ = self.answer.send(self.outcome);
    }

    fn refuse(self: Box<Self>, why: StoreError) {
        let _ = self.answer.send(Err(why));
    }
}

/// What became of a group.
pub(super) enum Outcome {
    /// Each job has its answer, and what it did is durable.
    Answered,
    /// Nothing happened, nor could any of the jobs happen by itself now.
    NotCommitted(sqlx::Error),
    /// One of several jobs failed, so nothing happened.
    Undone,
}

/// What writes: a connection, replaced where it was left in a state that nobody knows.
pub(super) struct Pen {
    file: File,
    connection: Option<SqliteConnection>,
}

impl Pen {
    pub(super) fn new(file: File, connection: SqliteConnection) -> Self {
        Self {
            file,
            connection: Some(connection),
        }
    }

    /// Runs a job of one statement, which is a transaction by itself.
    pub(super) async fn write_one(&mut self, job: &mut dyn Job) -> Outcome {
        let mut connection = match self.take().await {
            Ok(connection) => connection,
            Err(error) => return Outcome::NotCommitted(error),
        };
        if job.run(&mut connection).await {
            self.connection = Some(connection);
        }
        Outcome::Answered
    }

    /// Runs `group` in one transaction, with those whom `join` adds when it has begun. Where it
    /// cannot begin they share that too: they waited as well, and would only wait again.
    pub(super) async fn write(
        &mut self,
        group: &mut Group,
        join: impl FnOnce(&mut Group) + Send,
    ) -> Outcome {
        let mut connection = match self.take().await {
            Ok(connection) => connection,
            Err(error) => return Outcome::NotCommitted(error),
        };
        match write(&mut connection, group, join).await {
            Ok(outcome) => {
                self.connection = Some(connection);
                outcome
            }
            Err(error) => Outcome::NotCommitted(error),
        }
    }

    pub(super) async fn close(self) {
        if let Some(connection) = self.connection {
            // What was acknowledged is in the log whether or not that goes well.
            let _ = connection.close().await;
        }
    }

    async fn take(&mut self) -> Result<SqliteConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.file.connect().await,
        }
    }
}

async fn write(
    connection: &mut SqliteConnection,
    group: &mut Group,
    join: impl FnOnce(&mut Group) + Send,
) -> Result<Outcome, sqlx::Error> {
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    join(group);
    let mut transaction = begun?;
    for job in &mut *group {
        if !job.run(&mut transaction).await {
            transaction.rollback().await?;
            let is_alone = group.len() == 1;
            return Ok(if is_alone {
                Outcome::Answered
            } else {
                Outcome::Undone
            });
        }
    }
    transaction.commit().await?;
    Ok(Outcome::Answered)
}
