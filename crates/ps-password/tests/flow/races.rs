//! Many at once.

use std::sync::Arc;

use ps_core::{Outcome, Refusal};
use ps_password::PasswordError::{AccountChanged, Denied, Throttled};

use crate::site::{RIGHT, Site, WRONG};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_wrong_guesses_at_once_ten_are_compared() {
    let site = Arc::new(Site::with_alice().await);
    let hashed = site.passwords.hashes();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let site = Arc::clone(&site);
            tokio::spawn(async move { site.sign_in(WRONG).await })
        })
        .collect();
    let (mut denied, mut throttled) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Err(Denied) => denied += 1,
            Err(Throttled { .. }) => throttled += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((denied, throttled), (10, 54));
    assert_eq!(site.passwords.hashes() - hashed, 10);
    let told = site.told();
    let count = |why| {
        let outcome = Outcome::PasswordRefused(why);
        told.iter().filter(|one| **one == outcome).count()
    };
    assert_eq!((count(Refusal::Wrong), count(Refusal::Throttled)), (10, 54));
    assert!(matches!(site.sign_in(RIGHT).await, Err(Throttled { .. })));
}

// SE22
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_changes_at_once_exactly_one_is_made() {
    let site = Arc::new(Site::with_alice().await);
    let new = |n: usize| format!("password number {n} of eight");
    let mut tasks = Vec::new();
    for n in 0..8 {
        let asked = site.aged(0).await.knowing(RIGHT);
        let site = Arc::clone(&site);
        tasks.push(tokio::spawn(
            async move { site.change(asked, &new(n)).await },
        ));
    }
    let mut made = Vec::new();
    for (n, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(version) => {
                assert_eq!(version, site.version().await);
                made.push(n);
            }
            // Whoever read the winner's hash compared with that.
            Err(AccountChanged | ps_password::PasswordError::CurrentWrong) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(made.len(), 1, "{made:?}");
    site.sign_in(&new(made[0])).await.unwrap();
    assert!(matches!(site.sign_in(RIGHT).await, Err(Denied)));
}
