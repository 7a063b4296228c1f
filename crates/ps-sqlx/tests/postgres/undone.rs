//! Units that the server undoes for another's sake.

use ps_core::{Changes, Cursor};
use ps_session::{End, Opened, SessionStore, Which};

use crate::{
    records::{NOW, account, open, session},
    schema::{Schema, execute},
};

// ST4: the store has locked the account and wants the old session, another the other way about.
pub(crate) async fn a_deadlock_is_repeated(schema: Schema) {
    let store = schema.open().await;
    let (old, new) = (session("a"), session("a"));
    open(&store, &old).await;

    let mut other = schema.connect().await;
    execute(
        &mut other,
        format!(
            "SET deadlock_timeout = '30s'; BEGIN; \
             SELECT id FROM ps_sessions WHERE id = '{}' FOR UPDATE",
            old.id
        ),
    )
    .await;
    let opening = tokio::spawn({
        let (store, new, family) = (store.clone(), new.clone(), old.family);
        async move { store.open(&new, Some(&family), 20, NOW).await }
    });
    // On the server, for the store looks for deadlocks once, a second from now.
    let lock = format!(
        "DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM pg_stat_activity \
         WHERE application_name = '{}' AND wait_event_type = 'Lock') LOOP \
         PERFORM pg_sleep(0.005); PERFORM pg_stat_clear_snapshot(); END LOOP; \
         PERFORM id FROM ps_accounts WHERE id = 'a' FOR UPDATE; END $$",
        schema.name()
    );
    // The account comes free when the server has chosen the store to be undone.
    execute(&mut other, lock).await;
    execute(&mut other, "COMMIT").await;
    let ended = vec![old.id];
    assert_eq!(opening.await.unwrap().unwrap(), Opened::Done { ended });
}

// ST4
pub(crate) async fn a_serialization_failure_is_repeated_three_times(schema: Schema) {
    let store = schema.open().await;
    let old = session("a");
    open(&store, &old).await;
    fail_serialization(&schema, "ps_sessions", "number <= 3").await;
    let new = session("a");
    let opened = store.open(&new, Some(&old.family), 20, NOW).await;
    assert_eq!(
        opened.unwrap(),
        Opened::Done {
            ended: vec![old.id]
        }
    );
    assert_eq!(schema.number("SELECT last_value FROM tries").await, 4);
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap().len(), 1);

    fail_serialization(&schema, "ps_sessions", "number <= 4").await;
    let newer = session("a");
    let refused = store.open(&newer, Some(&new.family), 20, NOW).await;
    assert!(refused.is_err());
    assert_eq!(schema.number("SELECT last_value FROM tries").await, 4);
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap().len(), 1);
    let found = SessionStore::find(&store, Which::Id(&new.id)).await;
    assert_eq!(found.unwrap(), Some(new));
    let found = SessionStore::find(&store, Which::Id(&newer.id)).await;
    assert_eq!(found.unwrap(), None);
}

// F13: in the first place and in the last that a unit comes to, and in one of a single statement.
pub(crate) async fn a_load_with_serialization_failures_is_carried_out(schema: Schema) {
    let store = schema.open().await;
    fail_serialization(&schema, "ps_sessions", "number % 10 = 0").await;
    let racing: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let session = session("a");
                store.open(&session, None, 20, NOW).await.unwrap();
                let family = &session.family;
                let ended = store.end(End::Family(family), NOW).await.unwrap();
                u64::from(ended.is_some())
            })
        })
        .collect();
    for one in racing {
        one.await.unwrap();
    }
    assert!(schema.number("SELECT last_value FROM tries").await > 64);
    let alive = SessionStore::list(&store, &account("a"), NOW)
        .await
        .unwrap();
    assert_eq!(alive, []);
    let told = store.since(Cursor::default(), u32::MAX).await.unwrap();
    let numbers = told.iter().map(|(cursor, _)| cursor.number());
    assert!(numbers.eq(1..=64), "each ended once, without a gap");
}

/// Lets the tries to write to `table` fail for which the condition holds, counted from 1. A sequence
/// counts what is undone too.
async fn fail_serialization(schema: &Schema, table: &str, condition: &str) {
    let sql = format!(
        "DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries; \
         CREATE OR REPLACE FUNCTION fail() RETURNS TRIGGER LANGUAGE plpgsql AS $$ \
         DECLARE number BIGINT := nextval('tries'); BEGIN IF {condition} THEN \
         RAISE EXCEPTION 'as if another had been first' USING ERRCODE = '40001'; END IF; \
         RETURN NEW; END $$; \
         DROP TRIGGER IF EXISTS failing ON {table}; \
         CREATE TRIGGER failing BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail()"
    );
    schema.execute(sql).await;
}
