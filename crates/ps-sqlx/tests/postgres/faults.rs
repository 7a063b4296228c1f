//! What is in the way, and what is set so that it is not for long.

use std::{num::NonZeroU32, sync::Arc};

use ps_core::{Changes, Cursor, Timestamp, Users};
use ps_session::{End, SessionStore, Which};
use ps_sqlx::{PostgresOptions, PostgresStore};
use ps_testkit::ManualClock;
use sqlx::{Row, query};
use tokio::time::Instant;

use crate::{
    records::{DAY, NOW, account, email, open, session},
    schema::{Schema, execute},
};

// ST4, ST9
pub(crate) async fn a_lock_that_is_held_too_long_is_an_error_and_no_harm(schema: Schema) {
    let store = schema.open().await;
    let (old, new) = (session("a"), session("a"));
    open(&store, &old).await;

    // It has locked the account and ended the old session when it comes to draw a number.
    let mut other = schema.connect().await;
    execute(&mut other, "BEGIN; SELECT number FROM ps_feed FOR UPDATE").await;
    let begun = Instant::now();
    let error = store.open(&new, Some(&old.family), 20, NOW).await;
    let waited = begun.elapsed();
    assert_eq!(error.unwrap_err().to_string(), "the store could not answer");
    assert!((1_900..4_000).contains(&waited.as_millis()), "{waited:?}");
    // Who only reads does not notice.
    let found = SessionStore::find(&store, Which::Id(&old.id)).await;
    assert_eq!(found.unwrap(), Some(old.clone()));
    assert_eq!(
        SessionStore::find(&store, Which::Id(&new.id))
            .await
            .unwrap(),
        None
    );

    execute(&mut other, "ROLLBACK").await;
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap(), []);
    store.open(&new, Some(&old.family), 20, NOW).await.unwrap();
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap().len(), 1);
}

// ST9, ST10
pub(crate) async fn every_connection_in_use_is_an_error_after_a_second(schema: Schema) {
    let two = PostgresOptions::default().with_max_connections(NonZeroU32::new(2).unwrap());
    let store = PostgresStore::open_with(&schema.url(), two).await.unwrap();
    let mut other = schema.connect().await;
    let sessions = [session("a"), session("b")];
    for session in &sessions {
        open(&store, session).await;
    }
    execute(&mut other, "BEGIN; SELECT number FROM ps_feed FOR UPDATE").await;
    let ending = sessions.map(|session| {
        let store = store.clone();
        tokio::spawn(async move { store.end(End::Family(&session.family), NOW).await })
    });
    schema.until_waiting(2).await;
    let begun = Instant::now();
    assert!(store.find_by_email(&email("a")).await.is_err());
    let waited = begun.elapsed();
    assert!((900..1_500).contains(&waited.as_millis()), "{waited:?}");
    execute(&mut other, "ROLLBACK").await;
    for ended in ending {
        assert!(ended.await.unwrap().unwrap().is_some());
    }
    assert!(store.find_by_email(&email("a")).await.unwrap().is_none());
}

// ST4
pub(crate) async fn what_is_promised_of_a_connection_is_set_on_it(schema: Schema) {
    // What the URL asks for does not take it back.
    let url = schema.url().replace(
        "options[search_path]",
        "options[statement_timeout]=0&options[default_transaction_isolation]=serializable&options[search_path]",
    );
    let store = PostgresStore::open(&url).await.unwrap();
    schema
        .execute(
            "CREATE TABLE settings (statement TEXT, idle TEXT, isolation TEXT, client TEXT); \
             CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO settings VALUES (current_setting('statement_timeout'), \
             current_setting('idle_in_transaction_session_timeout'), \
             current_setting('transaction_isolation'), current_setting('application_name')); \
             RETURN NEW; END $$; \
             CREATE TRIGGER noted BEFORE UPDATE ON ps_accounts FOR EACH ROW EXECUTE FUNCTION note(); \
             CREATE TRIGGER noted BEFORE UPDATE ON ps_sessions FOR EACH ROW EXECUTE FUNCTION note()",
        )
        .await;
    open(&store, &session("a")).await;
    store.end(End::All(&account("a")), NOW).await.unwrap();
    let mut connection = schema.connect().await;
    let noted = query("SELECT DISTINCT statement, idle, isolation, client FROM settings");
    let noted = noted.fetch_all(&mut connection).await.unwrap();
    let [row] = noted.as_slice() else {
        panic!("{} settings", noted.len());
    };
    let settings: [String; 4] = std::array::from_fn(|column| row.get(column));
    assert_eq!(settings, ["2s", "5s", "read committed", schema.name()]);
}

// ST6
pub(crate) async fn the_store_tells_the_servers_time(schema: Schema) {
    let unused = ManualClock::new(Timestamp::from_seconds(0));
    let store = schema.open().await.with_clock(Arc::new(unused));
    let here = "SELECT CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)";
    let before = schema.number(here).await;
    let told = store.time().await.unwrap().as_millis();
    let after = schema.number(here).await;
    assert!((before..=after).contains(&told), "{before} {told} {after}");
}

pub(crate) async fn a_purge_passes_over_what_another_deletes(schema: Schema) {
    let store = schema.open().await;
    let sessions: Vec<_> = (0..4).map(|n| session(&format!("{n}"))).collect();
    for session in &sessions {
        open(&store, session).await;
    }
    let mut other = schema.connect().await;
    let held = format!(
        "BEGIN; DELETE FROM ps_sessions WHERE account_id = '{}'",
        account("1")
    );
    execute(&mut other, held).await;
    let over = NOW.plus(DAY * 30);
    let purge = async |at_most| SessionStore::purge(&store, over, at_most).await.unwrap();
    assert_eq!(purge(2).await, 2);
    assert_eq!(purge(2).await, 1);
    execute(&mut other, "COMMIT").await;
    assert_eq!(purge(2).await, 0);
}
