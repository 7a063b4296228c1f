//! Hashes made at another cost, and rows that nobody made.

use std::{num::NonZero, sync::atomic::Ordering};

use ps_core::{Outcome, Refusal};
use ps_password::{HashCost, PasswordError::Denied, PasswordHash, PasswordStore};

use crate::site::{RIGHT, Site, WRONG, account, policy};

/// Made by the reference implementation: 64 MiB, three passes, four lanes.
const FOREIGN: &str = "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$77UfmnZYT23WpPeUKhovauWm5OxRQv9nTf1dJ+tF5EY";

async fn put(site: &Site, phc: &str) {
    let (now, under) = (site.now(), site.version().await);
    let hash = PasswordHash::new(phc);
    site.memory
        .replace(&account(), &hash, None, under, now)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew_when_its_password_is_right() {
    let site = Site::with_alice().await;
    let before = site.stored().await;
    let dearer = policy().with_cost(HashCost::new(12_288, 3).unwrap());
    let site = Site::with(dearer, site.memory);
    let version = site.version().await;

    assert!(matches!(site.sign_in(WRONG).await, Err(Denied)));
    assert_eq!((site.stored().await, site.passwords.hashes()), (before, 1));
    site.sign_in(RIGHT).await.unwrap();
    let after = site.stored().await;
    assert!(
        after.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"),
        "{after}"
    );
    assert_eq!(site.version().await, version, "nobody is signed out by it");

    let hashed = site.passwords.hashes();
    site.sign_in(RIGHT).await.unwrap();
    assert_eq!(site.stored().await, after, "once");
    assert_eq!(site.passwords.hashes() - hashed, 1);
}

#[tokio::test]
async fn a_hash_from_elsewhere_is_taken_over() {
    let site = Site::new();
    put(&site, FOREIGN).await;
    site.sign_in(RIGHT).await.unwrap();
    let after = site.stored().await;
    assert!(
        after.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{after}"
    );
    site.sign_in(RIGHT).await.unwrap();
}

#[tokio::test]
async fn a_row_that_asks_for_gigabytes_opens_nothing_and_costs_one_hash() {
    for phc in [&FOREIGN.replace("m=65536", "m=4194304"), "", "plain text"] {
        let site = Site::new();
        put(&site, phc).await;
        assert!(matches!(site.sign_in(RIGHT).await, Err(Denied)), "{phc}");
        assert_eq!(site.passwords.hashes(), 1);
        let told = Outcome::PasswordRefused(Refusal::Malformed);
        assert_eq!(site.told(), [told]);
        assert_eq!(site.stored().await, *phc);
        // The way out is the mailbox.
        let asked = site.aged(0).await.by_mailbox();
        site.change(asked, RIGHT).await.unwrap();
        site.sign_in(RIGHT).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_cannot_take_the_new_hash_does_not_spoil_the_sign_in() {
    let site = Site::new();
    put(&site, FOREIGN).await;
    let one_thread = policy().with_threads(NonZero::<usize>::MIN);
    let site = Site::with(one_thread, site.memory);
    site.store.rehash_fails.store(true, Ordering::Relaxed);
    site.sign_in(RIGHT).await.unwrap();
    assert_eq!(site.stored().await, FOREIGN);
    site.store.rehash_fails.store(false, Ordering::Relaxed);
    site.sign_in(RIGHT).await.unwrap();
    assert_ne!(site.stored().await, FOREIGN);
}
