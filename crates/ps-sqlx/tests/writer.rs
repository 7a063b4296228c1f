//! How units share the one writer.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{future::Future, time::Duration};

use common::{DAY, Folder, NOW, account, email, open, session};
use ps_core::{Accounts, Change, Changes, Cursor, Users};
use ps_session::{Advance, Opened, SessionRecord, SessionStore, Which};
use ps_sqlx::SqliteStore;
use sqlx::{Connection, SqliteConnection, query};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, timeout},
};

// MC17, OP6: as many as wait together share one wait for the disk.
#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let folder = Folder::new();
    let store = folder.open().await;
    let sessions: Vec<_> = (0..64).map(|n| session(&format!("{n}"))).collect();
    for act in [Act::Open, Act::Rotate] {
        let before = folder.commits();
        let other = hold(&folder).await;
        let asked = ask(&store, &sessions, act);
        settle().await;
        release(other).await;
        for done in asked {
            assert!(done.await.unwrap(), "{act:?}");
        }
        assert_eq!(folder.commits() - before, 1, "{act:?}");
    }
    open(&store, &session("alone")).await;
}

#[tokio::test]
async fn one_that_comes_alone_does_not_wait_for_others() {
    let folder = Folder::new();
    let store = folder.open().await;
    let session = session("a");
    open(&store, &session).await;
    let before = folder.commits();
    assert!(act(&store, &session, Act::Rotate).await);
    assert_eq!(folder.commits() - before, 1);
}

#[tokio::test]
async fn a_unit_that_fails_leaves_its_neighbours() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (first, replaced) = (session("first"), session("replaced"));
    open(&store, &first).await;
    open(&store, &replaced).await;

    let other = hold(&folder).await;
    let neighbours: Vec<_> = (0..20).map(|n| session(&format!("{n}"))).collect();
    let before = ask(&store, &neighbours[..10], Act::Open);
    settle().await;
    // Its id is taken, which it finds out when it has ended the session that it replaces.
    let failing = tokio::spawn({
        let (store, family) = (store.clone(), replaced.family);
        let same = SessionRecord {
            id: first.id,
            ..session("failing")
        };
        async move { store.open(&same, Some(&family), 20, NOW).await }
    });
    settle().await;
    let after = ask(&store, &neighbours[10..], Act::Open);
    settle().await;
    release(other).await;

    assert!(failing.await.unwrap().is_err());
    for done in before.into_iter().chain(after) {
        assert!(done.await.unwrap());
    }
    for neighbour in neighbours.iter().chain([&first, &replaced]) {
        let found = find(&store, neighbour).await;
        assert_eq!(found.as_ref(), Some(neighbour));
    }
    assert_eq!(store.since(Cursor::default(), 10).await.unwrap(), []);
}

// ST3, F14
#[tokio::test]
async fn a_file_that_stays_locked_is_an_error_and_no_harm() {
    let folder = Folder::new();
    let store = folder.open().await;
    let known = session("known");
    open(&store, &known).await;

    let other = hold(&folder).await;
    let begun = Instant::now();
    let refused: Vec<_> = (0..64).map(|n| session(&format!("{n}"))).collect();
    let asked: Vec<_> = refused
        .iter()
        .map(|session| {
            let (store, session) = (store.clone(), session.clone());
            tokio::spawn(async move { store.open(&session, None, 20, NOW).await })
        })
        .collect();
    settle().await;
    // Who only reads does not notice.
    assert_eq!(find(&store, &known).await.as_ref(), Some(&known));
    for refused in asked {
        let error = refused.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the store could not answer");
    }
    let waited = begun.elapsed();
    assert!((4..8).contains(&waited.as_secs()), "{waited:?}");

    release(other).await;
    for session in &refused {
        let found = find(&store, session).await;
        assert_eq!(found, None);
    }
    open(&store, &refused[0]).await;
    assert_sound(&folder).await;
}

