//! What is stored of a challenge, and the port that stores it.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use ps_core::{ChallengeId, EmailAddress, KeyVersion, Lane, LimitRule, StoreResult, Timestamp};

/// What a code is good for. A code made for one purpose is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Making an account, or signing in where the address already has one.
    Register,
    /// Signing in to an account that exists.
    SignIn,
}

impl Purpose {
    /// Its name in a store and in the derivation of the code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::SignIn => "sign-in",
        }
    }
}

/// One request for a code. The code itself is not here: it is derived from this and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its name, told to the requester only. Unique.
    pub id: ChallengeId,
    /// What the code is good for.
    pub purpose: Purpose,
    /// Whose mailbox it is sent to.
    pub email: EmailAddress,
    /// How many digits the code has, fixed for the row's life.
    pub digits: u8,
    /// The root that the code is derived under, fixed for the row's life.
    pub key_version: KeyVersion,
    /// How many guesses are left.
    pub attempts_left: u32,
    /// When the code was last mailed.
    pub mailed_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// A challenge as it is asked for. The store decides its digits.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    /// Its name.
    pub id: ChallengeId,
    /// What the code is good for.
    pub purpose: Purpose,
    /// Whose mailbox it is sent to.
    pub email: EmailAddress,
    /// The root that the code will be derived under.
    pub key_version: KeyVersion,
    /// How many guesses it allows.
    pub attempts: u32,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// When a new code gets more digits: the bounds of [`judge::digits`](crate::digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Guesses on one address (wrong ones, and those that its live challenges still allow) below
    /// which a new code has six digits.
    pub address: LimitRule,
    /// Wrong guesses on all addresses together below which a new code has six digits.
    pub everywhere: LimitRule,
}

/// How many unanswered mails an address gets. A code that is used gives its mails back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendBudget {
    /// The short bound, in each lane.
    pub hourly: LimitRule,
    /// The long bound, in each lane.
    pub daily: LimitRule,
    /// The bound from which on strangers get none, whatever lanes the mails went out in.
    pub address: LimitRule,
}

impl SendBudget {
    /// This many in that lane.
    #[must_use]
    pub const fn in_lane(self, lane: Lane) -> Sends {
        Sends { lane, budget: self }
    }
}

/// In whose lane a mail is sent, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sends {
    /// Whose mails to the address are counted together.
    pub lane: Lane,
    /// How many there may be.
    pub budget: SendBudget,
}

/// When a challenge's code may be mailed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResendRule {
    /// How long after the last mail.
    pub pause: Duration,
    /// How much of the challenge's life must be left; with less, a new challenge is made.
    pub life_left: Duration,
}

/// What became of asking for a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The last mail of this challenge is too recent for another: nothing was counted.
    NotYet {
        /// The challenge, unchanged.
        challenge: Challenge,
        /// When a mail may be asked for again.
        resend_in: Duration,
    },
    /// A mail with this challenge's code is to be sent, and has been counted.
    Send(Challenge),
    /// The address has had its mails: nothing was stored or counted.
    Spent {
        /// Which bound it was.
        rule: LimitRule,
        /// When there will be room again.
        retry_after: Duration,
    },
}

/// Keeps challenges, and counts guesses and mails by address. Every method is one atomic step.
#[async_trait]
pub trait ChallengeStore: fmt::Debug + Send + Sync + 'static {
    /// Stores a new challenge and counts its mail; [`Placed::Send`] or [`Placed::Spent`].
    ///
    /// *Atomicity*: one transaction under the address's lock: judges `sends` over the address's
    /// counted mails ([`wait`](crate::wait)), then [`digits`](crate::digits) over its wrong guesses
    /// and open attempts, then inserts with `mailed_at` = `now`.
    /// *Time*: `now`. *Security*: counts over all purposes alike; guesses over all lanes.
    async fn place(
        &self,
        new: &NewChallenge,
        exposure: &Exposure,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed>;

    /// Counts another mail of a challenge; `None` if there is no such challenge of that address and
    /// purpose that is unspent, has attempts left and `rule.life_left` to live.
    ///
    /// *Atomicity*: one transaction under the address's lock, which sets `mailed_at` and nothing
    /// else: the code, its digits and its expiry stay. *Time*: before `mailed_at` + `rule.pause` it
    /// is [`Placed::NotYet`].
    async fn resend(
        &self,
        id: &ChallengeId,
        email: &EmailAddress,
        purpose: Purpose,
        rule: &ResendRule,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Option<Placed>>;

    /// Takes one attempt, before anything is compared, and answers the challenge as it is then.
    ///
    /// *Atomicity*: one conditional statement, committed by itself: the challenge is of `purpose`,
    /// of `email` if one is given, unspent, alive at `now`, and has an attempt left; the guess is
    /// counted as wrong on its address. *Time*: expiry is exclusive. *Security*: `None` counts
    /// nothing; of any number at once at most `attempts` ever get through.
    async fn claim_attempt(
        &self,
        id: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Challenge>>;

    /// Spends the challenge after a right guess: `true` exactly once in its life.
    ///
    /// *Atomicity*: one transaction: marks it spent if it is unspent and alive at `now`, gives back
    /// the guess that was counted last on its address and the challenge's mails.
    async fn consume(&self, id: &ChallengeId, now: Timestamp) -> StoreResult<bool>;

    /// Forgets at most `at_most` challenges that expired before `before`; how many it forgot. What
    /// was counted is kept as long as a rule may ask for it.
    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32>;
}
