//! A thousand sign-ins at the same moment, on one thread of one runtime.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{num::NonZero, sync::Arc};

use futures_util::{FutureExt, future::join_all};
use ps_core::{Ambient, EmailAddress, Requester};
use ps_memory::MemoryStore;
use ps_password::{PasswordError, PasswordPolicy, Passwords, TypedPassword};

const QUEUE: usize = 32;

fn passwords(threads: usize) -> Passwords {
    let store = Arc::new(MemoryStore::default());
    let policy = PasswordPolicy::default()
        .with_threads(NonZero::new(threads).unwrap())
        .with_queue(QUEUE);
    Passwords::new(store.clone(), store, policy, Ambient::default())
}

fn addresses(count: usize) -> Vec<EmailAddress> {
    (0..count)
        .map(|n| EmailAddress::parse(&format!("user{n}@example.com")).unwrap())
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn most_are_refused_at_once_and_nothing_else_waits() {
    let passwords = passwords(1);
    let (addresses, typed) = (addresses(1_000), TypedPassword::new("wrong".to_owned()));
    let client = Requester::new([203, 0, 113, 7].into());
    let mut asked: Vec<_> = addresses
        .iter()
        .map(|address| Box::pin(passwords.verify(address, None, &typed, &client)))
        .collect();
    // Each is polled once, here: whatever hashed on this thread would be done now.
    let mut waiting = Vec::new();
    let mut busy = 0;
    for mut one in asked.drain(..) {
        match (&mut one).now_or_never() {
            Some(Err(PasswordError::Busy)) => busy += 1,
            Some(other) => panic!("{other:?}"),
            None => waiting.push(one),
        }
    }
    let begun = passwords.hashes() as usize;
    assert_eq!(waiting.len() + busy, 1_000);
    assert!(waiting.len() <= begun + QUEUE + 1, "{} wait", waiting.len());
    assert!(busy >= 900, "{busy}");
    assert!(begun < waiting.len(), "{begun} of {}", waiting.len());

    // Those who stay get their answer; of those who leave, nothing is left to do.
    let stay = waiting.split_off(waiting.len() - 2);
    drop(waiting);
    for answer in join_all(stay).await {
        assert!(matches!(answer, Err(PasswordError::Denied)), "{answer:?}");
    }
    let all = passwords.hashes() as usize;
    assert!(all < begun + QUEUE / 2, "{all} after {begun}");
}

/// The most that this process ever had in memory, in KiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.unwrap().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "current_thread")]
async fn memory_is_that_of_the_threads() {
    const HASH: u64 = 19_456;
    const REST: u64 = 12 * 1_024;
    let before = peak();
    let passwords = passwords(2);
    let (addresses, typed) = (addresses(200), TypedPassword::new("wrong".to_owned()));
    let client = Requester::new([203, 0, 113, 7].into());
    let asked = addresses
        .iter()
        .map(|address| passwords.verify(address, None, &typed, &client));
    join_all(asked).await;
    assert!(passwords.hashes() > 2);
    // The other test of this file may have its one thread at the same time.
    let grown = peak() - before;
    assert!(grown < 3 * HASH + REST, "{grown} KiB");
}
