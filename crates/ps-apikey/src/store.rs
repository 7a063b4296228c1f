//! What is stored of a key, and the port that stores it.

use std::fmt;

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, KeyDigest, KeyId, StoreResult, Timestamp};

use crate::{AllowedAddresses, KeyName, Scopes};

/// All that is known of a key once it has been shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Its name in lists and URLs.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of the key. Unique.
    pub digest: KeyDigest,
    /// What its owner recognises it by: the prefix, `…`, and the last four characters.
    pub hint: String,
    /// What its owner calls it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// Where it may be used from.
    pub allowed_addresses: AllowedAddresses,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused, if it expires.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From when on it is revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKeyRecord {
    /// Whether it counts towards its account's bound: not revoked, nor about to be, nor expired.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A place in an account's list of keys: behind this one, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCursor {
    /// When the last key that was shown was made.
    pub created_at: Timestamp,
    /// Its id, which decides between keys of the same millisecond (the greater is the newer).
    pub id: KeyId,
}

/// Which of an account's keys to list.
#[derive(Clone, Copy, Debug)]
pub enum Listing {
    /// This one.
    One(KeyId),
    /// A page, newest first.
    Page {
        /// Behind which key; `None` from the newest.
        after: Option<KeyCursor>,
        /// How many at most.
        limit: u32,
    },
}

/// Some of an account's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys, newest first, revoked ones included.
    pub keys: Vec<ApiKeyRecord>,
    /// Where the next page begins, if there is more.
    pub next: Option<KeyCursor>,
}

/// What became of inserting a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyInserted {
    /// The account's version is another one by now, or it is disabled: nothing was done.
    AccountChanged,
    /// It is stored.
    Done,
    /// The account has as many active keys as it may: nothing was done.
    Full,
}

/// What to change of a key; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPatch {
    /// A new name.
    pub name: Option<KeyName>,
    /// Other scopes.
    pub scopes: Option<Scopes>,
    /// Other addresses; the empty list allows all.
    pub allowed_addresses: Option<AllowedAddresses>,
    /// Another expiry; `Some(None)` for never.
    pub expires_at: Option<NewExpiry>,
}

/// The expiry that a patch sets; `None` for never.
pub type NewExpiry = Option<Timestamp>;

/// What became of changing a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyUpdated {
    /// Done; this is the key now.
    Done(Box<ApiKeyRecord>),
    /// The account has no such key.
    NotFound,
    /// The key is revoked, or about to be: nothing was done.
    Revoked,
}

/// The key that replaces another. Everything else it takes over.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Its own name.
    pub id: KeyId,
    /// SHA-256 of it.
    pub digest: KeyDigest,
    /// What its owner recognises it by.
    pub hint: String,
    /// Until when the old key works on; no later than its own expiry.
    pub old_ends: Timestamp,
}

/// What became of replacing a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRotated {
    /// The account's version is another one by now, or it is disabled: nothing was done.
    AccountChanged,
    /// Done.
    Done {
        /// The new key's record.
        new: Box<ApiKeyRecord>,
        /// The old key's digest.
        old: KeyDigest,
    },
    /// The account has no such key.
    NotFound,
    /// The key is revoked, about to be, or expired: nothing was done.
    Revoked,
}

/// Keeps keys. Every method is one atomic step.
#[async_trait]
pub trait ApiKeyStore: fmt::Debug + Send + Sync + 'static {
    /// Stores a new key.
    ///
    /// *Atomicity*: one transaction under the account's lock: only if the account is enabled and at
    /// version `under`, and fewer than `at_most` of its keys are
    /// [active](ApiKeyRecord::is_active) at `now`.
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted>;

    /// The keys with these digests, in any order; revoked and expired ones too.
    ///
    /// *Atomicity*: one read of all. *Security*: compares digests byte by byte; a key whose account
    /// is disabled is as absent as an unknown one. One caller may begin it and another, on another
    /// runtime, carry it to its end: what it waits for must outlive the runtime that it was called on.
    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>>;

    /// The account's keys. *Security*: another account's key is not there.
    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage>;

    /// Changes the account's key.
    ///
    /// *Atomicity*: one transaction: only while `revoked_at` is not set; an entry in the feed.
    /// *Time*: expiry does not matter, an expired key may be given a longer life.
    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated>;

    /// Replaces the account's key `old` by one that takes over its name, scopes, addresses and expiry.
    ///
    /// *Atomicity*: one transaction under the account's lock: only if the account is enabled and at
    /// `under`, and `old` is [active](ApiKeyRecord::is_active) at `now`; inserts the new key with
    /// `created_at` = `now`, sets the old one's `revoked_at` to the sooner of `new.old_ends` and its
    /// expiry, enters the old one into the feed. *Security*: the account has as many active keys
    /// afterwards as before, since one in its grace counts no more.
    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated>;

    /// Revokes the account's key, and answers its digest; `None` if the account has no such key.
    ///
    /// *Atomicity*: one statement, and an entry in the feed in the same transaction. *Time*: sets
    /// `revoked_at` to `now`, or leaves an earlier one. *Security*: nothing ever takes it back.
    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>>;

    /// Notes when keys were last used. `used` is sorted by id and names each once.
    ///
    /// *Atomicity*: each key by itself: only forwards, only that column, only while `revoked_at` is
    /// not set or later than the use.
    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()>;
}
