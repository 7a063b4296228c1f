//! The tables: how they come to be, and what they hold to.

use std::{error::Error, sync::Arc, time::Duration};

use ps_apikey::{ApiKeyStore, KeyInserted, Listing};
use ps_core::{AccountVersion, Changes, Cursor, Raised, Users};
use ps_oauth::{IdentityStore, Linked, Removed};
use ps_password::{PasswordHash, PasswordStore};
use ps_session::{End, SessionStore, Which};
use ps_sqlx::{OpenError, PostgresStore};
use sqlx::{AssertSqlSafe, Row, query};
use tokio::{sync::Barrier, time::sleep};

use crate::{
    records::{NOW, account, email, identity, key, open, session},
    schema::{Schema, execute, number},
};

// ST8
pub(crate) async fn many_may_open_a_new_database_at_once(schema: Schema) {
    let start = Arc::new(Barrier::new(8));
    let opening: Vec<_> = (0..8)
        .map(|number| {
            let (schema, start) = (schema.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let store = schema.open().await;
                open(&store, &session(&format!("{number}"))).await;
            })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap();
    }
    let mut connection = schema.connect().await;
    for (table, rows) in [("ps_migrations", 3), ("ps_sessions", 8)] {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(number(&mut connection, count).await, rows, "{table}");
    }
}

// ST8: another process's migrations may take longer than any statement of a request.
pub(crate) async fn a_migration_waits_longer_than_a_request(schema: Schema) {
    schema.open().await.close().await;
    let mut other = schema.connect().await;
    execute(&mut other, "BEGIN; LOCK TABLE ps_migrations").await;
    let opening = tokio::spawn({
        let schema = schema.clone();
        async move { schema.open().await }
    });
    schema.until_waiting(1).await;
    sleep(Duration::from_millis(2_500)).await;
    assert!(!opening.is_finished());
    execute(&mut other, "COMMIT").await;
    opening.await.unwrap();
}

// ST8
pub(crate) async fn opening_again_changes_nothing_and_keeps_everything(schema: Schema) {
    let store = schema.open().await;
    let session = session("a");
    open(&store, &session).await;
    let user = store.import_user(&email("a"), NOW).await.unwrap();
    store.close().await;
    let before = columns(&schema).await;
    let store = schema.open().await;
    assert_eq!(columns(&schema).await, before);
    let found = SessionStore::find(&store, Which::Id(&session.id)).await;
    assert_eq!(found.unwrap(), Some(session));
    assert_eq!(store.find_by_email(&user.email).await.unwrap(), Some(user));
}

pub(crate) async fn a_newer_migration_is_let_be_and_an_altered_one_is_not(schema: Schema) {
    schema.open().await.close().await;
    schema
        .execute("INSERT INTO ps_migrations VALUES (9999, 'later', '\\x00')")
        .await;
    schema.open().await.close().await;

    let altered =
        "UPDATE ps_migrations SET checksum = decode(repeat('00', 32), 'hex') WHERE version = 1";
    schema.execute(altered).await;
    let error = PostgresStore::open(&schema.url()).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrations(_)));
    let cause = error.source().and_then(Error::source).unwrap();
    assert!(cause.to_string().starts_with("migration 1 "), "{cause}");
}

pub(crate) async fn a_failed_migration_leaves_nothing_behind(schema: Schema) {
    schema
        .execute("CREATE TABLE ps_guesses (something BIGINT)")
        .await;
    let error = PostgresStore::open(&schema.url()).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrations(_)));
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(schema.number(tables).await, 1);
}

pub(crate) async fn what_is_no_database_is_not_opened(schema: Schema) {
    let nowhere = schema.url().replace("options[", "dbname=nowhere&options[");
    for url in [nowhere.as_str(), "postgres://u:hunter2@127.0.0.1:1/nowhere"] {
        let error = PostgresStore::open(url).await.unwrap_err();
        assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
        let mut said = format!("{error} {error:?}");
        let mut cause: &dyn Error = &error;
        while let Some(next) = cause.source() {
            said += &format!("{next} {next:?}");
            cause = next;
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
    let misspelt = schema.url().replace("options[", "sslmod=require&options[");
    let opened = PostgresStore::open(&misspelt).await;
    assert!(matches!(opened, Err(OpenError::Location)), "{opened:?}");
}

// ST7, OA12
pub(crate) async fn what_must_be_unique_is(schema: Schema) {
    let _store = schema.open().await;
    let mut connection = schema.connect().await;
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
    for (table, columns) in unique {
        let indexes = AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM pg_index AS i WHERE i.indrelid = CAST('{table}' AS REGCLASS) \
             AND i.indisunique AND i.indpred IS NULL AND \
             (SELECT string_agg(pg_get_indexdef(i.indexrelid, CAST(n AS INT), TRUE), ',' ORDER BY n) \
             FROM generate_series(1, i.indnkeyatts) AS n) = '{columns}'"
        ));
        assert_eq!(
            number(&mut connection, indexes).await,
            1,
            "{table}.{columns}"
        );
    }
}

