//! The accounts' own rows, and what a change of one means for the rows of every flow.

use async_trait::async_trait;
use ps_core::{
    AccountId, AccountVersion, Accounts, KeyDigest, KeyId, Raised, SessionId, Standing,
    StoreResult, Timestamp, VerifiedEmail,
};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    changes::{self, enter},
    row::{Row, only},
    statement::Statement,
};

#[async_trait]
impl<DB: Backend> Accounts for SqlStore<DB> {
    async fn standing(&self, id: &AccountId) -> StoreResult<Standing> {
        let by_id =
            Statement::new("SELECT version, proven_at, disabled_at FROM ps_accounts WHERE id = $1");
        let rows = self.database.read(by_id.with(id)).await?;
        let row = rows.into_iter().next();
        row.map_or_else(|| Ok(Standing::default()), read)
    }

    async fn claim(
        &self,
        id: &AccountId,
        _proof: &VerifiedEmail,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let id = id.clone();
        self.database.write(Claim { id, under, now }).await
    }

    async fn disable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let id = id.clone();
        self.database.write(Disable { id, now }).await
    }

    async fn enable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let id = id.clone();
        self.database.write(Enable { id, now }).await
    }
}

struct Claim {
    id: AccountId,
    under: AccountVersion,
    now: Timestamp,
}

#[async_trait]
impl Unit for Claim {
    type Outcome = Raised;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Raised> {
        let Self { id, under, now } = self;
        if !lock(on, id).await?.is_enabled_at(*under) {
            return Ok(Raised::Changed);
        }
        let prove = Statement::new(
            "UPDATE ps_accounts SET proven_at = COALESCE(proven_at, $2) WHERE id = $1",
        );
        on.rows(prove.with(id).with(*now)).await?;
        let (version, ended) = overturn(on, id, None, *now).await?;
        let revoked = revoke_keys(on, id, *now).await?;
        forget_credentials(on, id).await?;
        let changes = changes::sessions(&ended).chain(changes::keys(&revoked));
        enter(on, changes, *now).await?;
        Ok(Raised::To(version))
    }
}

struct Disable {
    id: AccountId,
    now: Timestamp,
}

#[async_trait]
impl Unit for Disable {
    type Outcome = bool;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<bool> {
        let Self { id, now } = self;
        if lock(on, id).await?.disabled_at.is_some() {
            return Ok(false);
        }
        let disable = Statement::new("UPDATE ps_accounts SET disabled_at = $2 WHERE id = $1");
        on.rows(disable.with(id).with(*now)).await?;
        let (_, ended) = overturn(on, id, None, *now).await?;
        let live = live_keys(on, id, *now).await?;
        let changes = changes::sessions(&ended).chain(changes::keys(&live));
        enter(on, changes, *now).await?;
        Ok(true)
    }
}

struct Enable {
    id: AccountId,
    now: Timestamp,
}

#[async_trait]
impl Unit for Enable {
    type Outcome = bool;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<bool> {
        let Self { id, now } = self;
        let enable = Statement::new(
            "UPDATE ps_accounts SET disabled_at = NULL \
             WHERE id = $1 AND disabled_at IS NOT NULL RETURNING id",
        );
        if on.rows(enable.with(id)).await?.is_empty() {
            return Ok(false);
        }
        let live = live_keys(on, id, *now).await?;
        enter(on, changes::keys(&live), *now).await?;
        Ok(true)
    }
}

/// Locks the account's row until the unit is over, making it if need be: an update that changes
/// nothing is the one way to do so that every database knows.
pub(crate) async fn lock(on: &mut dyn Connection, id: &AccountId) -> StoreResult<Locked> {
    let lock = Statement::new(
        "INSERT INTO ps_accounts (id, version) VALUES ($1, 0) \
         ON CONFLICT (id) DO UPDATE SET version = ps_accounts.version \
         RETURNING version, proven_at, disabled_at",
    );
    let standing = read(only(on.rows(lock.with(id)).await?)?)?;
    Ok(Locked {
        version: standing.version,
        disabled_at: standing.disabled_at,
    })
}

/// Where an account stands while nobody else can change it.
pub(crate) struct Locked {
    version: AccountVersion,
    disabled_at: Option<Timestamp>,
}

impl Locked {
    /// Whether what was proven at version `under` may still be acted on.
    pub(crate) fn is_enabled_at(&self, under: AccountVersion) -> bool {
        self.disabled_at.is_none() && self.version == under
    }
}

