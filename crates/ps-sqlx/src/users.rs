//! A users table, for applications that have none.

use async_trait::async_trait;
use ps_core::{
    AccountId, EmailAddress, Random, Registered, StoreError, StoreResult, Timestamp, User, Users,
    VerifiedEmail, random_base62,
};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    row::Row,
    statement::Statement,
};

#[expect(private_bounds, reason = "which databases there are is ours to say")]
impl<DB: Backend> SqlStore<DB> {
    /// Makes a user whose mailbox nobody has proven, as a sign-up form of the application's own or
    /// an import would; or answers the one who has the address.
    ///
    /// # Errors
    /// [`StoreError`] if the database could not be asked.
    pub async fn import_user(
        &self,
        email: &EmailAddress,
        created_at: Timestamp,
    ) -> StoreResult<User> {
        let made = find_or_add(self, email, created_at).await?;
        Ok(made.into_user())
    }
}

#[async_trait]
impl<DB: Backend> Users for SqlStore<DB> {
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>> {
        let by_id = Statement::new("SELECT id, email, created_at FROM ps_users WHERE id = $1");
        first(self.database.read(by_id.with(id)).await?)
    }

    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>> {
        first(self.database.read(by_email(email)).await?)
    }

    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered> {
        find_or_add(self, proof.address(), now).await
    }
}

async fn find_or_add<DB: Backend>(
    store: &SqlStore<DB>,
    email: &EmailAddress,
    now: Timestamp,
) -> StoreResult<Registered> {
    let user = User {
        id: random_id(&*store.random),
        email: email.clone(),
        created_at: now,
    };
    store.database.write(FindOrAdd(user)).await
}

struct FindOrAdd(User);

#[async_trait]
impl Unit for FindOrAdd {
    type Outcome = Registered;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Registered> {
        let Self(user) = self;
        let add = Statement::new(
            "INSERT INTO ps_users (id, email, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (email) DO NOTHING RETURNING id, email, created_at",
        );
        let add = add.with(&user.id).with(&user.email).with(user.created_at);
        if let Some(added) = first(on.rows(add).await?)? {
            return Ok(Registered::New(added));
        }
        let existing = first(on.rows(by_email(&user.email)).await?)?;
        existing
            .map(Registered::Existing)
            .ok_or_else(|| StoreError::new("the address was taken and is free"))
    }
}

fn by_email(email: &EmailAddress) -> Statement {
    Statement::new("SELECT id, email, created_at FROM ps_users WHERE email = $1").with(email)
}

fn first(rows: Vec<Row>) -> StoreResult<Option<User>> {
    let mut rows = rows.into_iter();
    rows.next().map(read).transpose()
}

fn read(mut row: Row) -> StoreResult<User> {
    Ok(User {
        id: row.next()?,
        email: row.next()?,
        created_at: row.next()?,
    })
}

/// 22 base62 digits: 131 random bits, so that no two are ever the same.
fn random_id(random: &dyn Random) -> AccountId {
    let mut digits = [0; 22];
    random_base62(random, &mut digits);
    AccountId::new(String::from_utf8_lossy(&digits)).expect("base62 digits are an id")
}
