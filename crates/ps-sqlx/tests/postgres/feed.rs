//! The feed's order.

use std::time::Duration;

use ps_core::{Change, Changes, Cursor, SessionId, SystemRandom};
use ps_session::{End, SessionStore};
use sqlx::query;
use tokio::time::sleep;

use crate::{
    records::{NOW, open, session},
    schema::{Schema, execute},
};

// AK7, SE10: what is read at a place is never followed by something that was committed before it.
pub(crate) async fn a_number_drawn_first_is_not_overtaken(schema: Schema) {
    let store = schema.open().await;
    let (session, first) = (session("a"), SessionId::random(&SystemRandom));
    open(&store, &session).await;

    let mut other = schema.connect().await;
    execute(&mut other, "BEGIN; UPDATE ps_feed SET number = number + 1").await;
    let ending = tokio::spawn({
        let (store, family) = (store.clone(), session.family);
        async move { store.end(End::Family(&family), NOW).await }
    });
    schema.until_waiting(1).await;
    sleep(Duration::from_millis(300)).await;
    assert!(!ending.is_finished());
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap(), []);
    let (end, ended) = store.ended_since(NOW).await.unwrap();
    assert_eq!((end, ended), (Cursor::default(), Vec::new()));

    let insert = query("INSERT INTO ps_changes VALUES (1, 0, 'session', $1)");
    let insert = insert.bind(first.as_str().as_bytes());
    insert.execute(&mut other).await.unwrap();
    execute(&mut other, "COMMIT").await;
    ending.await.unwrap().unwrap();
    let told = store.since(Cursor::default(), 10).await.unwrap();
    let expected = [
        (Cursor::new(1), Change::Session(first)),
        (Cursor::new(2), Change::Session(session.id)),
    ];
    assert_eq!(told, expected);
    let (end, ended) = store.ended_since(NOW).await.unwrap();
    assert_eq!((end, ended), (Cursor::new(2), vec![session.id]));
}

// What every node does every 400 ms costs nothing where nothing happened, however long the feed is.
pub(crate) async fn a_poll_at_rest_reads_the_end_only(schema: Schema) {
    let store = schema.open().await;
    schema
        .execute(
            "INSERT INTO ps_changes SELECT n, 0, 'session', '\\x00' FROM generate_series(1, 50000) AS n; \
             UPDATE ps_feed SET number = 50000; ANALYZE ps_changes",
        )
        .await;
    let read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables \
                WHERE relid = CAST('ps_changes' AS REGCLASS)";
    let mut other = schema.connect().await;
    execute(&mut other, "SELECT pg_stat_force_next_flush()").await;
    let before = schema.number(read).await;
    for _ in 0..20 {
        assert_eq!(store.since(Cursor::new(50_000), 1_000).await.unwrap(), []);
    }
    // A connection tells what it read when it ends, if not before.
    store.close().await;
    schema.until(1, "TRUE").await;
    // The planner may look at the last row each time, to estimate how many there are after it.
    let rows = schema.number(read).await - before;
    assert!(rows <= 20, "{rows}");
}