/// From here on nothing that was proven before may be acted on: raises the version and ends the
/// account's live sessions, all but `kept`, which is carried to it. Answers the version and who
/// ended; the caller enters these into the feed, which is the last it does.
pub(crate) async fn overturn(
    on: &mut dyn Connection,
    id: &AccountId,
    kept: Option<&SessionId>,
    now: Timestamp,
) -> StoreResult<(AccountVersion, Vec<SessionId>)> {
    let raise = Statement::new(
        "UPDATE ps_accounts SET version = version + 1 WHERE id = $1 RETURNING version",
    );
    let version = only(on.rows(raise.with(id)).await?)?.next()?;
    if let Some(kept) = kept {
        let carry = Statement::new("UPDATE ps_sessions SET version = $2 WHERE id = $1");
        on.rows(carry.with(kept.as_str()).with(version)).await?;
    }
    let ended = end_sessions(on, id, kept, now).await?;
    Ok((version, ended))
}

/// The version that the account's live session is at.
#[cfg(any(feature = "password", feature = "session"))]
pub(crate) async fn version_of_session(
    on: &mut dyn Connection,
    id: &AccountId,
    session: &SessionId,
    now: Timestamp,
) -> StoreResult<Option<AccountVersion>> {
    let version = Statement::new(
        "SELECT version FROM ps_sessions WHERE id = $1 AND account_id = $2 \
         AND ended_at IS NULL AND idle_ends_at > $3 AND ends_at > $3",
    );
    let version = version.with(session.as_str()).with(id).with(now);
    let mut rows = on.rows(version).await?;
    rows.pop().map(|mut row| row.next()).transpose()
}

/// Ends the account's live sessions, all but `kept`, and answers them in the order of opening.
async fn end_sessions(
    on: &mut dyn Connection,
    id: &AccountId,
    kept: Option<&SessionId>,
    now: Timestamp,
) -> StoreResult<Vec<SessionId>> {
    let end = Statement::new(
        "UPDATE ps_sessions SET ended_at = $2, over_at = $2 \
         WHERE account_id = $1 AND ended_at IS NULL AND idle_ends_at > $2 AND ends_at > $2 \
         AND id <> $3 RETURNING opened, id",
    );
    let kept = kept.map_or("", SessionId::as_str);
    let rows = on.rows(end.with(id).with(now).with(kept)).await?;
    let mut ended = Vec::with_capacity(rows.len());
    for mut row in rows {
        ended.push((row.next::<i64>()?, row.next::<SessionId>()?));
    }
    ended.sort_unstable();
    Ok(ended.into_iter().map(|(_, id)| id).collect())
}

/// Revokes the account's keys, those in their grace too.
async fn revoke_keys(
    on: &mut dyn Connection,
    id: &AccountId,
    now: Timestamp,
) -> StoreResult<Vec<KeyDigest>> {
    let revoke = Statement::new(
        "UPDATE ps_keys SET revoked_at = $2 \
         WHERE account_id = $1 AND (revoked_at IS NULL OR revoked_at > $2) \
         RETURNING created_at, id, digest",
    );
    keys(on.rows(revoke.with(id).with(now)).await?)
}

/// Forgets the other ways into the account: its password and its identities, removed ones too.
async fn forget_credentials(on: &mut dyn Connection, id: &AccountId) -> StoreResult<()> {
    let forgets = [
        Statement::new("DELETE FROM ps_identities WHERE account_id = $1"),
        Statement::new("DELETE FROM ps_passwords WHERE account_id = $1"),
    ];
    for forget in forgets {
        on.rows(forget.with(id)).await?;
    }
    Ok(())
}

/// The account's keys that every node must look at again.
async fn live_keys(
    on: &mut dyn Connection,
    id: &AccountId,
    now: Timestamp,
) -> StoreResult<Vec<KeyDigest>> {
    let live = Statement::new(
        "SELECT created_at, id, digest FROM ps_keys \
         WHERE account_id = $1 AND (revoked_at IS NULL OR revoked_at > $2) \
         AND (expires_at IS NULL OR expires_at > $2)",
    );
    keys(on.rows(live.with(id).with(now)).await?)
}

/// As changes, oldest first.
fn keys(rows: Vec<Row>) -> StoreResult<Vec<KeyDigest>> {
    let mut keys = Vec::with_capacity(rows.len());
    for mut row in rows {
        keys.push((
            row.next::<Timestamp>()?,
            row.next::<KeyId>()?,
            row.next::<KeyDigest>()?,
        ));
    }
    keys.sort_unstable();
    Ok(keys.into_iter().map(|(.., digest)| digest).collect())
}

fn read(mut row: Row) -> StoreResult<Standing> {
    Ok(Standing {
        version: row.next()?,
        proven_at: row.next()?,
        disabled_at: row.next()?,
    })
}
