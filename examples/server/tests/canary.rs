//! After a full run no secret is anywhere but in the answers that gave it.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "common/databases.rs"]
mod databases;

use std::{fs, process::ExitCode};

use common::Server;
use databases::{Database, Databases, wait_for};

fn main() -> ExitCode {
    databases::run(&[(
        "no_secret_is_at_rest_in_a_log_or_among_the_numbers",
        no_secret_is_at_rest_in_a_log_or_among_the_numbers,
    )])
}

// AK2, SE25, MC22, OA26, OP2, OP3
fn no_secret_is_at_rest_in_a_log_or_among_the_numbers(databases: &Databases) {
    let database = databases.fresh();
    let url = database.url();
    let variables = url.iter().map(|url| ("DATABASE_URL", url.as_str()));
    let server = Server::start_with_ops(&variables.collect::<Vec<_>>());
    let mut alice = server.client();
    let made = alice.sign_up("alice@example.com");
    let mut secrets = vec![made.text("access_token")];
    secrets.extend(alice.jar.get("ps_refresh").cloned());
    let device = alice.jar.get("ps_device").expect("the browser is known");
    secrets.push(device.clone());
    let refreshed = alice.send(
        "POST",
        "/api/auth/refresh",
        &[("idempotency-key", "canary-key-0001")],
        "",
    );
    secrets.push(refreshed.text("access_token"));
    secrets.extend(alice.jar.get("ps_refresh").cloned());
    let token = refreshed.text("access_token");
    let key = alice.post("/api/keys", &token, r#"{"name":"ci"}"#);
    secrets.push(key.text("key"));
    let replaced = alice.post(&format!("/api/keys/{}/rotate", key.text("id")), &token, "");
    secrets.push(replaced.text("key"));
    let password = "a password that nobody else has";
    let body = format!(r#"{{"new_password":"{password}"}}"#);
    let bearer = format!("Bearer {token}");
    let set = alice.send(
        "PUT",
        "/api/auth/password",
        &[("authorization", &bearer)],
        &body,
    );
    assert_eq!(set.status, 204, "{set:?}");
    for guess in [password, "a wrong password, and a long one at that"] {
        let body = format!(r#"{{"email":"alice@example.com","password":"{guess}"}}"#);
        server.client().send("POST", "/api/auth/login", &[], &body);
        secrets.push(guess.to_owned());
    }
    let mut browser = server.client();
    let left = browser
        .send("GET", "/api/auth/social/google", &[], "")
        .location();
    secrets.extend(browser.jar.get("ps_attempt_google").cloned());
    let callback = browser.follow(&format!("{left}&login_hint=bob")).location();
    let query = callback.split_once('?').unwrap().1;
    secrets.extend(
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap().1.to_owned()),
    );
    assert_eq!(browser.follow(&callback).status, 303);
    secrets.extend(browser.jar.get("ps_refresh").cloned());
    for secret in secrets.clone() {
        // Refused ones must not be logged either.
        alice.get("/api/v1/whoami", &secret);
        alice.get("/api/auth/session", &secret);
        server
            .client()
            .send("GET", "/api/v1/whoami", &[("x-api-key", &secret)], "");
    }
    let bob = r#"{"email":"bob@example.com"}"#;
    let mut stranger = server.client();
    stranger.send("POST", "/api/auth/register-magic", &[], bob);
    let code = stranger.code("bob@example.com", 1);
    stranger.send(
        "POST",
        "/api/auth/register-magic/verify",
        &[],
        r#"{"code":"0000000"}"#,
    );
    let numbers = server.numbers();
    assert!(numbers.contains("ps_auth_events_total"), "{numbers}");
    assert!(numbers.contains("ps_auth_unsettled_mails 0"), "{numbers}");
    assert!(
        numbers.contains("key_issued") || numbers.contains("key.issued"),
        "{numbers}"
    );

    let log: String = server
        .log()
        .lines()
        .map(|line| {
            // A time of day has runs of six digits of its own.
            let end = line.find("\"level\"").unwrap_or(0);
            format!("{}\n", &line[end..])
        })
        .collect();
    assert!(
        log.contains("key.issued") && log.contains("request_id"),
        "{log}"
    );
    assert!(!log.contains("alice@example.com"), "addresses are masked");
    let folder = server.kill();
    let mut places = vec![
        ("the log", log.into_bytes()),
        ("the numbers", numbers.into_bytes()),
    ];
    if let Database::Schema(schema) = &database {
        places.push(("the database", wait_for(schema.dump())));
    }
    for name in ["ps-example.db", "ps-example.db-wal"] {
        if let Ok(bytes) = fs::read(folder.join(name)) {
            places.push(("the database", bytes));
        }
    }
    assert!(places.len() > 2, "there is a database to look at");
    for secret in &secrets {
        assert!(secret.len() > 30, "{secret}");
        for (place, bytes) in &places {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {place}");
            // Nor the secret middle of it, in case it was cut.
            let middle = &secret.as_bytes()[10..30];
            assert!(
                !bytes.windows(20).any(|window| window == middle),
                "{secret} stands in {place}"
            );
        }
    }
    for (place, bytes) in &places {
        let found = bytes
            .windows(code.len())
            .any(|window| window == code.as_bytes());
        assert!(!found, "the code {code} stands in {place}");
    }
    fs::remove_dir_all(folder).unwrap();
}
