//! Stores to measure on, and the same databases without us.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ps_apikey::ApiKeyStore;
use ps_core::{Accounts, Timestamp, Users};
use ps_magiccode::ChallengeStore;
use ps_memory::MemoryStore;
use ps_session::SessionStore;
use ps_sqlx::{PostgresStore, SqliteStore};
use sqlx::{
    ConnectOptions, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    query, query_as,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::runtime::{Builder, Runtime};

use super::server::{Cluster, Programs, Server};
use crate::{race::wall, report::Report};

/// Every port, on one store.
#[derive(Clone, Debug)]
pub struct Ports {
    /// API keys.
    pub keys: Arc<dyn ApiKeyStore>,
    /// Sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Challenges.
    pub challenges: Arc<dyn ChallengeStore>,
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Users.
    pub users: Arc<dyn Users>,
}

impl Ports {
    fn of<S>(store: S) -> Self
    where
        S: ApiKeyStore + SessionStore + ChallengeStore + Accounts + Users,
    {
        let store = Arc::new(store);
        Self {
            keys: store.clone(),
            sessions: store.clone(),
            challenges: store.clone(),
            accounts: store.clone(),
            users: store,
        }
    }
}

/// A store, and the bare database below it.
#[derive(Debug)]
pub struct Backend {
    /// What it is called.
    pub name: &'static str,
    /// The ports on it.
    pub ports: Ports,
    /// The same database, as another program opens it; none of memory.
    pub bare: Option<Bare>,
    /// Where its tasks run.
    pub runtime: Arc<Runtime>,
    _home: Home,
}

/// What goes when a backend goes.
#[derive(Debug)]
enum Home {
    Folder(PathBuf),
    None,
    Server,
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Self::Folder(folder) = self {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// A server that is found or started; it must outlive what is opened on it.
pub struct Place(Result<Server, String>);

impl Default for Place {
    /// The server that `DATABASE_URL` names, else one of our own, else none.
    fn default() -> Self {
        Self(match env::var("DATABASE_URL") {
            Ok(url) if url.starts_with("postgres") => Ok(Server::At(url)),
            _ => Programs::find()
                .and_then(|programs| durable(&programs))
                .map(Server::Started),
        })
    }
}

/// One whose commits wait for the disk: those that tests start do not.
fn durable(programs: &Programs) -> Result<Cluster, String> {
    let mut cluster = Cluster::prepare(programs)?;
    cluster.run(&["fsync=on"])?;
    Ok(cluster)
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl Place {
    /// Memory, SQLite, and PostgreSQL where there is a server; what is not there is named in the
    /// report.
    pub fn backends(&self, report: &mut Report) -> Vec<Backend> {
        let mut all = vec![memory(), sqlite()];
        match &self.0 {
            Ok(server) => all.push(postgres(&server.url())),
            Err(why) => report.skip("PostgreSQL", why),
        }
        all
    }
}

/// The store in memory.
#[must_use]
pub fn memory() -> Backend {
    Backend {
        name: "memory",
        ports: Ports::of(MemoryStore::new()),
        bare: None,
        runtime: runtime(),
        _home: Home::None,
    }
}

/// A new file in the folder for temporary files, written as ps-sqlx writes: WAL, `FULL`.
///
/// # Panics
/// Where it cannot be made.
#[must_use]
pub fn sqlite() -> Backend {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("ps-benches-{}-{number}", process::id()));
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    let file = folder.join("bench.db");
    let runtime = runtime();
    let (store, bare) = runtime.block_on(async {
        let store = SqliteStore::open(&file).await.expect("a new file");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(30))
                .test_before_acquire(false)
        };
        let bare = Bare::Sqlite {
            readers: pool(4).connect_lazy_with(options.clone().read_only(true)),
            // One, for two that write would wait for each other by sleeping.
            writer: pool(1).connect_lazy_with(options),
        };
        (store, bare)
    });
    Backend {
        name: "SQLite",
        ports: Ports::of(store),
        bare: Some(bare),
        runtime,
        _home: Home::Folder(folder),
    }
}

fn postgres(url: &str) -> Backend {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("ps_benches_{}_{number}", process::id());
    let runtime = runtime();
    let (store, bare) = runtime.block_on(async {
        let options: PgConnectOptions = url.parse().expect("a URL of PostgreSQL");
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false);
        let options = options.options([("search_path", schema.as_str())]);
        let pool = pool.connect_lazy_with(options.disable_statement_logging());
        let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        query(create).execute(&pool).await.expect("a new schema");
        let and = if url.contains('?') { '&' } else { '?' };
        let store = PostgresStore::open(&format!("{url}{and}options[search_path]={schema}")).await;
        (store.expect("the new schema"), Bare::Postgres(pool))
    });
    Backend {
        name: "PostgreSQL",
        ports: Ports::of(store),
        bare: Some(bare),
        runtime,
        _home: Home::Server,
    }
}

/// Two workers, as the machine has processors.
fn runtime() -> Arc<Runtime> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    Arc::new(runtime.expect("a runtime"))
}

