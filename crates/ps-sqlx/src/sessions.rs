//! Sessions, one row each.

mod rows;

use async_trait::async_trait;
use ps_core::{AccountId, SessionId, StoreResult, Timestamp};
use ps_session::{
    Advance, End, FamilyDigest, Opened, RotationKey, SessionRecord, SessionStore, Which,
};

use self::rows::{by_family, end_family, first, insert, read, record};
use crate::{
    SqlStore,
    accounts::{lock, overturn, version_of_session},
    backend::{Backend, Connection, One, Unit},
    changes::{self, enter},
    purge::{Purge, Purged},
    row::firsts,
    statement::Statement,
};

#[async_trait]
impl<DB: Backend> SessionStore for SqlStore<DB> {
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened> {
        let open = Open {
            session: session.clone(),
            replaces: replaces.copied(),
            at_most,
            now,
        };
        self.database.write(open).await
    }

    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>> {
        let find = match by {
            Which::Family(family) => by_family(family),
            Which::Id(id) => Statement::new(concat!(
                "SELECT ",
                record!(),
                " FROM ps_sessions WHERE id = $1"
            ))
            .with(id.as_str()),
        };
        first(self.database.read(find).await?)
    }

    async fn rotate(
        &self,
        advance: &Advance,
        now: Timestamp,
    ) -> StoreResult<Option<SessionRecord>> {
        let rotate = Statement::new(concat!(
            "UPDATE ps_sessions SET generation = generation + 1, \
             rotation_key_before = rotation_key, rotation_key = $3, refreshed_at = $4, \
             idle_ends_at = $5, over_at = CASE WHEN $5 < ends_at THEN $5 ELSE ends_at END \
             WHERE family = $1 AND generation = $2 \
             AND ended_at IS NULL AND idle_ends_at > $4 AND ends_at > $4 \
             AND EXISTS (SELECT 1 FROM ps_accounts AS a WHERE a.id = ps_sessions.account_id \
             AND a.version = ps_sessions.version AND a.disabled_at IS NULL) RETURNING ",
            record!()
        ))
        .with(advance.family.as_bytes())
        .with(advance.generation)
        .with(advance.key.as_ref().map(RotationKey::as_bytes))
        .with(now)
        .with(advance.idle_ends_at);
        first(self.database.write(One(rotate)).await?)
    }

    async fn end(&self, which: End<'_>, now: Timestamp) -> StoreResult<Option<Vec<SessionId>>> {
        match which {
            End::All(account) => {
                let account = account.clone();
                let ended = self.database.write(EndAll { account, now }).await?;
                Ok(Some(ended))
            }
            End::Family(family) => {
                self.database
                    .write(EndOne(end_family(family, now), now))
                    .await
            }
            End::One(account, id) => {
                let end = Statement::new(
                    "UPDATE ps_sessions SET ended_at = $3, over_at = $3 \
                     WHERE id = $1 AND account_id = $2 \
                     AND ended_at IS NULL AND idle_ends_at > $3 AND ends_at > $3 RETURNING id",
                );
                let end = end.with(id.as_str()).with(account).with(now);
                self.database.write(EndOne(end, now)).await
            }
            End::Others(account, asking) => {
                let others = EndOthers {
                    account: account.clone(),
                    asking: *asking,
                    now,
                };
                self.database.write(others).await
            }
        }
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        const SESSIONS: Purged = Purged {
            table: "ps_sessions",
            key: "id",
            which: "over_at < $1",
            oldest: "over_at",
        };
        let purge = Purge::new(SESSIONS, before, at_most);
        self.database.write(purge).await
    }

    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
        let alive = Statement::new(concat!(
            "SELECT ",
            record!(),
            " FROM ps_sessions WHERE account_id = $1 \
             AND ended_at IS NULL AND idle_ends_at > $2 AND ends_at > $2 \
             ORDER BY refreshed_at DESC, opened"
        ));
        let rows = self.database.read(alive.with(account).with(now)).await?;
        rows.into_iter().map(read).collect()
    }
}

struct Open {
    session: SessionRecord,
    replaces: Option<FamilyDigest>,
    at_most: u32,
    now: Timestamp,
}

#[async_trait]
impl Unit for Open {
    type Outcome = Opened;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Opened> {
        let Self {
            session,
            replaces,
            at_most,
            now,
        } = self;
        let account = lock(on, &session.account).await?;
        if !account.is_enabled_at(session.version) {
            return Ok(Opened::AccountChanged);
        }
        if let Some(exists) = first(on.rows(by_family(&session.family)).await?)? {
            return Ok(Opened::Exists(Box::new(exists)));
        }
        let mut ended = Vec::new();
        if let Some(family) = replaces {
            ended.extend(firsts::<SessionId>(
                on.rows(end_family(family, *now)).await?,
            )?);
        }
        for id in idlest_beyond(on, *at_most, &session.account, *now).await? {
            let end = Statement::new(
                "UPDATE ps_sessions SET ended_at = $2, over_at = $2 \
                 WHERE id = $1 AND ended_at IS NULL RETURNING id",
            );
            ended.extend(firsts::<SessionId>(
                on.rows(end.with(id.as_str()).with(*now)).await?,
            )?);
        }
        insert(on, session).await?;
        enter(on, changes::sessions(&ended), *now).await?;
        Ok(Opened::Done { ended })
    }
}

/// Those that must end so that with one more at most `at_most` are alive.
async fn idlest_beyond(
    on: &mut dyn Connection,
    at_most: u32,
    account: &AccountId,
    now: Timestamp,
) -> StoreResult<Vec<SessionId>> {
    let alive = Statement::new(
        "SELECT id FROM ps_sessions WHERE account_id = $1 \
         AND ended_at IS NULL AND idle_ends_at > $2 AND ends_at > $2 ORDER BY refreshed_at, opened",
    );
    let mut ids = firsts(on.rows(alive.with(account).with(now)).await?)?;
    ids.truncate((ids.len() + 1).saturating_sub(at_most as usize));
    Ok(ids)
}

struct EndAll {
    account: AccountId,
    now: Timestamp,
}

#[async_trait]
impl Unit for EndAll {
    type Outcome = Vec<SessionId>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Vec<SessionId>> {
        let Self { account, now } = self;
        lock(on, account).await?;
        let (_, ended) = overturn(on, account, None, *now).await?;
        enter(on, changes::sessions(&ended), *now).await?;
        Ok(ended)
    }
}

/// Ends the one session that the statement names, if it is alive.
struct EndOne(Statement, Timestamp);

#[async_trait]
impl Unit for EndOne {
    type Outcome = Option<Vec<SessionId>>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Option<Vec<SessionId>>> {
        let Self(statement, now) = self;
        let ended = firsts(on.rows(statement.clone()).await?)?;
        enter(on, changes::sessions(&ended), *now).await?;
        Ok((!ended.is_empty()).then_some(ended))
    }
}

struct EndOthers {
    account: AccountId,
    asking: SessionId,
    now: Timestamp,
}

#[async_trait]
impl Unit for EndOthers {
    type Outcome = Option<Vec<SessionId>>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Option<Vec<SessionId>>> {
        let Self {
            account,
            asking,
            now,
        } = self;
        let locked = lock(on, account).await?;
        let under = version_of_session(on, account, asking, *now).await?;
        if !under.is_some_and(|version| locked.is_enabled_at(version)) {
            return Ok(None);
        }
        let (_, ended) = overturn(on, account, Some(asking), *now).await?;
        enter(on, changes::sessions(&ended), *now).await?;
        Ok(Some(ended))
    }
}
