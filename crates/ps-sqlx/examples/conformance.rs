//! Whether the stores keep what the ports promise, as a table:
//! `cargo run -p ps-sqlx --all-features --example conformance sqlite`, or `postgres`: on the server that
//! `DATABASE_URL` names, else on one that is started meanwhile.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // what the tests have more of

#[path = "../tests/postgres/conformance.rs"]
mod conformance;
#[path = "../tests/postgres/schema.rs"]
mod schema;
#[path = "../tests/postgres/server.rs"]
mod server;

use std::{
    env, fs,
    path::PathBuf,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use conformance::OnPostgres;
use ps_sqlx::{PostgresStore, SqliteStore};
use ps_testkit::conformance::{Harness, Report, all, table};
use schema::Schema;
use server::{Cluster, Programs, Server};
use tokio::runtime::Runtime;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "whoever runs it reads it"
)]
fn main() -> ExitCode {
    let report = match env::args().nth(1).as_deref() {
        Some("sqlite") => Ok(table(InAFolder::new, all())),
        Some("postgres") => on_postgres(),
        _ => Err("which: sqlite or postgres?".to_owned()),
    };
    match report {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(!report.all_hold()))
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn on_postgres() -> Result<Report, String> {
    let server = match env::var("DATABASE_URL") {
        Ok(url) if url.starts_with("postgres") => Server::At(url),
        _ => Server::Started(Cluster::start(&Programs::find()?)?),
    };
    let harness = || InASchema(OnPostgres(block_on(Schema::make(&server.url()))));
    Ok(table(harness, all()))
}

/// Removed with all that is in it.
struct InAFolder(PathBuf);

impl InAFolder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ps-sqlx-conformance-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for InAFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[async_trait]
impl Harness for InAFolder {
    type Store = SqliteStore;

    async fn fresh(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.0.join("auth.db")).await.unwrap())
    }

    async fn dump(&self, _store: &SqliteStore) -> Option<Vec<u8>> {
        let files = fs::read_dir(&self.0).unwrap();
        let files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        Some(files.flatten().collect())
    }
}

/// Removed with all that is in it.
struct InASchema(OnPostgres);

#[async_trait]
impl Harness for InASchema {
    type Store = PostgresStore;

    async fn fresh(&self) -> Arc<PostgresStore> {
        self.0.fresh().await
    }

    async fn dump(&self, store: &PostgresStore) -> Option<Vec<u8>> {
        self.0.dump(store).await
    }
}

impl Drop for InASchema {
    fn drop(&mut self) {
        block_on(self.0.0.remove());
    }
}

fn block_on<T>(act: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(act)
}
