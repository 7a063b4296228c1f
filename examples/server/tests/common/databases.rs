//! Each test on each database: on SQLite always, on PostgreSQL where there is a server.

#![allow(dead_code, unreachable_pub)] // each uses some of it

#[path = "../../../../crates/ps-sqlx/tests/postgres/schema.rs"]
pub mod schema;
#[path = "../../../../crates/ps-sqlx/tests/postgres/server.rs"]
pub mod server;

use std::{future::Future, path::PathBuf, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};
use schema::Schema;
use server::is_required;
use tokio::runtime::Builder;

use super::common::Server;

/// What a test is given to make databases from.
#[derive(Clone)]
pub enum Databases {
    Files,
    Schemas(Arc<server::Server>),
}

/// One of its own, empty; gone when dropped.
pub enum Database {
    File,
    Schema(Schema),
}

pub type Test = fn(&Databases);

/// Runs each test on each database, and says by name what it skipped.
pub fn run(tests: &[(&str, Test)]) -> ExitCode {
    let arguments = Arguments::from_args();
    let server = find(&arguments).map(|(server, _)| Arc::new(server));
    let mut trials = Vec::new();
    for &(name, test) in tests {
        trials.push(Trial::test(format!("{name}_on_sqlite"), move || {
            test(&Databases::Files);
            Ok(())
        }));
        let server = server.clone();
        let is_missing = server.is_err() && !is_required();
        let trial = Trial::test(format!("{name}_on_postgres"), move || {
            test(&Databases::Schemas(server?));
            Ok(())
        });
        trials.push(trial.with_ignored_flag(is_missing));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(server);
    conclusion.exit_code()
}

type Found = (server::Server, Result<server::Programs, String>);

/// Who only wants the names needs no server.
pub fn find(arguments: &Arguments) -> Result<Found, String> {
    if arguments.list {
        return Err(String::new());
    }
    let found = server::Server::find();
    if let Err(why) = &found {
        println!("SKIPPED postgres: {why}");
    }
    found
}

pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

impl Databases {
    pub fn fresh(&self) -> Database {
        match self {
            Self::Files => Database::File,
            Self::Schemas(server) => Database::Schema(wait_for(Schema::make(&server.url()))),
        }
    }

    pub fn is_files(&self) -> bool {
        matches!(self, Self::Files)
    }
}

impl Database {
    /// What a server must be told to keep everything here. A file lies in the server's own folder.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::File => None,
            Self::Schema(schema) => Some(schema.url()),
        }
    }

    pub fn start(&self, flags: &[&str]) -> Server {
        self.start_in(Server::new_folder(), flags)
    }

    /// In a folder in which a server ran before, or a new one.
    pub fn start_in(&self, folder: PathBuf, flags: &[&str]) -> Server {
        let url = self.url();
        let variables = url.iter().map(|url| ("DATABASE_URL", url.as_str()));
        let variables: Vec<_> = variables.collect();
        Server::start_with(folder, "127.0.0.1:0", flags, &variables)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Schema(schema) = self {
            wait_for(schema.remove());
        }
    }
}
