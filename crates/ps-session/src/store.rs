//! What is stored of a session, and the port that stores it.

use std::fmt;

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, SessionId, StoreResult, Timestamp};

/// SHA-256 of a session's family reference: all that is stored of its refresh tokens.
///
/// The reference is 256 random bits inside every refresh token of the session. The digest can be
/// looked up and not reversed, so whoever reads the table can mint no token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FamilyDigest([u8; 32]);

impl FamilyDigest {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FamilyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "FamilyDigest({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// SHA-256 of the `Idempotency-Key` that came with a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationKey([u8; 32]);

impl RotationKey {
    /// Takes the 32 bytes of a SHA-256.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// How the person showed who they are (RFC 8176 where it has a name for it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// A code sent to the mailbox: `otp`.
    MagicCode,
    /// A password: `pwd`.
    Password,
    /// Another site's word for it: `fed`, which RFC 8176 has no name for.
    Social,
}

impl Method {
    /// Its name in `amr`, and in a store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MagicCode => "otp",
            Self::Password => "pwd",
            Self::Social => "fed",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        [Self::MagicCode, Self::Password, Self::Social]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// One session: one row, which remembers every refresh token ever issued for it by a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its name, shown to its owner and carried as `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's version that it was made under, or was carried to.
    pub version: AccountVersion,
    /// What its refresh tokens have in common. Unique.
    pub family: FamilyDigest,
    /// The generation of the head: the one refresh token that may be used. The first is 0.
    pub generation: u32,
    /// The `Idempotency-Key` of the rotation that made the head.
    pub rotation_key: Option<RotationKey>,
    /// The `Idempotency-Key` of the rotation before that one.
    pub rotation_key_before: Option<RotationKey>,
    /// How the person signed in.
    pub method: Method,
    /// When the person signed in: `auth_time`, which no refresh renews.
    pub authenticated_at: Timestamp,
    /// When the head was made.
    pub refreshed_at: Timestamp,
    /// When it dies if nobody refreshes it.
    pub idle_ends_at: Timestamp,
    /// When it dies whatever anybody does.
    pub ends_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
    /// The network that it was opened from, coarse, in CIDR notation.
    pub network: String,
    /// What the client that opened it calls itself.
    pub user_agent: Option<String>,
}

impl SessionRecord {
    /// When it dies if nobody refreshes it: the sooner of its idle and its absolute end.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.idle_ends_at.min(self.ends_at)
    }

    /// Whether it is neither ended nor expired at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at()
    }
}

/// Which session to look for.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one that these refresh tokens belong to.
    Family(&'a FamilyDigest),
    /// The one with this name.
    Id(&'a SessionId),
}

/// Which sessions to end.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// All of the account.
    All(&'a AccountId),
    /// The one that these refresh tokens belong to.
    Family(&'a FamilyDigest),
    /// This one, if it is the account's.
    One(&'a AccountId, &'a SessionId),
    /// All of the account but this one, which asks for it.
    Others(&'a AccountId, &'a SessionId),
}

/// The good case of a rotation: the presented token is the head.
#[derive(Clone, Copy, Debug)]
pub struct Advance {
    /// Whose head.
    pub family: FamilyDigest,
    /// The generation presented.
    pub generation: u32,
    /// The `Idempotency-Key` that came with it.
    pub key: Option<RotationKey>,
    /// The new idle end.
    pub idle_ends_at: Timestamp,
}

/// What became of opening a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The account's version is another one by now, or it is disabled: nothing was done.
    AccountChanged,
    /// It is open, and these ended for it: the one it replaces, and the idlest beyond the bound.
    Done {
        /// The sessions that ended.
        ended: Vec<SessionId>,
    },
    /// A session of that family exists, and nothing was done.
    Exists(Box<SessionRecord>),
}

/// Keeps sessions. Every method is one atomic step.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Inserts `session`.
    ///
    /// *Atomicity*: one transaction under the account's lock: only if the account is enabled and at
    /// `session.version`; ends the live session `replaces` (whosesoever it is), then the idlest live
    /// ones (the oldest `refreshed_at`) until at most `at_most` are alive with the new one; enters
    /// each ended one into the feed. *Time*: `now` decides who is alive and is their `ended_at`.
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened>;

    /// The session, ended or expired ones too.
    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>>;

    /// Advances the head by one, and answers the row as it is then.
    ///
    /// *Atomicity*: one conditional statement: the row of `family` is at `generation`, is alive at
    /// `now`, and its account is enabled and at the row's version. It moves `rotation_key` to
    /// `rotation_key_before` and sets `rotation_key`, `refreshed_at`, `idle_ends_at`. *Time*: expiry
    /// is exclusive. *Security*: `None` changes nothing; the caller then reads and judges.
    async fn rotate(&self, advance: &Advance, now: Timestamp)
    -> StoreResult<Option<SessionRecord>>;

    /// Ends sessions, and answers those that it ended; `None` where what was named is not alive
    /// (for [`End::Others`]: the one that asks).
    ///
    /// *Atomicity*: one transaction; enters each ended one into the feed. [`End::Others`] takes the
    /// account's lock, raises its version and carries the asking session to it; [`End::All`] raises
    /// it too. *Time*: `now` is `ended_at`. *Security*: monotonic, nothing ever reopens a session:
    /// [`End::Others`] carries the one that asks only if the account is enabled and at its version,
    /// since it may have expired at the very moment of a change that had therefore not ended it.
    async fn end(&self, which: End<'_>, now: Timestamp) -> StoreResult<Option<Vec<SessionId>>>;

    /// Forgets at most `at_most` sessions that ended or expired before `before`; how many it forgot.
    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32>;

    /// The account's sessions alive at `now`, the one refreshed last first.
    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>>;
}
