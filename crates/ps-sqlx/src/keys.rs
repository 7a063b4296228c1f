//! API keys, one row each.

mod rows;

use async_trait::async_trait;
use ps_apikey::{
    ApiKeyRecord, ApiKeyStore, KeyInserted, KeyName, KeyPage, KeyPatch, KeyRotated, KeyUpdated,
    Listing, Replacement, Scopes,
};
use ps_core::{AccountId, AccountVersion, Change, KeyDigest, KeyId, StoreResult, Timestamp};

use self::rows::{as_text, behind, first, insert, of_account, page, read, record, with_digests};
use crate::{
    SqlStore,
    accounts::lock,
    backend::{Backend, Connection, One, Unit},
    changes::enter,
    row::{firsts, only},
    statement::Statement,
};

/// How many uses share a unit: few enough that others need not wait for long.
const USES: usize = 64;

#[async_trait]
impl<DB: Backend> ApiKeyStore for SqlStore<DB> {
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted> {
        let insert = Insert {
            key: key.clone(),
            under,
            at_most,
            now,
        };
        self.database.write(insert).await
    }

    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        let Some(find) = with_digests::<DB>(digests) else {
            return Ok(Vec::new());
        };
        let rows = self.database.read(find).await?;
        rows.into_iter().map(read).collect()
    }

    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage> {
        match *which {
            Listing::One(id) => {
                let rows = self.database.read(of_account(account, &id)).await?;
                let keys = rows.into_iter().map(read).collect::<Result<_, _>>()?;
                Ok(KeyPage { keys, next: None })
            }
            Listing::Page { after, limit } => {
                let rows = self.database.read(behind(account, after, limit)).await?;
                page(rows, limit)
            }
        }
    }

    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        let update = Update {
            account: account.clone(),
            id: *id,
            patch: patch.clone(),
            now,
        };
        self.database.write(update).await
    }

    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated> {
        let replace = Replace {
            account: account.clone(),
            old: *old,
            new: new.clone(),
            under,
            now,
        };
        self.database.write(replace).await
    }

    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        let revoke = Revoke {
            account: account.clone(),
            id: *id,
            now,
        };
        self.database.write(revoke).await
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        // In one order everywhere, so that no two units wait for each other.
        let mut used = used.to_vec();
        used.sort_unstable();
        for some in used.chunks(USES) {
            if DB::HAS_ARRAYS {
                self.database.write(One(all_at_once(some))).await?;
            } else {
                self.database.write(Touch(some.to_vec())).await?;
            }
        }
        Ok(())
    }
}

struct Insert {
    key: ApiKeyRecord,
    under: AccountVersion,
    at_most: u32,
    now: Timestamp,
}

