//! Several processes on one file, and processes that die.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    collections::HashSet,
    io::{self, Write},
    process::Stdio,
};

use common::{Folder, NOW, session, two};
use ps_core::{Change, Changes, Cursor, SessionId};
use ps_session::{SessionStore, Which};
use ps_sqlx::SqliteStore;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// Two stores on one file know nothing of each other, as if each were a process.
async fn two(folder: &Folder) -> [SqliteStore; 2] {
    [folder.open().await, folder.open().await]
}

// ST3, F14, OA25
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rules_hold_across_processes() {
    let folder = Folder::new();
    two::rules_hold(two(&folder).await).await;
}

// OA18, ST3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_way_in_is_left_whichever_process_is_asked() {
    let folder = Folder::new();
    two::a_way_in_is_left(two(&folder).await).await;
}

// MC3, MC4, MC10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_challenge_is_guessed_at_and_used_once_whichever_process_is_asked() {
    let folder = Folder::new();
    two::a_challenge_is_guessed_at_and_used_once(two(&folder).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_process_acknowledged_the_other_sees() {
    let folder = Folder::new();
    two::what_one_acknowledged_the_other_sees(two(&folder).await).await;
}

/// Where the child that is to be killed finds its database.
const DATABASE: &str = "PS_SQLX_TEST_DATABASE";

// ST3: of what was acknowledged nothing is lost, and nothing is half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_process() {
    let folder = Folder::new();
    let mut acknowledged = Vec::new();
    for round in 0..20u64 {
        let at_least = (round * 7_919 % 97) as usize;
        acknowledged.extend(write_until_killed(&folder, at_least).await);
        let store = folder.open().await;
        let told = store.since(Cursor::default(), u32::MAX).await.unwrap();
        let numbers = told.iter().map(|(cursor, _)| cursor.number());
        assert!(numbers.eq(1..=told.len() as u64), "round {round}");
        let ended: HashSet<_> = told.iter().map(|(_, change)| ended(change)).collect();
        for (old, new) in &acknowledged {
            let old_row = SessionStore::find(&store, Which::Id(old)).await.unwrap();
            let new_row = SessionStore::find(&store, Which::Id(new)).await.unwrap();
            assert!(old_row.unwrap().ended_at.is_some() && new_row.is_some());
            assert!(ended.contains(old), "round {round}");
        }
        let (_, all_ended) = store.ended_since(NOW).await.unwrap();
        let all_ended: HashSet<_> = all_ended.into_iter().collect();
        assert_eq!(all_ended, ended, "round {round}");
        store.close().await;
    }
    assert!(acknowledged.len() > 20 * 40);
}

/// Starts a process that writes, kills it after so many acknowledgements, and answers all that it
/// had printed by then.
async fn write_until_killed(folder: &Folder, at_least: usize) -> Vec<(SessionId, SessionId)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "write_until_killed_child",
            "--nocapture",
        ])
        .env(DATABASE, folder.database())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(ids) = line.strip_prefix("acknowledged ")
            && let Some((old, new)) = ids.split_once(' ')
        {
            acknowledged.push((old.parse().unwrap(), new.parse().unwrap()));
        }
        if acknowledged.len() == at_least {
            child.start_kill().unwrap();
        }
    }
    assert!(acknowledged.len() >= at_least);
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that is killed, started by what_was_acknowledged_outlives_the_process"]
async fn write_until_killed_child() {
    let Some(database) = std::env::var_os(DATABASE) else {
        return;
    };
    let store = SqliteStore::open(database).await.unwrap();
    let writing: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut old = session("a");
                store.open(&old, None, u32::MAX, NOW).await.unwrap();
                loop {
                    let new = session("a");
                    let replaced = Some(&old.family);
                    store.open(&new, replaced, u32::MAX, NOW).await.unwrap();
                    writeln!(io::stdout(), "acknowledged {} {}", old.id, new.id)?;
                    old = new;
                }
            })
        })
        .collect();
    for one in writing {
        let over: io::Result<()> = one.await.unwrap();
        over.unwrap_err();
    }
}

fn ended(change: &Change) -> SessionId {
    match change {
        Change::Session(id) => *id,
        Change::Key(_) => panic!("there are no keys"),
    }
}
