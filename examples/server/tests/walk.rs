//! The README's walk, over real sockets, again after a stop and again after a kill.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "common/databases.rs"]
mod databases;

use std::{process::ExitCode, thread, time::Duration};

use common::FRAMEWORKS;
use databases::{Database, Databases};

fn main() -> ExitCode {
    databases::run(&[(
        "the_walk_holds_across_a_stop_and_a_kill",
        the_walk_holds_across_a_stop_and_a_kill,
    )])
}

fn the_walk_holds_across_a_stop_and_a_kill(databases: &Databases) {
    for framework in FRAMEWORKS {
        walk(&databases.fresh(), framework);
    }
}

fn walk(database: &Database, framework: &str) {
    let server = database.start(&["--framework", framework]);
    let mut alice = server.client();
    let made = alice.sign_up("alice@example.com");
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.head.contains("; Max-Age=604800\r\n"), "{}", made.head);
    let token = made.text("access_token");
    assert_eq!(alice.get("/api/auth/session", &token).status, 200);

    let mut old = alice.clone();
    let refreshed = alice.send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(refreshed.status, 200);
    assert!(
        refreshed.head.contains("; Max-Age=604800\r\n"),
        "{}",
        refreshed.head
    );
    let raced = old.clone().send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(raced.refusal(), (401, "refresh_superseded".to_owned()));

    let made = alice.post(
        "/api/keys",
        &token,
        r#"{"name":"ci","scopes":["programs:read"]}"#,
    );
    assert_eq!(made.status, 201);
    let (key, id) = (made.text("key"), made.text("id"));
    let who = alice.send("GET", "/api/v1/whoami", &[("x-api-key", &key)], "");
    assert_eq!(who.status, 200);
    assert_eq!(alice.get("/api/v1/whoami", &key).body, who.body);
    assert_eq!(alice.get("/api/v1/programs", &key).status, 200);
    let forbidden = alice.post("/api/v1/programs", &key, r#"{"name":"x"}"#);
    assert_eq!(forbidden.refusal(), (403, "scope_missing".to_owned()));
    let path = format!("/api/keys/{id}");
    while alice.get(&path, &token).json()["last_used_at"].is_null() {
        thread::sleep(Duration::from_millis(5));
    }
    let spare = alice.post("/api/keys", &token, r#"{"name":"spare"}"#);
    assert_eq!(alice.delete(&path, &token).status, 204);
    assert_eq!(
        alice.get("/api/v1/whoami", &key).refusal(),
        (401, "api_key_invalid".to_owned())
    );

    // OP6: told to stop, it finishes and says so; what it promised is there afterwards.
    let (folder, code) = server.stop();
    assert_eq!(code, Some(0));
    let issuer = format!("http://{}", alice.address);
    let server = database.start_in(folder, &["--public-url", &issuer, "--framework", framework]);
    old.address.clone_from(&server.address);
    alice.address.clone_from(&server.address);
    assert_eq!(
        alice.get("/api/auth/session", &token).status,
        200,
        "the token is good still"
    );
    assert_eq!(
        alice.get("/api/v1/whoami", &key).refusal().0,
        401,
        "revoked stays revoked"
    );
    assert_eq!(alice.get("/api/v1/whoami", &spare.text("key")).status, 200);
    let replayed = old.clone().send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(replayed.refusal().0, 401);
    let out = alice.post("/api/auth/logout", &token, "");
    assert_eq!(out.status, 204);
    assert_eq!(
        alice.get("/api/auth/session", &token).refusal(),
        (401, "session_invalid".to_owned())
    );
    let bob = server.client().sign_up("bob@example.com");

    let folder = server.kill();
    let server = database.start_in(folder, &["--public-url", &issuer, "--framework", framework]);
    alice.address.clone_from(&server.address);
    assert_eq!(
        alice.get("/api/auth/session", &token).refusal().0,
        401,
        "signed out stays signed out"
    );
    assert_eq!(
        alice
            .get("/api/auth/session", &bob.text("access_token"))
            .status,
        200
    );
    assert_eq!(alice.get("/api/v1/whoami", &spare.text("key")).status, 200);
    assert_eq!(
        alice.sign_up("alice@example.com").status,
        200,
        "her account is there"
    );
}
