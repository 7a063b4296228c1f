//! Hashes of passwords, one for each account.

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Raised, SessionId, StoreResult, Timestamp};
use ps_password::{PasswordHash, PasswordStore};

use crate::{
    SqlStore,
    accounts::{lock, overturn, version_of_session},
    backend::{Backend, Connection, One, Unit},
    changes::{enter, sessions},
    row::firsts,
    statement::Statement,
};

#[async_trait]
impl<DB: Backend> PasswordStore for SqlStore<DB> {
    async fn find(&self, account: &AccountId) -> StoreResult<Option<PasswordHash>> {
        let hash = Statement::new("SELECT hash FROM ps_passwords WHERE account_id = $1");
        let rows = self.database.read(hash.with(account)).await?;
        let hash = firsts::<String>(rows)?.pop();
        Ok(hash.map(PasswordHash::new))
    }

    async fn replace(
        &self,
        account: &AccountId,
        new: &PasswordHash,
        keep: Option<&SessionId>,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let replace = Replace {
            account: account.clone(),
            new: new.clone(),
            keep: keep.copied(),
            under,
            now,
        };
        self.database.write(replace).await
    }

    async fn rehash(
        &self,
        account: &AccountId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> StoreResult<()> {
        let rehash =
            Statement::new("UPDATE ps_passwords SET hash = $3 WHERE account_id = $1 AND hash = $2");
        let rehash = rehash.with(account).with(from.as_str()).with(to.as_str());
        self.database.write(One(rehash)).await?;
        Ok(())
    }
}

struct Replace {
    account: AccountId,
    new: PasswordHash,
    keep: Option<SessionId>,
    under: AccountVersion,
    now: Timestamp,
}

#[async_trait]
impl Unit for Replace {
    type Outcome = Raised;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Raised> {
        let Self {
            account,
            new,
            keep,
            under,
            now,
        } = self;
        if !lock(on, account).await?.is_enabled_at(*under) {
            return Ok(Raised::Changed);
        }
        if let Some(id) = keep
            && version_of_session(on, account, id, *now).await? != Some(*under)
        {
            return Ok(Raised::Changed);
        }
        let replace = Statement::new(
            "INSERT INTO ps_passwords (account_id, hash) VALUES ($1, $2) \
             ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash",
        );
        on.rows(replace.with(account).with(new.as_str())).await?;
        let (version, ended) = overturn(on, account, keep.as_ref(), *now).await?;
        enter(on, sessions(&ended), *now).await?;
        Ok(Raised::To(version))
    }
}
