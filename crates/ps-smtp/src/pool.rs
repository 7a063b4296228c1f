//! The connections: few, and kept for the next mail.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ps_core::{Clock, Timestamp};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    connection::{Connection, Server},
    failure::{Cause, Progress, Stage},
    message::Written,
};

/// How many connections there are at most.
const CONNECTIONS: usize = 4;
/// For how long one is kept that nobody uses. Servers and firewalls forget them after minutes.
const IDLE: Duration = Duration::from_secs(30);
/// How long an idle connection may take to show that it is still there, and to say goodbye.
const PATIENCE: Duration = Duration::from_secs(2);

/// At most [`CONNECTIONS`] connections to one server, each with one mail at a time.
pub(crate) struct Pool {
    server: Server,
    room: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Timestamp,
}

impl Pool {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            room: Semaphore::new(CONNECTIONS),
            idle: Mutex::default(),
        }
    }

    /// Hands one mail in. A connection on which anything went wrong, or on which this was given up
    /// midway, is closed: nobody knows where its dialogue stands.
    pub(crate) async fn deliver(
        &self,
        mail: &Written,
        clock: &dyn Clock,
        progress: &Progress,
    ) -> Result<(), Cause> {
        let _room = self.room.acquire().await;
        self.part_from_stale(clock.now());
        let mut connection = match self.take(progress).await {
            Some(connection) => connection,
            None => self.server.connect(progress).await?,
        };
        let from = self.server.from();
        let delivered = connection.deliver(from, mail, progress).await;
        if matches!(delivered, Ok(()) | Err(Cause::Answered(..))) {
            let since = clock.now();
            self.idle().push(Idle { connection, since });
        }
        delivered
    }

    /// An idle connection on which the server still answers.
    async fn take(&self, progress: &Progress) -> Option<Connection> {
        progress.reach(Stage::Reusing);
        loop {
            let Idle { mut connection, .. } = self.idle().pop()?;
            match timeout(PATIENCE, connection.reset()).await {
                Ok(Ok(())) => return Some(connection),
                Ok(Err(_)) => {}
                // What swallowed one has swallowed them all, and the mail has no time to try each.
                Err(_) => self.idle().clear(),
            }
        }
    }

    fn part_from_stale(&self, now: Timestamp) {
        let mut idle = self.idle();
        let (fresh, stale) = mem::take(&mut *idle)
            .into_iter()
            .partition(|idle| now.since(idle.since) < IDLE);
        *idle = fresh;
        drop(idle);
        let stale: Vec<Idle> = stale;
        for Idle { connection, .. } in stale {
            tokio::spawn(timeout(PATIENCE, connection.quit()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
