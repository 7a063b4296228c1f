//! The account as ps-auth sees it: a version, whether its mailbox is proven, whether it is disabled.

use std::fmt;

use async_trait::async_trait;

use crate::{AccountId, AccountVersion, StoreResult, Timestamp, VerifiedEmail};

/// Where an account stands at one moment. The default is that of an account nobody has touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Under which version a proof made now is made.
    pub version: AccountVersion,
    /// When its mailbox was first proven. Until then no flow gives it a session or a key.
    pub proven_at: Option<Timestamp>,
    /// Since when it is disabled.
    pub disabled_at: Option<Timestamp>,
}

impl Standing {
    /// Whether the account may be given sessions and keys: proven and not disabled.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.proven_at.is_some() && self.disabled_at.is_none()
    }
}

/// What became of a change that raises an account's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raised {
    /// The version was another one by then: nothing was done. Read the standing and judge again.
    Changed,
    /// Done; the account is at this version now.
    To(AccountVersion),
}

/// Our own row of each account, `(account_id, version, proven_at, disabled_at)`, made when first
/// touched. It is the lock under which every rule over several rows of the account is judged.
///
/// The application's users are not here: they are [`Users`](crate::Users).
#[async_trait]
pub trait Accounts: fmt::Debug + Send + Sync + 'static {
    /// Where the account stands; the default for one without a row.
    ///
    /// *Security*: a sign-in reads this before it checks the proof.
    async fn standing(&self, id: &AccountId) -> StoreResult<Standing>;

    /// The first proof of the account's mailbox: everything that was planted before it dies.
    ///
    /// *Atomicity*: one transaction under the account's lock: if the version is `under`, raise it,
    /// set `proven_at`, end its sessions, revoke its keys, remove its password and identities, and
    /// enter each ended session and revoked key into the feed; else [`Raised::Changed`].
    /// *Time*: `now`. *Security*: `proof` is for the account's own address; a disabled account
    /// answers [`Raised::Changed`].
    async fn claim(
        &self,
        id: &AccountId,
        proof: &VerifiedEmail,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised>;

    /// Disables the account; whether it was enabled before.
    ///
    /// *Atomicity*: one transaction: raise the version, set `disabled_at`, end its sessions, enter
    /// these and its live keys into the feed. *Security*: its keys are refused while it lasts and
    /// work again after [`enable`](Self::enable); its sessions are gone for good.
    async fn disable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool>;

    /// Enables the account again; whether it was disabled before.
    ///
    /// *Atomicity*: one transaction that enters the account's live keys into the feed, so that a
    /// copy remembered as refused is dropped too.
    async fn enable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool>;
}
