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
