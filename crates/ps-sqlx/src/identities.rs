//! Identities at providers, one row each.

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, StoreError, StoreResult, Timestamp};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};

use crate::{
    SqlStore,
    accounts::lock,
    backend::{Backend, Connection, Unit},
    row::{Row, firsts},
    statement::Statement,
};

/// In the order that [`read`] reads them.
macro_rules! record {
    () => {
        "provider, issuer, subject, account_id, email, linked_at, removed_at"
    };
}

#[async_trait]
impl<DB: Backend> IdentityStore for SqlStore<DB> {
    async fn find(&self, identity: &Identity) -> StoreResult<Option<LinkedIdentity>> {
        first(self.database.read(by_identity(identity)).await?)
    }

    async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>> {
        let linked = Statement::new(concat!(
            "SELECT ",
            record!(),
            " FROM ps_identities WHERE account_id = $1 AND removed_at IS NULL \
             ORDER BY linked_at, provider, issuer, subject"
        ));
        let rows = self.database.read(linked.with(account)).await?;
        rows.into_iter().map(read).collect()
    }

    async fn link(
        &self,
        new: &LinkedIdentity,
        removed: Removed,
        under: AccountVersion,
    ) -> StoreResult<Linked> {
        let link = Link {
            new: new.clone(),
            removed,
            under,
        };
        self.database.write(link).await
    }

    async fn unlink_unless_last(
        &self,
        account: &AccountId,
        provider: &str,
        configured: &[&str],
        has_password: bool,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Unlinked> {
        let others = configured.iter().filter(|other| **other != provider);
        let unlink = Unlink {
            account: account.clone(),
            provider: provider.to_owned(),
            others: others.copied().map(str::to_owned).collect(),
            has_password,
            under,
            now,
        };
        self.database.write(unlink).await
    }
}

struct Link {
    new: LinkedIdentity,
    removed: Removed,
    under: AccountVersion,
}

#[async_trait]
impl Unit for Link {
    type Outcome = Linked;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Linked> {
        let Self {
            new,
            removed,
            under,
        } = self;
        if !lock(on, &new.account).await?.is_enabled_at(*under) {
            return Ok(Linked::AccountChanged);
        }
        if !on.rows(link(new, *removed)).await?.is_empty() {
            return Ok(Linked::Done);
        }
        match first(on.rows(by_identity(&new.identity)).await?)? {
            Some(row) if row.removed_at.is_some() => Ok(Linked::Removed),
            Some(row) if row.account == new.account => Ok(Linked::Already),
            Some(_) => Ok(Linked::OfAnother),
            None => Err(StoreError::new("the identity was taken and is free")),
        }
    }
}

/// Answers a row if it was linked.
fn link(new: &LinkedIdentity, removed: Removed) -> Statement {
    let link = Statement::new(
        "INSERT INTO ps_identities (provider, issuer, subject, account_id, email, linked_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (provider, issuer, subject) DO UPDATE SET account_id = excluded.account_id, \
         email = excluded.email, linked_at = excluded.linked_at, removed_at = NULL \
         WHERE ps_identities.removed_at IS NOT NULL AND $7 = 1 RETURNING linked_at",
    );
    let Identity {
        provider,
        issuer,
        subject,
    } = &new.identity;
    link.with(provider.as_str())
        .with(issuer.as_str())
        .with(subject.as_str())
        .with(&new.account)
        .with(new.email.as_ref())
        .with(new.linked_at)
        .with(i64::from(removed == Removed::IsLifted))
}

struct Unlink {
    account: AccountId,
    provider: String,
    /// The other providers by which one can sign in.
    others: Vec<String>,
    has_password: bool,
    under: AccountVersion,
    now: Timestamp,
}

#[async_trait]
impl Unit for Unlink {
    type Outcome = Unlinked;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Unlinked> {
        let Self {
            account, provider, ..
        } = self;
        if !lock(on, account).await?.is_enabled_at(self.under) {
            return Ok(Unlinked::AccountChanged);
        }
        let linked = Statement::new(
            "SELECT provider FROM ps_identities WHERE account_id = $1 AND removed_at IS NULL",
        );
        let linked: Vec<String> = firsts(on.rows(linked.with(account)).await?)?;
        if !linked.contains(provider) {
            return Ok(Unlinked::NotLinked);
        }
        if !self.has_password && !linked.iter().any(|one| self.others.contains(one)) {
            return Ok(Unlinked::Last);
        }
        let remove = Statement::new(
            "UPDATE ps_identities SET removed_at = $3 \
             WHERE account_id = $1 AND provider = $2 AND removed_at IS NULL",
        );
        let remove = remove.with(account).with(provider.as_str());
        on.rows(remove.with(self.now)).await?;
        Ok(Unlinked::Done)
    }
}

fn by_identity(identity: &Identity) -> Statement {
    let by_identity = Statement::new(concat!(
        "SELECT ",
        record!(),
        " FROM ps_identities WHERE provider = $1 AND issuer = $2 AND subject = $3"
    ));
    by_identity
        .with(identity.provider.as_str())
        .with(identity.issuer.as_str())
        .with(identity.subject.as_str())
}

fn first(rows: Vec<Row>) -> StoreResult<Option<LinkedIdentity>> {
    let mut rows = rows.into_iter();
    rows.next().map(read).transpose()
}

fn read(mut row: Row) -> StoreResult<LinkedIdentity> {
    Ok(LinkedIdentity {
        identity: Identity {
            provider: row.next()?,
            issuer: row.next()?,
            subject: row.next()?,
        },
        account: row.next()?,
        email: row.next()?,
        linked_at: row.next()?,
        removed_at: row.next()?,
    })
}