impl Backend {
    /// One caller after the other: how long each took by the wall clock. It runs as a task, as a
    /// server's requests do.
    pub fn in_turn<F, D>(&self, act: F) -> impl FnMut(u64) -> Vec<Duration> + 'static
    where
        F: Fn(usize) -> D + Clone + Send + 'static,
        D: Future<Output = ()> + Send,
    {
        let runtime = Arc::clone(&self.runtime);
        move |times| {
            let act = act.clone();
            let task = runtime.spawn(async move {
                let mut each = Vec::with_capacity(times as usize);
                for _ in 0..times {
                    let start = wall();
                    act(0).await;
                    each.push(start.elapsed());
                }
                each
            });
            runtime.block_on(task).expect("it does not panic")
        }
    }

    /// So many callers at once: how long all took by the wall clock. `act` is told which one calls.
    pub fn at_once<F, D>(&self, callers: usize, act: F) -> impl FnMut(u64) -> Duration + 'static
    where
        F: Fn(usize) -> D + Clone + Send + 'static,
        D: Future<Output = ()> + Send,
    {
        let runtime = Arc::clone(&self.runtime);
        move |times| {
            let each = times.div_ceil(callers as u64);
            let start = wall();
            let tasks = (0..callers).map(|caller| {
                let act = act.clone();
                runtime.spawn(async move {
                    for _ in 0..each {
                        act(caller).await;
                    }
                })
            });
            for task in Vec::from_iter(tasks) {
                runtime.block_on(task).expect("it does not panic");
            }
            start
                .elapsed()
                .mul_f64(times as f64 / (each * callers as u64) as f64)
        }
    }
}

/// A database as an application asks it by itself.
#[derive(Clone, Debug)]
pub enum Bare {
    /// A server.
    Postgres(PgPool),
    /// A file.
    Sqlite {
        /// Connections that only read.
        readers: SqlitePool,
        /// The one that writes.
        writer: SqlitePool,
    },
}

/// A key's row.
type Row = (
    String,
    String,
    Vec<u8>,
    String,
    String,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

const FIND_KEY: &str = "SELECT id, account_id, digest, hint, name, scopes, allowed_addresses, \
    created_at, expires_at, last_used_at, revoked_at FROM ps_keys WHERE digest = $1";
const TOUCH_KEY: &str = "UPDATE ps_keys SET last_used_at = $2 WHERE id = $1";
const ADVANCE: &str = "UPDATE ps_sessions SET generation = generation + 1, refreshed_at = $3 \
    WHERE family = $1 AND generation = $2 AND ended_at IS NULL \
    AND idle_ends_at > $3 AND ends_at > $3";
const TAKE_ATTEMPT: &str = "UPDATE ps_challenges SET attempts_left = attempts_left - 1 \
    WHERE id = $1 AND attempts_left > 0 AND spent_at IS NULL AND expires_at > $2 RETURNING email";

/// What one statement does, each a transaction of its own.
///
/// # Panics
/// All of them, where the database fails or does nothing.
#[allow(clippy::missing_panics_doc, reason = "said once, above")]
impl Bare {
    /// Reads a key's row by its digest; its id.
    pub async fn find_key(&self, digest: &[u8; 32]) -> String {
        let row: Row = match self {
            Self::Postgres(pool) => {
                query_as(FIND_KEY)
                    .bind(digest.as_slice())
                    .fetch_one(pool)
                    .await
            }
            Self::Sqlite { readers, .. } => {
                query_as(FIND_KEY)
                    .bind(digest.as_slice())
                    .fetch_one(readers)
                    .await
            }
        }
        .expect("a key's row");
        row.0
    }

    /// Writes a key's last use.
    pub async fn touch_key(&self, id: &str, now: Timestamp) {
        let rows = match self {
            Self::Postgres(pool) => {
                let done = query(TOUCH_KEY)
                    .bind(id)
                    .bind(now.as_millis())
                    .execute(pool)
                    .await;
                done.expect("a write").rows_affected()
            }
            Self::Sqlite { writer, .. } => {
                let done = query(TOUCH_KEY)
                    .bind(id)
                    .bind(now.as_millis())
                    .execute(writer)
                    .await;
                done.expect("a write").rows_affected()
            }
        };
        assert_eq!(rows, 1);
    }

    /// Moves a session's head on.
    pub async fn advance(&self, family: &[u8; 32], generation: i64, now: Timestamp) {
        let rows = match self {
            Self::Postgres(pool) => {
                let advance = query(ADVANCE).bind(family.as_slice()).bind(generation);
                let done = advance.bind(now.as_millis()).execute(pool).await;
                done.expect("a write").rows_affected()
            }
            Self::Sqlite { writer, .. } => {
                let advance = query(ADVANCE).bind(family.as_slice()).bind(generation);
                let done = advance.bind(now.as_millis()).execute(writer).await;
                done.expect("a write").rows_affected()
            }
        };
        assert_eq!(rows, 1);
    }

    /// Takes one of a challenge's attempts; its address.
    pub async fn take_attempt(&self, id: &str, now: Timestamp) -> String {
        let row: (String,) = match self {
            Self::Postgres(pool) => {
                let take = query_as(TAKE_ATTEMPT).bind(id).bind(now.as_millis());
                take.fetch_one(pool).await
            }
            Self::Sqlite { writer, .. } => {
                let take = query_as(TAKE_ATTEMPT).bind(id).bind(now.as_millis());
                take.fetch_one(writer).await
            }
        }
        .expect("an attempt");
        row.0
    }
}