#[tokio::test]
async fn what_a_caller_leaves_behind_is_whole() {
    let folder = Folder::new();
    let store = folder.open().await;
    let olds: Vec<_> = (0..64).map(|n| session(&format!("{n}"))).collect();
    let news: Vec<_> = olds
        .iter()
        .map(|old| session(old.account.as_str()))
        .collect();
    for old in &olds {
        open(&store, old).await;
    }
    let other = hold(&folder).await;
    for (place, (old, new)) in olds.iter().zip(&news).enumerate() {
        let replacing = store.open(new, Some(&old.family), 20, NOW);
        if place % 2 == 0 {
            // Asked, and hung up while it waits.
            let hung_up = timeout(Duration::from_millis(1), replacing).await;
            assert!(hung_up.is_err());
        } else {
            drop(replacing);
        }
    }
    release(other).await;
    store.close().await;

    let store = folder.open().await;
    let mut done = 0;
    let told = told(&store).await;
    for (old, new) in olds.iter().zip(&news) {
        let old = find(&store, old).await.unwrap();
        let is_there = find(&store, new).await.is_some();
        assert_eq!(old.ended_at.is_some(), is_there);
        assert_eq!(told.contains(&Change::Session(old.id)), is_there);
        done += usize::from(is_there);
    }
    assert_eq!(done, 32, "what was asked happened, what was not did not");
}

// OP6
#[tokio::test]
async fn closing_finishes_what_waits() {
    let folder = Folder::new();
    let store = folder.open().await;
    let sessions: Vec<_> = (0..64).map(|n| session(&format!("{n}"))).collect();
    let asked = ask(&store, &sessions, Act::Open);
    settle().await;
    let another = store.clone();
    tokio::join!(store.close(), another.close());
    for done in asked {
        assert!(done.await.unwrap());
    }
    assert!(store.disable(&account("0"), NOW).await.is_err());
    assert!(store.standing(&account("0")).await.is_err());
    store.close().await;
    let reopened = folder.open().await;
    for session in &sessions {
        let found = find(&reopened, session).await;
        assert!(found.is_some());
    }
}

// ST10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_more_callers_than_connections_all_get_answers() {
    let folder = Folder::new();
    let store = folder.open().await;
    let user = store.import_user(&email("a"), NOW).await.unwrap();
    let asked: Vec<_> = (0..500)
        .map(|number| {
            let (store, id) = (store.clone(), user.id.clone());
            tokio::spawn(async move {
                if number % 5 == 0 {
                    store.enable(&id, NOW).await.unwrap();
                }
                Users::find(&store, &id).await.unwrap()
            })
        })
        .collect();
    for found in asked {
        assert_eq!(found.await.unwrap().as_ref(), Some(&user));
    }
}

async fn find(store: &SqliteStore, session: &SessionRecord) -> Option<SessionRecord> {
    let by_id = Which::Id(&session.id);
    SessionStore::find(store, by_id).await.unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Open,
    Rotate,
}

/// Whether it was done.
fn act(
    store: &SqliteStore,
    session: &SessionRecord,
    act: Act,
) -> impl Future<Output = bool> + Send + 'static {
    let (store, session) = (store.clone(), session.clone());
    async move {
        match act {
            Act::Open => {
                let opened = store.open(&session, None, 20, NOW).await.unwrap();
                matches!(opened, Opened::Done { .. })
            }
            Act::Rotate => {
                let advance = Advance {
                    family: session.family,
                    generation: session.generation,
                    key: None,
                    idle_ends_at: NOW.plus(DAY),
                };
                store.rotate(&advance, NOW).await.unwrap().is_some()
            }
        }
    }
}

fn ask(store: &SqliteStore, sessions: &[SessionRecord], what: Act) -> Vec<JoinHandle<bool>> {
    let acts = sessions.iter().map(|session| act(store, session, what));
    acts.map(tokio::spawn).collect()
}

/// Lets every task go as far as it can; the tests that need it run on one thread.
async fn settle() {
    for _ in 0..10 {
        yield_now().await;
    }
}

/// Takes the file, as another program would, so that units wait.
async fn hold(folder: &Folder) -> SqliteConnection {
    let mut other = folder.connect().await;
    query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    other
}

async fn release(mut other: SqliteConnection) {
    query("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
}

async fn told(store: &SqliteStore) -> Vec<Change> {
    let told = store.since(Cursor::default(), u32::MAX).await.unwrap();
    told.into_iter().map(|(_, change)| change).collect()
}

async fn assert_sound(folder: &Folder) {
    let mut connection = folder.connect().await;
    let check = query("PRAGMA integrity_check").fetch_one(&mut connection);
    let found: String = sqlx::Row::get(&check.await.unwrap(), 0);
    assert_eq!(found, "ok");
}
