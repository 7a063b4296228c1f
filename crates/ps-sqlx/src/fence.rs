//! The fence after a restore: what the lost hours may have changed is not trusted any more.

use async_trait::async_trait;
use ps_core::{
    AccountId, Change, EmailAddress, KeyDigest, KeyId, SessionId, StoreResult, Timestamp,
};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    changes::{self, enter},
    row::{Row, firsts, only},
    statement::Statement,
};

/// How many rows one statement touches, so that none takes longer than a statement may.
const ROWS: u32 = 1_000;
/// How far the feed's number and the accounts' versions go on: further than what was lost can have
/// gone. A node that ran through the restore stands in the feed where the lost changes were, and
/// would pass over what is entered before that place.
const LEAP: i64 = 1_000_000_000;

/// What a [fence](SqlStore::fence) ended, and what is left to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fenced {
    /// How many sessions it ended.
    pub sessions: usize,
    /// How many codes it ended.
    pub challenges: usize,
    /// The last moment of which the data tell anything, before the fence. What happened between it and
    /// the restore is lost: keys that were revoked then are active again, and not to be told from
    /// the others.
    pub known_until: Option<Timestamp>,
    /// Every key that opens something, by owner and age.
    pub keys: Vec<KeyToReview>,
}

/// A key that its owner should look at after a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyToReview {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
    /// The owner's address, where the users are in our own table.
    pub email: Option<EmailAddress>,
    /// What its owner calls it.
    pub name: String,
    /// What its owner recognises it by.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, as far as the data tell.
    pub last_used_at: Option<Timestamp>,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
}

#[expect(private_bounds, reason = "which databases there are is ours to say")]
impl<DB: Backend> SqlStore<DB> {
    /// Ends every session and every code, and says which keys to review: what an operator does after
    /// a backup was restored. Whoever signed out, was disabled or changed a password after that
    /// backup would else be as before.
    ///
    /// *Atomicity*: one step, whatever goes on meanwhile: nothing that was proven before it can be
    /// acted on after it, since every account's version is raised. Doing it again ends what was opened
    /// in between and changes nothing else. *Time*: `now`. *Security*: all of it enters the feed, at a
    /// place that nodes which ran through the restore have not passed, so that they notice within a
    /// second. No key is revoked: which were meant to be is lost, and the owner's to say. An access
    /// token of a session that was opened after the backup is known to no row, and lives on for
    /// what is left of its 15 minutes.
    ///
    /// # Errors
    /// The store could not answer; then nothing was done.
    pub async fn fence(&self, now: Timestamp) -> StoreResult<Fenced> {
        self.database.write(Fence { now }).await
    }
}

struct Fence {
    now: Timestamp,
}

#[async_trait]
impl Unit for Fence {
    type Outcome = Fenced;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Fenced> {
        let now = self.now;
        let known_until = known_until(on).await?;
        // Accounts first, as everybody locks them, and the feed last.
        raise_versions(on).await?;
        let sessions = end_sessions(on, now).await?;
        let challenges = end_challenges(on, now).await?;
        let (keys, digests) = live_keys(on, now).await?;
        let leap = Statement::new("UPDATE ps_feed SET number = number + $1 RETURNING number");
        on.rows(leap.with(LEAP)).await?;
        let told: Vec<Change> = changes::sessions(&sessions)
            .chain(changes::keys(&digests))
            .collect();
        enter(on, told.into_iter(), now).await?;
        Ok(Fenced {
            sessions: sessions.len(),
            challenges,
            known_until,
            keys,
        })
    }
}

/// Of what is not the feed's, so that a second fence finds the same as the first.
async fn known_until(on: &mut dyn Connection) -> StoreResult<Option<Timestamp>> {
    let latest = Statement::new(
        "SELECT MAX(at) FROM (\
         SELECT MAX(at) AS at FROM ps_audit \
         UNION ALL SELECT MAX(created_at) FROM ps_users \
         UNION ALL SELECT MAX(created_at) FROM ps_keys \
         UNION ALL SELECT MAX(last_used_at) FROM ps_keys \
         UNION ALL SELECT MAX(refreshed_at) FROM ps_sessions \
         UNION ALL SELECT MAX(mailed_at) FROM ps_challenges) AS known",
    );
    only(on.rows(latest).await?)?.next()
}

async fn raise_versions(on: &mut dyn Connection) -> StoreResult<()> {
    let mut last = String::new();
    loop {
        let raise = Statement::new(
            "UPDATE ps_accounts SET version = version + $1 WHERE id IN \
             (SELECT id FROM ps_accounts WHERE id > $2 ORDER BY id LIMIT $3) RETURNING id",
        );
        let raise = raise.with(LEAP).with(last.as_str()).with(ROWS);
        let raised: Vec<String> = firsts(on.rows(raise).await?)?;
        match raised.into_iter().max() {
            Some(next) => last = next,
            None => return Ok(()),
        }
    }
}

async fn end_sessions(on: &mut dyn Connection, now: Timestamp) -> StoreResult<Vec<SessionId>> {
    let mut ended = Vec::new();
    loop {
        let end = Statement::new(
            "UPDATE ps_sessions SET ended_at = $1, over_at = $1 WHERE id IN \
             (SELECT id FROM ps_sessions WHERE over_at > $1 AND ended_at IS NULL \
             ORDER BY over_at LIMIT $2) RETURNING id",
        );
        let some: Vec<SessionId> = firsts(on.rows(end.with(now).with(ROWS)).await?)?;
        if some.is_empty() {
            return Ok(ended);
        }
        ended.extend(some);
    }
}

async fn end_challenges(on: &mut dyn Connection, now: Timestamp) -> StoreResult<usize> {
    let mut ended = 0;
    loop {
        let end = Statement::new(
            "UPDATE ps_challenges SET spent_at = $1 WHERE id IN \
             (SELECT id FROM ps_challenges WHERE expires_at > $1 AND spent_at IS NULL \
             ORDER BY expires_at LIMIT $2) RETURNING id",
        );
        let some = on.rows(end.with(now).with(ROWS)).await?.len();
        if some == 0 {
            return Ok(ended);
        }
        ended += some;
    }
}

/// Those of disabled accounts too: enabling gives them back.
async fn live_keys(
    on: &mut dyn Connection,
    now: Timestamp,
) -> StoreResult<(Vec<KeyToReview>, Vec<KeyDigest>)> {
    let live = Statement::new(
        "SELECT k.digest, k.id, k.account_id, u.email, k.name, k.hint, k.created_at, \
         k.last_used_at, k.expires_at FROM ps_keys AS k LEFT JOIN ps_users AS u ON u.id = k.account_id \
         WHERE (k.revoked_at IS NULL OR k.revoked_at > $1) \
         AND (k.expires_at IS NULL OR k.expires_at > $1) \
         ORDER BY k.account_id, k.created_at, k.id",
    );
    let rows = on.rows(live.with(now)).await?;
    let both = rows.into_iter().map(read);
    let both: Vec<_> = both.collect::<StoreResult<_>>()?;
    Ok(both.into_iter().unzip())
}

fn read(mut row: Row) -> StoreResult<(KeyToReview, KeyDigest)> {
    let digest = row.next()?;
    let key = KeyToReview {
        id: row.next()?,
        account: row.next()?,
        email: row.next()?,
        name: row.next()?,
        hint: row.next()?,
        created_at: row.next()?,
        last_used_at: row.next()?,
        expires_at: row.next()?,
    };
    Ok((key, digest))
}
