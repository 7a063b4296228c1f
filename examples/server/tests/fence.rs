//! What an operator does after a restore, while the server runs: `example-server fence`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/databases.rs"]
mod databases;

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::Server;
use databases::{Database, Databases};

fn main() -> ExitCode {
    databases::run(&[
        (
            "everybody_is_signed_out_and_the_keys_are_listed_while_the_server_runs",
            everybody_is_signed_out_and_the_keys_are_listed_while_the_server_runs,
        ),
        (
            "a_database_that_is_not_there_is_not_made",
            a_database_that_is_not_there_is_not_made,
        ),
    ])
}

/// Nobody sits there to be asked back.
fn fence(folder: &Path, database: Option<&str>, flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_example-server"))
        .arg("fence")
        .args(flags)
        .current_dir(folder)
        .env_clear()
        .envs(database.map(|url| ("DATABASE_URL", url)))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

// F18
fn everybody_is_signed_out_and_the_keys_are_listed_while_the_server_runs(databases: &Databases) {
    let database = databases.fresh();
    let server = database.start(&[]);
    let url = database.url();
    let fence = |flags: &[&str]| fence(&server.folder, url.as_deref(), flags);
    let mut alice = server.client();
    let token = alice.sign_up("alice@example.com").text("access_token");
    let made = alice.post("/api/keys", &token, r#"{"name":"nightly build"}"#);
    let (key, hint) = (made.text("key"), made.text("hint"));

    let unsure = fence(&[]);
    assert_eq!(unsure.status.code(), Some(1));
    let why = said(&unsure.stderr);
    let refused = "example-server did not fence: fence_unconfirmed: ";
    assert!(why.starts_with(refused), "{why}");
    assert_eq!(alice.get("/api/auth/session", &token).status, 200);

    let fenced = fence(&["--yes"]);
    let done = Instant::now();
    assert!(fenced.status.success(), "{fenced:?}");
    let text = said(&fenced.stdout);
    assert!(text.starts_with("1 sessions and 0 codes ended."), "{text}");
    let row = text.lines().last().unwrap();
    let id = made.text("id");
    for part in ["alice@example.com", "nightly build", &hint, &id] {
        assert!(row.contains(part), "{part}: {text}");
    }
    assert!(!text.contains(&key), "{text}");
    while alice.get("/api/auth/session", &token).status == 200 {
        assert!(done.elapsed() < Duration::from_secs(1), "it is not noticed");
        thread::sleep(Duration::from_millis(20));
    }
    let refused = alice.send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(refused.refusal(), (401, "refresh_invalid".to_owned()));
    // The key is the owner's to revoke.
    assert_eq!(alice.get("/api/v1/whoami", &key).status, 200);

    // And people come in again.
    assert_eq!(alice.sign_up("alice@example.com").status, 200);
    let again = said(&fence(&["--yes"]).stdout);
    let ended = "1 sessions and 0 codes ended.";
    assert!(again.starts_with(ended), "{again}");
}

fn a_database_that_is_not_there_is_not_made(databases: &Databases) {
    let folder = Server::new_folder();
    let url = match databases.fresh() {
        Database::File => None,
        // Where nothing listens.
        Database::Schema(_) => Some("postgres://app@127.0.0.1:1/app?sslmode=disable"),
    };
    let fenced = fence(&folder, url, &["--yes"]);
    assert_eq!(fenced.status.code(), Some(1));
    let why = said(&fenced.stderr);
    assert!(why.contains("database_unreachable"), "{why}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_dir(folder).unwrap();
}
