//! The one writer. What waits together is committed together: a commit waits for the disk, and a
//! statement costs next to nothing beside that.

use std::{sync::Arc, time::Duration};

use ps_core::{StoreError, StoreResult};
use sqlx::SqliteConnection;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    backend::Unit,
    sqlite::{
        connect::File,
        group::{Asked, Group, Job, Outcome, Pen},
    },
};

/// How many units may wait, and so how many share a commit at most.
const QUEUE: usize = 512;
/// How long a caller waits for a place among them.
const PLACE_TIMEOUT: Duration = Duration::from_secs(1);

/// The way to the writer, which stops when the last of its handles is gone and nothing waits.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

enum Message {
    Close,
    Write(Box<dyn Job>),
}

impl Writer {
    pub(super) fn start(file: File, connection: SqliteConnection) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let pen = Pen::new(file, connection);
        let running = tokio::spawn(run(Waiting(messages), pen));
        Self {
            queue,
            task: Arc::new(Mutex::new(Some(running))),
        }
    }

    pub(super) async fn write<U: Unit>(&self, unit: U) -> StoreResult<U::Outcome> {
        let (answer, answered) = oneshot::channel();
        let job = Message::Write(Box::new(Asked::new(unit, answer)));
        let sent = self.queue.send_timeout(job, PLACE_TIMEOUT).await;
        sent.map_err(|_| StoreError::new("the writer is busy or closed"))?;
        let gone = |_| Err(StoreError::new("the writer is gone"));
        answered.await.unwrap_or_else(gone)
    }

    /// Returns when everything that was asked before has been answered.
    pub(super) async fn close(&self) {
        let mut task = self.task.lock().await;
        // Where it has stopped by itself, nobody takes the message and nothing is left to do.
        let _ = self.queue.send(Message::Close).await;
        if let Some(running) = task.take() {
            let _ = running.await;
        }
    }
}

async fn run(mut waiting: Waiting, mut pen: Pen) {
    while let Some(job) = waiting.next().await {
        let mut group = vec![job];
        let outcome = if group[0].is_one_statement() && waiting.0.is_empty() {
            pen.write_one(&mut *group[0]).await
        } else {
            pen.write(&mut group, |group| waiting.join(group)).await
        };
        match outcome {
            Outcome::Answered => group.into_iter().for_each(Job::acknowledge),
            Outcome::NotCommitted(error) => refuse(group, error),
            Outcome::Undone => write_each(&mut pen, group).await,
        }
    }
    pen.close().await;
}

/// Each by itself, so that only those fail whose fault it was.
async fn write_each(pen: &mut Pen, group: Group) {
    let mut jobs = group.into_iter();
    while let Some(job) = jobs.next() {
        let mut alone = vec![job];
        match pen.write(&mut alone, |_| ()).await {
            Outcome::Answered | Outcome::Undone => {
                alone.into_iter().for_each(Job::acknowledge);
            }
            Outcome::NotCommitted(error) => return refuse(alone.into_iter().chain(jobs), error),
        }
    }
}

/// What the members of a group are told whose transaction could not be begun or committed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the transaction was not committed")]
struct Refused(#[source] Arc<sqlx::Error>);

fn refuse(group: impl IntoIterator<Item = Box<dyn Job>>, error: sqlx::Error) {
    let refused = Refused(Arc::new(error));
    for job in group {
        job.refuse(StoreError::new(refused.clone()));
    }
}

struct Waiting(mpsc::Receiver<Message>);

impl Waiting {
    async fn next(&mut self) -> Option<Box<dyn Job>> {
        loop {
            let message = self.0.recv().await?;
            if let Some(job) = self.job(message) {
                return Some(job);
            }
        }
    }

    /// Adds to `group` what waits by now.
    fn join(&mut self, group: &mut Group) {
        while group.len() < QUEUE
            && let Ok(message) = self.0.try_recv()
        {
            group.extend(self.job(message));
        }
    }

    fn job(&mut self, message: Message) -> Option<Box<dyn Job>> {
        match message {
            Message::Close => {
                self.0.close();
                None
            }
            Message::Write(job) => Some(job),
        }
    }
}
