//! The rows of sessions, as SQL and as records.

use ps_core::{StoreResult, Timestamp};
use ps_session::{FamilyDigest, Method, RotationKey, SessionRecord};

use crate::{
    backend::Connection,
    row::{Row, columns},
    statement::Statement,
};

/// In the order that [`read`] reads them.
macro_rules! record {
    () => {
        "id, account_id, version, family, generation, rotation_key, rotation_key_before, method, \
         authenticated_at, refreshed_at, idle_ends_at, ends_at, ended_at, network, user_agent"
    };
}
pub(super) use record;

pub(super) async fn insert(on: &mut dyn Connection, session: &SessionRecord) -> StoreResult<()> {
    let insert = Statement::new(concat!(
        "INSERT INTO ps_sessions (",
        record!(),
        ", over_at, opened) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
         (SELECT COALESCE(MAX(opened), 0) + 1 FROM ps_sessions WHERE account_id = $2))"
    ));
    let over_at = session.ended_at.unwrap_or_else(|| session.expires_at());
    let insert = insert
        .with(session.id.as_str())
        .with(&session.account)
        .with(session.version)
        .with(session.family.as_bytes())
        .with(session.generation)
        .with(session.rotation_key.as_ref().map(RotationKey::as_bytes))
        .with(
            session
                .rotation_key_before
                .as_ref()
                .map(RotationKey::as_bytes),
        )
        .with(session.method.as_str())
        .with(session.authenticated_at)
        .with(session.refreshed_at)
        .with(session.idle_ends_at)
        .with(session.ends_at)
        .with(session.ended_at)
        .with(session.network.as_str())
        .with(session.user_agent.as_deref())
        .with(over_at);
    on.rows(insert).await?;
    Ok(())
}

pub(super) fn by_family(family: &FamilyDigest) -> Statement {
    let by_family = Statement::new(concat!(
        "SELECT ",
        record!(),
        " FROM ps_sessions WHERE family = $1"
    ));
    by_family.with(family.as_bytes())
}

pub(super) fn end_family(family: &FamilyDigest, now: Timestamp) -> Statement {
    let end = Statement::new(
        "UPDATE ps_sessions SET ended_at = $2, over_at = $2 WHERE family = $1 \
         AND ended_at IS NULL AND idle_ends_at > $2 AND ends_at > $2 RETURNING id",
    );
    end.with(family.as_bytes()).with(now)
}

pub(super) fn first(rows: Vec<Row>) -> StoreResult<Option<SessionRecord>> {
    let mut rows = rows.into_iter();
    rows.next().map(read).transpose()
}

pub(super) fn read(mut row: Row) -> StoreResult<SessionRecord> {
    Ok(SessionRecord {
        id: row.next()?,
        account: row.next()?,
        version: row.next()?,
        family: row.next()?,
        generation: row.next()?,
        rotation_key: row.next()?,
        rotation_key_before: row.next()?,
        method: row.next()?,
        authenticated_at: row.next()?,
        refreshed_at: row.next()?,
        idle_ends_at: row.next()?,
        ends_at: row.next()?,
        ended_at: row.next()?,
        network: row.next()?,
        user_agent: row.next()?,
    })
}

columns! {
    FamilyDigest: |bytes: [u8; 32]| Some(Self::from_bytes(bytes));
    Method: |name: String| Self::read(&name);
    RotationKey: |bytes: [u8; 32]| Some(Self::from_bytes(bytes));
}
