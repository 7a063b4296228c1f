//! The store: one database behind every port.

use std::{error::Error, sync::Arc};

use ps_apikey::ApiKeyStore;
use ps_core::{Accounts, Changes, Limiter, StoreResult, Timestamp, Users};
use ps_magiccode::ChallengeStore;
use ps_oauth::IdentityStore;
use ps_password::PasswordStore;
use ps_session::SessionStore;
use ps_sqlx::{AuditLog, Fenced, OpenError, PostgresOptions, PostgresStore, SqliteStore};

use crate::plan::Database;

/// An open database.
#[derive(Debug)]
pub(crate) enum Store {
    Postgres(PostgresStore),
    Sqlite(SqliteStore),
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[error("database_unreachable: {database}: {}", reasons(.why))]
pub(crate) struct Unopened {
    database: Database,
    #[source]
    why: OpenError,
}

impl Store {
    /// Opens it, and brings its tables up to date.
    pub(crate) async fn open(database: &Database) -> Result<Self, Unopened> {
        let opened = match database {
            Database::File(path) => SqliteStore::open(path).await.map(Self::Sqlite),
            Database::Server(url) => {
                let options = PostgresOptions::default();
                let opened = PostgresStore::open_at(url.clone(), options).await;
                opened.map(Self::Postgres)
            }
        };
        opened.map_err(|why| Unopened {
            database: database.clone(),
            why,
        })
    }

    pub(crate) fn ports(&self) -> Ports {
        match self {
            Self::Postgres(store) => Ports::of(store),
            Self::Sqlite(store) => Ports::of(store),
        }
    }

    pub(crate) fn audit(&self) -> AuditLog {
        match self {
            Self::Postgres(store) => AuditLog::new(store.clone()),
            Self::Sqlite(store) => AuditLog::new(store.clone()),
        }
    }

    /// Ends what was in force before a restore.
    pub(crate) async fn fence(&self, now: Timestamp) -> StoreResult<Fenced> {
        match self {
            Self::Postgres(store) => store.fence(now).await,
            Self::Sqlite(store) => store.fence(now).await,
        }
    }

    /// Finishes what was begun.
    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(store) => store.close().await,
            Self::Sqlite(store) => store.close().await,
        }
    }
}

/// Each port, all of one database.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) challenges: Arc<dyn ChallengeStore>,
    pub(crate) changes: Arc<dyn Changes>,
    pub(crate) identities: Arc<dyn IdentityStore>,
    pub(crate) keys: Arc<dyn ApiKeyStore>,
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) passwords: Arc<dyn PasswordStore>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) users: Arc<dyn Users>,
}

impl Ports {
    fn of<S>(store: &S) -> Self
    where
        S: Accounts
            + ApiKeyStore
            + ChallengeStore
            + Changes
            + Clone
            + IdentityStore
            + Limiter
            + PasswordStore
            + SessionStore
            + Users,
    {
        let store = Arc::new(store.clone());
        Self {
            accounts: store.clone(),
            challenges: store.clone(),
            changes: store.clone(),
            identities: store.clone(),
            keys: store.clone(),
            limiter: store.clone(),
            passwords: store.clone(),
            sessions: store.clone(),
            users: store,
        }
    }
}

/// What the database said, and why.
fn reasons(why: &OpenError) -> String {
    let mut text = why.to_string();
    let mut cause: &dyn Error = why;
    while let Some(next) = cause.source() {
        let said = next.to_string();
        // Some repeat what their cause says.
        if !text.ends_with(&said) {
            text += &format!(": {said}");
        }
        cause = next;
    }
    text
}
