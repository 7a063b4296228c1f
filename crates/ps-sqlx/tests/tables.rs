//! The tables: how they come to be, and what they hold to.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{error::Error, sync::Arc, time::Duration};

use common::{Folder, NOW, account, email, identity, key, open, session};
use ps_apikey::{ApiKeyStore, KeyInserted, Listing};
use ps_core::{AccountVersion, Changes, Cursor, Raised, Users};
use ps_oauth::{IdentityStore, Linked, Removed};
use ps_password::{PasswordHash, PasswordStore};
use ps_session::{End, SessionStore, Which};
use ps_sqlx::{OpenError, SqliteStore};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, query};
use tokio::{sync::Barrier, time::sleep};

// ST8
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_file_at_once() {
    for _ in 0..20 {
        let folder = Arc::new(Folder::new());
        let start = Arc::new(Barrier::new(8));
        let opening: Vec<_> = (0..8)
            .map(|number| {
                let (folder, start) = (folder.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    let store = folder.open().await;
                    open(&store, &session(&format!("{number}"))).await;
                })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap();
        }
        let mut connection = folder.connect().await;
        assert_eq!(
            number(&mut connection, "SELECT COUNT(*) FROM ps_migrations").await,
            3
        );
        assert_eq!(
            number(&mut connection, "SELECT COUNT(*) FROM ps_sessions").await,
            8
        );
    }
}

// ST8: SQLite itself does not wait where a file becomes one that is written ahead.
#[tokio::test]
async fn a_new_file_that_another_writes_to_is_waited_for() {
    let folder = Folder::new();
    let mut other = folder.connect().await;
    for statement in ["CREATE TABLE theirs (id)", "BEGIN IMMEDIATE"] {
        query(statement).execute(&mut other).await.unwrap();
    }
    let database = folder.database();
    let opening = tokio::spawn(async move { SqliteStore::open(database).await });
    sleep(Duration::from_millis(300)).await;
    query("COMMIT").execute(&mut other).await.unwrap();
    assert!(opening.await.unwrap().is_ok());
}

// ST8
#[tokio::test]
async fn opening_again_changes_nothing_and_keeps_everything() {
    let folder = Folder::new();
    let store = folder.open().await;
    let session = session("a");
    open(&store, &session).await;
    let user = store.import_user(&email("a"), NOW).await.unwrap();
    drop(store);
    let before = schema(&folder).await;
    let store = folder.open().await;
    assert_eq!(schema(&folder).await, before);
    let found = SessionStore::find(&store, Which::Id(&session.id)).await;
    assert_eq!(found.unwrap(), Some(session));
    assert_eq!(store.find_by_email(&user.email).await.unwrap(), Some(user));
}

// ST8: the version before goes on beside the next one's tables.
#[tokio::test]
async fn a_newer_migration_is_let_be_and_an_altered_one_is_not() {
    let folder = Folder::new();
    folder.open().await.close().await;
    let mut connection = folder.connect().await;
    let newer = "INSERT INTO ps_migrations VALUES (9999, 'later', x'00')";
    query(newer).execute(&mut connection).await.unwrap();
    folder.open().await.close().await;

    let altered = "UPDATE ps_migrations SET checksum = zeroblob(32) WHERE version = 1";
    query(altered).execute(&mut connection).await.unwrap();
    let error = SqliteStore::open(folder.database()).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrations(_)));
    let cause = error.source().and_then(Error::source).unwrap();
    assert!(cause.to_string().starts_with("migration 1 "), "{cause}");
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut connection = folder.connect().await;
    let taken = "CREATE TABLE ps_guesses (something BIGINT)";
    query(taken).execute(&mut connection).await.unwrap();
    let error = SqliteStore::open(folder.database()).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrations(_)));
    let tables = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'";
    assert_eq!(number(&mut connection, tables).await, 1);
}

#[tokio::test]
async fn what_is_no_database_is_not_opened() {
    let folder = Folder::new();
    std::fs::write(folder.database(), "not a database, however long it may be").unwrap();
    let opened = SqliteStore::open(folder.database()).await;
    assert!(
        matches!(opened, Err(OpenError::Unreachable(_))),
        "{opened:?}"
    );
    let nowhere = folder.database().join("nowhere").join("auth.db");
    let opened = SqliteStore::open(nowhere).await;
    assert!(
        matches!(opened, Err(OpenError::Unreachable(_))),
        "{opened:?}"
    );
    let opened = SqliteStore::open(":memory:").await;
    assert!(matches!(opened, Err(OpenError::Location)), "{opened:?}");
}

// ST7, OA12
#[tokio::test]
async fn what_must_be_unique_is() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut connection = folder.connect().await;
    let unique = [
        ("ps_users", "id"),
        ("ps_users", "email"),
        ("ps_accounts", "id"),
        ("ps_changes", "number"),
        ("ps_keys", "id"),
        ("ps_keys", "digest"),
        ("ps_sessions", "id"),
        ("ps_sessions", "family"),
        ("ps_challenges", "id"),
        ("ps_identities", "provider,issuer,subject"),
        ("ps_passwords", "account_id"),
    ];
    for (table, column) in unique {
        let indexes = AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM pragma_index_list('{table}') AS l WHERE l.\"unique\" = 1 \
             AND l.partial = 0 AND (SELECT group_concat(i.name) FROM pragma_index_info(l.name) AS i) \
             = '{column}'"
        ));
        assert_eq!(
            number(&mut connection, indexes).await,
            1,
            "{table}.{column}"
        );
    }
    drop(store);
}

