//! Callers who do not wait for the answer.

use std::{future::poll_fn, num::NonZeroU32, pin::pin, task::Poll, thread, time::Duration};

use ps_core::Users;
use ps_session::{Advance, SessionStore, Which};
use ps_sqlx::{PostgresOptions, PostgresStore};
use tokio::runtime::Builder;

use crate::{
    records::{DAY, NOW, email, open, session},
    schema::{Schema, execute, number},
};

// A connection that is handed on within a transaction acknowledges what is never committed.
pub(crate) async fn a_caller_that_hangs_up_leaves_no_transaction_open(schema: Schema) {
    let one = PostgresOptions::default()
        .with_max_connections(NonZeroU32::MIN)
        .with_acquire_timeout(Duration::from_secs(10));
    let store = PostgresStore::open_with(&schema.url(), one).await.unwrap();
    let kept = session("kept");
    open(&store, &kept).await;
    let mut other = schema.connect().await;
    for polls in 0..50 {
        let session = session("a");
        let opening = store.open(&session, None, u32::MAX, NOW);
        let _ = give_up(polls, opening).await;

        // One statement, which is a transaction by itself.
        let advance = Advance {
            family: kept.family,
            generation: u32::try_from(polls).unwrap(),
            key: None,
            idle_ends_at: NOW.plus(DAY),
        };
        assert!(store.rotate(&advance, NOW).await.unwrap().is_some());
        let generation = "SELECT generation FROM ps_sessions WHERE account_id = 'kept'";
        let seen = number(&mut other, generation).await;
        assert_eq!(seen, i64::from(advance.generation) + 1, "{polls} polls");
    }
    // Each happened wholly, or not at all.
    let halves = "SELECT COUNT(*) FROM ps_sessions AS s FULL JOIN ps_accounts AS a \
                  ON a.id = s.account_id WHERE s.id IS NULL OR a.id IS NULL";
    assert_eq!(number(&mut other, halves).await, 0);
}

// The server ends a statement that waits too long, and says so to nobody but its caller, who has hung
// up: whoever comes next gets an answer of its own.
pub(crate) async fn what_became_of_a_statement_is_told_to_its_own_caller_only(schema: Schema) {
    let one = PostgresOptions::default()
        .with_max_connections(NonZeroU32::MIN)
        .with_acquire_timeout(Duration::from_secs(10));
    let store = PostgresStore::open_with(&schema.url(), one).await.unwrap();
    let session = session("a");
    open(&store, &session).await;
    let mut other = schema.connect().await;
    execute(
        &mut other,
        "BEGIN; UPDATE ps_sessions SET network = network",
    )
    .await;
    let advance = Advance {
        family: session.family,
        generation: 0,
        key: None,
        idle_ends_at: NOW.plus(DAY),
    };
    tokio::select! {
        rotated = store.rotate(&advance, NOW) => panic!("it waits for the row: {rotated:?}"),
        () = schema.until_waiting(1) => {}
    }
    // There is one connection, and it is free when the server has given that statement up.
    let found = SessionStore::find(&store, Which::Id(&session.id)).await;
    assert_eq!(found.unwrap(), Some(session.clone()));
    execute(&mut other, "COMMIT").await;
    assert!(store.rotate(&advance, NOW).await.unwrap().is_some());
}

// Each of actix-web's workers has a runtime, which ends before the last uses are written.
pub(crate) async fn what_a_runtime_that_ends_has_used_is_of_use(schema: Schema) {
    let store = schema.open().await;
    let there = store.clone();
    let asking = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // At once, so that there are not connections enough.
            let address = email("a");
            let asked = || there.find_by_email(&address);
            let found = tokio::try_join!(asked(), asked(), asked(), asked());
            found.unwrap();
        });
    });
    asking.join().unwrap();
    for _ in 0..20 {
        store.find_by_email(&email("a")).await.unwrap();
    }
}

/// Drops the future when it has been polled so often: at each of the places where it waits.
async fn give_up<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut polled) = (pin!(future), 0);
    poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
