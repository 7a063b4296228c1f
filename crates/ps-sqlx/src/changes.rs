//! The feed of changes.

use std::fmt::Write;

use async_trait::async_trait;
use ps_core::{Change, Changes, Cursor, KeyDigest, SessionId, StoreError, StoreResult, Timestamp};

use sqlx::AssertSqlSafe;

use crate::{
    SqlStore,
    backend::{Backend, Connection},
    purge::{Purge, Purged},
    row::{Column, Row, only},
    statement::{Statement, Value},
};

/// How many changes one statement adds at most.
const ROWS: usize = 64;

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
        // Only among the first, for what is old is there.
        const CHANGES: Purged = Purged {
            table: "ps_changes",
            key: "number",
            which: "at < $1 AND number < $2 + (SELECT MIN(number) FROM ps_changes)",
            oldest: "number",
        };
        let purge = Purge::new(CHANGES, before, at_most);
        self.database.write(purge).await
    }

    async fn time(&self) -> StoreResult<Timestamp> {
        if !DB::HAS_CLOCK {
            return Ok(self.clock.now());
        }
        let time =
            Statement::new("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");
        only(self.database.read(time).await?)?.next()
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
    let numbered: Vec<_> = (1..=last).rev().zip(changes.iter().rev()).collect();
    for some in numbered.chunks(ROWS) {
        on.rows(add(some, now)).await?;
    }
    Ok(())
}

/// Adds rows by one statement: while it runs others wait.
fn add(numbered: &[(i64, &Change)], now: Timestamp) -> Statement {
    let mut sql = "INSERT INTO ps_changes (at, number, kind, what) VALUES ".to_owned();
    for row in 0..numbered.len() {
        let (comma, place) = (if row == 0 { "" } else { ", " }, 3 * row + 2);
        let _ = write!(sql, "{comma}($1, ${place}, ${}, ${})", place + 1, place + 2);
    }
    let add = Statement::new(AssertSqlSafe(sql)).with(now);
    numbered.iter().fold(add, |add, (number, change)| {
        let add = add.with(*number);
        match change {
            Change::Key(digest) => add.with("key").with(digest.as_bytes()),
            Change::Session(id) => add.with("session").with(id.as_str().as_bytes()),
        }
    })
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