// ST7, MC20
pub(crate) async fn texts_are_compared_byte_by_byte(schema: Schema) {
    let store = schema.open().await;
    let other = "SELECT COUNT(*) FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid \
                 CROSS JOIN LATERAL unnest(i.indcollation) AS c (id) \
                 WHERE t.relnamespace = current_schema()::REGNAMESPACE AND t.relname LIKE 'ps\\_%' \
                 AND c.id <> 0 AND c.id <> CAST('pg_catalog.\"C\"' AS REGCOLLATION)";
    assert_eq!(schema.number(other).await, 0);
    let indexed = other.split(" AND c.id <> CAST").next().unwrap();
    assert!(schema.number(AssertSqlSafe(indexed.to_owned())).await > 20);

    let user = store.import_user(&email("mike"), NOW).await.unwrap();
    let mut connection = schema.connect().await;
    for alike in [
        "Mike@example.com",
        "m\u{131}ke@example.com",
        "mike@example.com ",
    ] {
        let insert = query("INSERT INTO ps_users VALUES ($1, $1, 0)").bind(alike);
        insert.execute(&mut connection).await.unwrap();
    }
    let found = store.find_by_email(&email("mike")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&user));
    for id in ["A", "a"] {
        open(&store, &session(id)).await;
        let listed = SessionStore::list(&store, &account(id), NOW).await.unwrap();
        assert_eq!(listed.len(), 1);
    }
}

pub(crate) async fn a_row_that_cannot_be_read_back_is_an_error(schema: Schema) {
    let store = schema.open().await;
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
    let is_error = async |table| match table {
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
        _ => store.since(Cursor::default(), 10).await.is_err(),
    };
    let damages = [
        ("ps_sessions", "method", "'carrier pigeon'"),
        ("ps_sessions", "family", "'\\x00'"),
        ("ps_sessions", "generation", "-1"),
        ("ps_sessions", "rotation_key", "'\\x00'"),
        ("ps_keys", "name", "''"),
        ("ps_keys", "scopes", "'NOT ONE'"),
        ("ps_keys", "allowed_addresses", "'everywhere'"),
        ("ps_changes", "kind", "'password'"),
        ("ps_changes", "what", "'\\x00'"),
        ("ps_identities", "email", "'nobody'"),
    ];
    let mut connection = schema.connect().await;
    for (table, column, damage) in damages {
        assert!(!is_error(table).await);
        let kept = format!("CREATE TABLE kept AS SELECT * FROM {table}");
        execute(&mut connection, kept).await;
        execute(
            &mut connection,
            format!("UPDATE {table} SET {column} = {damage}"),
        )
        .await;
        assert!(is_error(table).await, "{table}.{column}");
        let back =
            format!("UPDATE {table} SET {column} = kept.{column} FROM kept; DROP TABLE kept");
        execute(&mut connection, back).await;
    }
    // A type that nobody here has written is as little a value, also to who prepares it only now.
    let altered = "ALTER TABLE ps_changes ALTER COLUMN kind TYPE VARCHAR(9)";
    execute(&mut connection, altered).await;
    let error = schema.open().await.since(Cursor::default(), 10).await;
    let error = format!("{:?}", error.unwrap_err());
    assert!(error.contains("VARCHAR"), "{error}");
}

async fn columns(schema: &Schema) -> Vec<String> {
    let mut connection = schema.connect().await;
    let columns = query(
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
         FROM information_schema.columns WHERE table_schema = current_schema() \
         UNION ALL SELECT encode(checksum, 'hex') FROM ps_migrations ORDER BY 1",
    );
    let rows = columns.fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
