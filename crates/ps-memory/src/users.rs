//! A users table, for applications that have none.

use std::collections::HashMap;

use async_trait::async_trait;
use ps_core::{
    AccountId, EmailAddress, Random, Registered, StoreResult, Timestamp, User, Users,
    VerifiedEmail, random_base62,
};

use crate::MemoryStore;

#[derive(Default)]
pub(crate) struct UserTable {
    rows: HashMap<AccountId, User>,
    /// Unique: an address is the whole key, in the one form that it can have.
    ids: HashMap<EmailAddress, AccountId>,
}

impl MemoryStore {
    /// Makes a user whose mailbox nobody has proven, as a sign-up form of the application's own or
    /// an import would; or answers the one who has the address.
    pub fn import_user(&self, email: &EmailAddress, created_at: Timestamp) -> User {
        let mut state = self.state();
        let made = state.users.find_or_add(email, &*self.random, created_at);
        made.into_user()
    }
}

#[async_trait]
impl Users for MemoryStore {
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>> {
        Ok(self.state().users.rows.get(id).cloned())
    }

    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>> {
        Ok(self.state().users.by_email(email).cloned())
    }

    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered> {
        let mut state = self.state();
        let users = &mut state.users;
        Ok(users.find_or_add(proof.address(), &*self.random, now))
    }
}

impl UserTable {
    fn by_email(&self, email: &EmailAddress) -> Option<&User> {
        self.ids.get(email).map(|id| &self.rows[id])
    }

    fn find_or_add(
        &mut self,
        email: &EmailAddress,
        random: &dyn Random,
        now: Timestamp,
    ) -> Registered {
        if let Some(user) = self.by_email(email) {
            return Registered::Existing(user.clone());
        }
        let user = User {
            id: random_id(random),
            email: email.clone(),
            created_at: now,
        };
        self.ids.insert(email.clone(), user.id.clone());
        self.rows.insert(user.id.clone(), user.clone());
        Registered::New(user)
    }
}

/// 22 base62 digits: 131 random bits, so that no two are ever the same.
fn random_id(random: &dyn Random) -> AccountId {
    let mut digits = [0; 22];
    random_base62(random, &mut digits);
    AccountId::new(String::from_utf8_lossy(&digits)).expect("base62 digits are an id")
}
