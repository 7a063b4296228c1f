//! The rows of keys, as SQL and as records.

use std::{fmt::Write, iter::repeat};

use ps_apikey::{AllowedAddresses, ApiKeyRecord, KeyCursor, KeyName, KeyPage, Scopes};
use ps_core::{AccountId, KeyDigest, KeyId, StoreResult};
use sqlx::AssertSqlSafe;

use crate::{
    backend::{Backend, Connection},
    row::{Row, columns},
    statement::Statement,
};

/// Without arrays, a lookup's number of digests is rounded up to one of these, so that few statements
/// serve all.
const BATCHES: [usize; 4] = [1, 8, 64, 256];

/// In the order that [`read`] reads them.
macro_rules! record {
    () => {
        "id, account_id, digest, hint, name, scopes, allowed_addresses, created_at, expires_at, \
         last_used_at, revoked_at"
    };
}
pub(super) use record;

pub(super) async fn insert(on: &mut dyn Connection, key: &ApiKeyRecord) -> StoreResult<()> {
    let insert = Statement::new(concat!(
        "INSERT INTO ps_keys (",
        record!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    ));
    let insert = insert
        .with(key.id.as_str())
        .with(&key.account)
        .with(key.digest.as_bytes())
        .with(key.hint.as_str())
        .with(key.name.as_str())
        .with(key.scopes.as_str())
        .with(as_text(&key.allowed_addresses))
        .with(key.created_at)
        .with(key.expires_at)
        .with(key.last_used_at)
        .with(key.revoked_at);
    on.rows(insert).await?;
    Ok(())
}

/// The keys of accounts that are not disabled; what follows the table's name may say by which index.
///
/// The account is asked about key by key: of a join PostgreSQL makes a walk over all accounts as long
/// as these are few enough that sixty-four look-ups seem to cost more.
macro_rules! enabled {
    ($by:literal) => {
        concat!(
            "SELECT ",
            record!(),
            " FROM ps_keys WHERE (SELECT id FROM ps_accounts ",
            $by,
            " WHERE ps_accounts.id = ps_keys.account_id AND disabled_at IS NOT NULL) IS NULL"
        )
    };
}

/// Those with these digests; `None` for no digests.
pub(super) fn with_digests<DB: Backend>(digests: &[KeyDigest]) -> Option<Statement> {
    let last = digests.last()?;
    if DB::HAS_ARRAYS {
        return Some(match digests {
            [one] => {
                let find = Statement::new(concat!(enabled!(""), " AND digest = $1"));
                find.with(one.as_bytes())
            }
            many => {
                let find = Statement::new(concat!(enabled!(""), " AND digest = ANY($1)"));
                let many = many.iter().map(|digest| *digest.as_bytes());
                find.with(Vec::from_iter(many))
            }
        });
    }
    let size = BATCHES.into_iter().find(|size| digests.len() <= *size);
    let size = size.unwrap_or(digests.len());
    // SQLite takes the primary key, and with it the account's row, unless it is told.
    let sql = enabled!("INDEXED BY ps_accounts_disabled");
    let mut sql = format!("{sql} AND digest IN ($1");
    for number in 2..=size {
        let _ = write!(sql, ", ${number}");
    }
    sql.push(')');
    let padded = digests.iter().chain(repeat(last)).take(size);
    let find = Statement::new(AssertSqlSafe(sql));
    Some(padded.fold(find, |find, digest| find.with(digest.as_bytes())))
}

pub(super) fn of_account(account: &AccountId, id: &KeyId) -> Statement {
    let one = Statement::new(concat!(
        "SELECT ",
        record!(),
        " FROM ps_keys WHERE id = $1 AND account_id = $2"
    ));
    one.with(id.as_str()).with(account)
}

/// One more than the page holds, to see whether there is more.
pub(super) fn behind(account: &AccountId, after: Option<KeyCursor>, limit: u32) -> Statement {
    let limit = i64::from(limit) + 1;
    let Some(last) = after else {
        let newest = Statement::new(concat!(
            "SELECT ",
            record!(),
            " FROM ps_keys WHERE account_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
        ));
        return newest.with(account).with(limit);
    };
    let older = Statement::new(concat!(
        "SELECT ",
        record!(),
        " FROM ps_keys WHERE account_id = $1 AND (created_at, id) < ($2, $3) \
         ORDER BY created_at DESC, id DESC LIMIT $4"
    ));
    let older = older.with(account).with(last.created_at);
    older.with(last.id.as_str()).with(limit)
}

pub(super) fn page(rows: Vec<Row>, limit: u32) -> StoreResult<KeyPage> {
    let mut keys: Vec<_> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    let is_more = keys.len() > limit as usize;
    keys.truncate(limit as usize);
    let last = keys.last().filter(|_| is_more);
    let next = last.map(|key| KeyCursor {
        created_at: key.created_at,
        id: key.id,
    });
    Ok(KeyPage { keys, next })
}

/// With a space between each two, as scopes are.
pub(super) fn as_text(addresses: &AllowedAddresses) -> String {
    let texts: Vec<_> = addresses.iter().collect();
    texts.join(" ")
}

pub(super) fn first(rows: Vec<Row>) -> StoreResult<Option<ApiKeyRecord>> {
    let mut rows = rows.into_iter();
    rows.next().map(read).transpose()
}

pub(super) fn read(mut row: Row) -> StoreResult<ApiKeyRecord> {
    Ok(ApiKeyRecord {
        id: row.next()?,
        account: row.next()?,
        digest: row.next()?,
        hint: row.next()?,
        name: row.next()?,
        scopes: row.next()?,
        allowed_addresses: row.next()?,
        created_at: row.next()?,
        expires_at: row.next()?,
        last_used_at: row.next()?,
        revoked_at: row.next()?,
    })
}

columns! {
    AllowedAddresses: |text: String| Self::parse(text.split_terminator(' ')).ok();
    KeyName: |text: String| Self::new(text).ok();
    Scopes: |text: String| Self::parse(&text).ok();
}