#[async_trait]
impl Unit for Insert {
    type Outcome = KeyInserted;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<KeyInserted> {
        let Self {
            key,
            under,
            at_most,
            now,
        } = self;
        if !lock(on, &key.account).await?.is_enabled_at(*under) {
            return Ok(KeyInserted::AccountChanged);
        }
        let active = Statement::new(
            "SELECT COUNT(*) FROM ps_keys WHERE account_id = $1 \
             AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        );
        let active: i64 = only(on.rows(active.with(&key.account).with(*now)).await?)?.next()?;
        if active >= i64::from(*at_most) {
            return Ok(KeyInserted::Full);
        }
        insert(on, key).await?;
        Ok(KeyInserted::Done)
    }
}

struct Update {
    account: AccountId,
    id: KeyId,
    patch: KeyPatch,
    now: Timestamp,
}

#[async_trait]
impl Unit for Update {
    type Outcome = KeyUpdated;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<KeyUpdated> {
        let Self {
            account,
            id,
            patch,
            now,
        } = self;
        let update = Statement::new(concat!(
            "UPDATE ps_keys SET name = COALESCE($3, name), scopes = COALESCE($4, scopes), \
             allowed_addresses = COALESCE($5, allowed_addresses), \
             expires_at = CASE WHEN $6 = 1 THEN $7 ELSE expires_at END \
             WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL RETURNING ",
            record!()
        ))
        .with(id.as_str())
        .with(account)
        .with(patch.name.as_ref().map(KeyName::as_str))
        .with(patch.scopes.as_ref().map(Scopes::as_str))
        .with(patch.allowed_addresses.as_ref().map(as_text))
        .with(i64::from(patch.expires_at.is_some()))
        .with(patch.expires_at.flatten());
        if let Some(key) = first(on.rows(update).await?)? {
            enter(on, [Change::Key(key.digest)].into_iter(), *now).await?;
            return Ok(KeyUpdated::Done(Box::new(key)));
        }
        let is_there = !on.rows(of_account(account, id)).await?.is_empty();
        Ok(if is_there {
            KeyUpdated::Revoked
        } else {
            KeyUpdated::NotFound
        })
    }
}

struct Replace {
    account: AccountId,
    old: KeyId,
    new: Replacement,
    under: AccountVersion,
    now: Timestamp,
}

#[async_trait]
impl Unit for Replace {
    type Outcome = KeyRotated;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<KeyRotated> {
        let Self {
            account,
            old,
            new,
            under,
            now,
        } = self;
        if !lock(on, account).await?.is_enabled_at(*under) {
            return Ok(KeyRotated::AccountChanged);
        }
        let Some(key) = first(on.rows(of_account(account, old)).await?)? else {
            return Ok(KeyRotated::NotFound);
        };
        let end = Statement::new(
            "UPDATE ps_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $3) RETURNING digest",
        );
        let ends = key.expires_at.unwrap_or(new.old_ends).min(new.old_ends);
        let end = end.with(old.as_str()).with(ends).with(*now);
        let Some(digest) = firsts(on.rows(end).await?)?.pop() else {
            return Ok(KeyRotated::Revoked);
        };
        let record = ApiKeyRecord {
            id: new.id,
            digest: new.digest,
            hint: new.hint.clone(),
            created_at: *now,
            last_used_at: None,
            ..key
        };
        insert(on, &record).await?;
        enter(on, [Change::Key(digest)].into_iter(), *now).await?;
        Ok(KeyRotated::Done {
            new: Box::new(record),
            old: digest,
        })
    }
}

struct Revoke {
    account: AccountId,
    id: KeyId,
    now: Timestamp,
}

#[async_trait]
impl Unit for Revoke {
    type Outcome = Option<KeyDigest>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Option<KeyDigest>> {
        let revoke = Statement::new(
            "UPDATE ps_keys SET revoked_at = \
             CASE WHEN revoked_at IS NOT NULL AND revoked_at < $3 THEN revoked_at ELSE $3 END \
             WHERE id = $1 AND account_id = $2 RETURNING digest",
        );
        let revoke = revoke
            .with(self.id.as_str())
            .with(&self.account)
            .with(self.now);
        let digest = firsts(on.rows(revoke).await?)?.pop();
        enter(on, digest.into_iter().map(Change::Key), self.now).await?;
        Ok(digest)
    }
}

/// The uses as one statement, which locks the keys in their order.
///
/// The conditions stand in it twice: which keys are locked is decided by them, and once more what
/// becomes of a key that another has changed meanwhile.
fn all_at_once(used: &[(KeyId, Timestamp)]) -> Statement {
    let ids: Vec<_> = used.iter().map(|(id, _)| id.as_str()).collect();
    let times: Vec<_> = used
        .iter()
        .map(|(_, at)| at.as_millis().to_string())
        .collect();
    let touch = Statement::new(
        "WITH used AS (SELECT k.id, u.at FROM \
         unnest(string_to_array($1, ' '), CAST(string_to_array($2, ' ') AS BIGINT[])) AS u (id, at) \
         JOIN ps_keys AS k ON k.id = u.id \
         WHERE (k.last_used_at IS NULL OR k.last_used_at < u.at) \
         AND (k.revoked_at IS NULL OR k.revoked_at > u.at) ORDER BY k.id FOR NO KEY UPDATE OF k) \
         UPDATE ps_keys SET last_used_at = used.at FROM used WHERE ps_keys.id = used.id \
         AND (last_used_at IS NULL OR last_used_at < used.at) \
         AND (revoked_at IS NULL OR revoked_at > used.at)",
    );
    touch.with(ids.join(" ")).with(times.join(" "))
}

/// The uses one by one.
struct Touch(Vec<(KeyId, Timestamp)>);

#[async_trait]
impl Unit for Touch {
    type Outcome = ();

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<()> {
        for (id, at) in &self.0 {
            let touch = Statement::new(
                "UPDATE ps_keys SET last_used_at = $2 WHERE id = $1 \
                 AND (last_used_at IS NULL OR last_used_at < $2) \
                 AND (revoked_at IS NULL OR revoked_at > $2)",
            );
            on.rows(touch.with(id.as_str()).with(*at)).await?;
        }
        Ok(())
    }
}
