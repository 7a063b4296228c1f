//! What is stored of a password, and the port that stores it.

use std::fmt;

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Raised, SessionId, StoreResult, Timestamp};

/// A password's hash as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
///
/// It is not shown: whoever has it can guess at the password without asking anybody.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the text as it was stored. It is read when a password is compared with it; one that
    /// cannot be read fits no password.
    #[must_use]
    pub fn new(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// The text, for a store to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Keeps the hash of each account's password. Every method is one atomic step.
///
/// `Accounts::claim` of the same store removes the account's password. Nothing else does: it can be
/// changed and not taken away.
#[async_trait]
pub trait PasswordStore: fmt::Debug + Send + Sync + 'static {
    /// The account's hash, if it has a password.
    async fn find(&self, account: &AccountId) -> StoreResult<Option<PasswordHash>>;

    /// Sets or changes the account's password and ends its sessions, all but `keep`.
    ///
    /// *Atomicity*: one transaction under the account's lock: only if the account is enabled and at
    /// `under`, and `keep` (where given) is its live session at that version, else
    /// [`Raised::Changed`]; raises the version, carries `keep` to it, enters each ended session into
    /// the feed. *Time*: `now` decides who is alive and is their `ended_at`.
    async fn replace(
        &self,
        account: &AccountId,
        new: &PasswordHash,
        keep: Option<&SessionId>,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised>;

    /// Puts `to`, a hash of the same password, in the place of `from`.
    ///
    /// *Atomicity*: one conditional statement; where the hash is not `from` by now, nothing happens.
    /// *Security*: it raises no version, because nothing has changed for anybody.
    async fn rehash(
        &self,
        account: &AccountId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> StoreResult<()>;
}
