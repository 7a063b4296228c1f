//! Several processes on one file, and processes that die.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    collections::HashSet,
    io::{self, Write},
    process::Stdio,
    sync::Arc,
};

use common::{DAY, Folder, NOW, account, email, session};
use ps_core::{
    AccountVersion, Accounts, Change, Changes, Cursor, Hit, LimitKey, LimitRule, Limited, Limiter,
    Registered, SessionId, Users, VerifiedEmail,
};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};
use ps_session::{End, Opened, SessionStore, Which};
use ps_sqlx::SqliteStore;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    sync::Barrier,
};

/// Two stores on one file know nothing of each other, as if each were a process.
async fn two(folder: &Folder) -> [SqliteStore; 2] {
    [folder.open().await, folder.open().await]
}

// ST3, F14, OA25
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rules_hold_across_processes() {
    let folder = Folder::new();
    let stores = two(&folder).await;
    let start = Arc::new(Barrier::new(128));
    let racing: Vec<_> = (0..128)
        .map(|number| {
            let (store, start) = (stores[number % 2].clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let new = is_new(&store).await;
                let opened = store.open(&session("a"), None, 20, NOW).await.unwrap();
                assert!(matches!(opened, Opened::Done { .. }));
                (new, passes(&store).await)
            })
        })
        .collect();
    let (mut new, mut passed) = (0, 0);
    for one in racing {
        let (is_new, passes) = one.await.unwrap();
        new += u32::from(is_new);
        passed += u32::from(passes);
    }
    assert_eq!((new, passed), (1, 50));
    let alive = SessionStore::list(&stores[0], &account("a"), NOW)
        .await
        .unwrap();
    assert_eq!(alive.len(), 20);
    let told = stores[1].since(Cursor::default(), u32::MAX).await.unwrap();
    assert_eq!(told.len(), 108);
    let numbers = told.iter().map(|(cursor, _)| cursor.number());
    assert!(
        numbers.eq(1..=108),
        "in the order of commits, without a gap"
    );
}

// OA18, ST3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_way_in_is_left_whichever_process_is_asked() {
    let (folder, providers) = (Folder::new(), ["google", "linkedin"]);
    let stores = two(&folder).await;
    for round in 0..100 {
        let name = format!("{round}");
        for provider in providers {
            let new = LinkedIdentity {
                identity: Identity {
                    provider: provider.to_owned(),
                    issuer: format!("https://{provider}.example.com"),
                    subject: name.clone(),
                },
                account: account(&name),
                email: None,
                linked_at: NOW,
                removed_at: None,
            };
            let linked = stores[0].link(&new, Removed::Stays, AccountVersion::default());
            assert_eq!(linked.await.unwrap(), Linked::Done);
        }
        let unlink = async |task: usize| {
            let (store, id, under) = (&stores[task], account(&name), AccountVersion::default());
            let (one, all) = (providers[task], &providers);
            let unlinked = store.unlink_unless_last(&id, one, all, false, under, NOW);
            unlinked.await.unwrap()
        };
        let (one, other) = tokio::join!(unlink(0), unlink(1));
        assert!(
            (one, other) == (Unlinked::Done, Unlinked::Last)
                || (one, other) == (Unlinked::Last, Unlinked::Done),
            "{one:?} and {other:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_process_acknowledged_the_other_sees() {
    let folder = Folder::new();
    let stores = two(&folder).await;
    for number in 0..100 {
        let (here, there) = (&stores[number % 2], &stores[(number + 1) % 2]);
        let session = session("a");
        here.open(&session, None, 20, NOW).await.unwrap();
        let found = SessionStore::find(there, Which::Id(&session.id)).await;
        assert_eq!(found.unwrap().as_ref(), Some(&session));
        there.end(End::Family(&session.family), NOW).await.unwrap();
        let (end, _) = here.ended_since(NOW).await.unwrap();
        assert_eq!(end, Cursor::new(number as u64 + 1));
        let id = account(&format!("{number}"));
        assert!(here.disable(&id, NOW).await.unwrap());
        assert!(!there.disable(&id, NOW).await.unwrap());
    }
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

async fn is_new(store: &SqliteStore) -> bool {
    #[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
    let proof = VerifiedEmail::danger_proven(email("a"), NOW);
    matches!(
        store.register(&proof, NOW).await.unwrap(),
        Registered::New(_)
    )
}

async fn passes(store: &SqliteStore) -> bool {
    let rule = LimitRule {
        limit: 50,
        per: DAY,
    };
    let hit = Hit::new(LimitKey::new("test", "a"), rule);
    let answer = store.hit(&[hit], NOW).await.unwrap();
    matches!(answer, Limited::Passed { .. })
}