// ST7, MC20
#[tokio::test]
async fn texts_are_compared_byte_by_byte() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut connection = folder.connect().await;
    let other = "SELECT COUNT(*) FROM sqlite_schema AS t, pragma_index_list(t.name) AS l, \
                 pragma_index_xinfo(l.name) AS x \
                 WHERE t.name LIKE 'ps\\_%' ESCAPE '\\' AND lower(x.coll) <> 'binary'";
    assert_eq!(number(&mut connection, other).await, 0);

    let user = store.import_user(&email("mike"), NOW).await.unwrap();
    for alike in [
        "Mike@example.com",
        "m\u{131}ke@example.com",
        "mike@example.com ",
    ] {
        let insert = query("INSERT INTO ps_users VALUES ($1, $1, 0)").bind(alike);
        insert.execute(&mut connection).await.unwrap();
    }
    assert_eq!(
        store.find_by_email(&email("mike")).await.unwrap().as_ref(),
        Some(&user)
    );
    for id in ["A", "a"] {
        open(&store, &session(id)).await;
        assert_eq!(
            SessionStore::list(&store, &account(id), NOW)
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_back_is_an_error() {
    let damages = [
        ("ps_sessions", "method", "'carrier pigeon'"),
        ("ps_sessions", "family", "x'00'"),
        ("ps_sessions", "generation", "-1"),
        ("ps_sessions", "refreshed_at", "'yesterday'"),
        ("ps_sessions", "rotation_key", "x'00'"),
        ("ps_sessions", "network", "x'ff'"),
        ("ps_keys", "name", "''"),
        ("ps_keys", "scopes", "'NOT ONE'"),
        ("ps_keys", "allowed_addresses", "'everywhere'"),
        ("ps_keys", "created_at", "1.5"),
        ("ps_changes", "kind", "'password'"),
        ("ps_changes", "what", "x'00'"),
        ("ps_identities", "email", "'nobody'"),
        ("ps_identities", "linked_at", "'yesterday'"),
        ("ps_identities", "removed_at", "''"),
        ("ps_passwords", "hash", "x'00'"),
    ];
    for (table, column, damage) in damages {
        let folder = Folder::new();
        let store = folder.open().await;
        let (session, key) = (session("a"), key("a"));
        open(&store, &session).await;
        let under = AccountVersion::default();
        let inserted = store.insert(&key, under, 25, NOW).await.unwrap();
        assert_eq!(inserted, KeyInserted::Done);
        let linked = identity("a");
        let done = store.link(&linked, Removed::Stays, under).await;
        assert_eq!(done.unwrap(), Linked::Done);
        store.end(End::Family(&session.family), NOW).await.unwrap();
        let hash = PasswordHash::new("$argon2id$");
        let raised = store.replace(&account("a"), &hash, None, under, NOW).await;
        assert!(matches!(raised.unwrap(), Raised::To(_)));
        let is_error = async || match table {
            "ps_sessions" => {
                let by_id = Which::Id(&session.id);
                SessionStore::find(&store, by_id).await.is_err()
            }
            "ps_keys" => {
                let one = Listing::One(key.id);
                ApiKeyStore::list(&store, &key.account, &one).await.is_err()
            }
            "ps_identities" => {
                let found = IdentityStore::find(&store, &linked.identity).await;
                found.is_err()
            }
            "ps_passwords" => {
                let found = PasswordStore::find(&store, &account("a")).await;
                found.is_err()
            }
            _ => store.since(Cursor::default(), 10).await.is_err(),
        };
        assert!(!is_error().await);
        let mut connection = folder.connect().await;
        let update = AssertSqlSafe(format!("UPDATE {table} SET {column} = {damage}"));
        let done = query(update).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        assert!(is_error().await, "{table}.{column}");
    }
}

async fn number(connection: &mut SqliteConnection, sql: impl sqlx::SqlSafeStr) -> i64 {
    query(sql).fetch_one(connection).await.unwrap().get(0)
}

async fn schema(folder: &Folder) -> Vec<String> {
    let mut connection = folder.connect().await;
    let sql = query(
        "SELECT COALESCE(sql, '') FROM sqlite_schema UNION ALL SELECT hex(checksum) FROM ps_migrations",
    );
    let rows = sql.fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = Folder::new();
    let store = folder.open().await;
    open(&store, &session("a")).await;
    let database = folder.database();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&database), 0o600);
    assert_eq!(mode(&database.with_extension("db-wal")), 0o600);
    store.close().await;
    // What an operator has chosen stays.
    fs::set_permissions(&database, fs::Permissions::from_mode(0o640)).unwrap();
    drop(folder.open().await);
    assert_eq!(mode(&database), 0o640);
}
