//! The feed of changes.

use async_trait::async_trait;
use ps_core::{Change, Changes, Cursor, KeyDigest, SessionId, StoreError, StoreResult, Timestamp};

use crate::{
    SqlStore,
    backend::{Backend, Connection, One},
    row::{Column, Row, only},
    statement::{Statement, Value},
};

#[async_trait]
impl<DB: Backend> Changes for SqlStore<DB> {
    async fn since(&self, after: Cursor, at_most: u32) -> StoreResult<Vec<(Cursor, Change)>> {
        let since = Statement::new(
            "SELECT number, kind, what FROM ps_changes WHERE number > $1 ORDER BY number LIMIT $2",
        );
        let rows = self.database.read(since.with(after).with(at_most)).await?;
        rows.into_iter().map(read).collect()
    }

    async fn ended_since(&self, start: Timestamp) -> StoreResult<(Cursor, Vec<SessionId>)> {
        // One statement, so that both are of one moment.
        let ended = Statement::new(
            "SELECT f.number, s.id FROM ps_feed AS f \
             LEFT JOIN ps_sessions AS s ON s.ended_at IS NOT NULL AND s.ended_at >= $1",
        );
        let rows = self.database.read(ended.with(start)).await?;
        let (mut end, mut ids) = (None, Vec::new());
        for mut row in rows {
            end = Some(row.next()?);
            ids.extend(row.next::<Option<SessionId>>()?);
        }
        let end = end.ok_or_else(|| StoreError::new("the feed has no end"))?;
        Ok((end, ids))
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        let purge = Statement::new(
            "DELETE FROM ps_changes WHERE at < $1 AND number IN \
             (SELECT number FROM ps_changes ORDER BY number LIMIT $2) RETURNING number",
        );
        let purge = One(purge.with(before).with(at_most));
        let gone = self.database.write(purge).await?.len();
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }

    async fn time(&self) -> StoreResult<Timestamp> {
        Ok(self.clock.now())
    }
}

/// Enters changes into the feed: the last that a unit does, since drawing the numbers makes every
/// other unit with changes wait for its commit.
pub(crate) async fn enter(
    on: &mut dyn Connection,
    changes: impl Iterator<Item = Change> + Send,
    now: Timestamp,
) -> StoreResult<()> {
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() {
        return Ok(());
    }
    let draw = Statement::new("UPDATE ps_feed SET number = number + $1 RETURNING number");
    let last: i64 = only(on.rows(draw.with(changes.len())).await?)?.next()?;
    for (number, change) in (1..=last).rev().zip(changes.into_iter().rev()) {
        let add = Statement::new(
            "INSERT INTO ps_changes (number, at, kind, what) VALUES ($1, $2, $3, $4)",
        );
        let add = add.with(number).with(now);
        let add = match change {
            Change::Key(digest) => add.with("key").with(digest.as_bytes()),
            Change::Session(id) => add.with("session").with(id.as_str().as_bytes()),
        };
        on.rows(add).await?;
    }
    Ok(())
}

/// These sessions, as changes.
pub(crate) fn sessions(ids: &[SessionId]) -> impl Iterator<Item = Change> + Send {
    ids.iter().copied().map(Change::Session)
}

/// These keys, as changes.
pub(crate) fn keys(digests: &[KeyDigest]) -> impl Iterator<Item = Change> + Send {
    digests.iter().copied().map(Change::Key)
}

fn read(mut row: Row) -> StoreResult<(Cursor, Change)> {
    let number = row.next()?;
    let kind: String = row.next()?;
    let change = match kind.as_str() {
        "key" => Change::Key(row.next::<KeyDigest>()?),
        "session" => Change::Session(row.next::<Name>()?.0),
        _ => return Err(StoreError::new("the feed has a change of an unknown kind")),
    };
    Ok((number, change))
}

/// A session's id, as bytes.
struct Name(SessionId);

impl Column for Name {
    fn read(value: Value) -> Option<Self> {
        let text = String::from_utf8(Vec::read(value)?).ok()?;
        text.parse().ok().map(Self)
    }
}
