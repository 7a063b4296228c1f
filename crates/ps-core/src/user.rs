//! The application's users, as a port.

use std::fmt;

use async_trait::async_trait;

use crate::{AccountId, EmailAddress, StoreResult, Timestamp, VerifiedEmail};

/// A user of the application, as far as signing in needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The application's id for the account.
    pub id: AccountId,
    /// Where its mails go; in canonical form, unique among users.
    pub email: EmailAddress,
    /// Since when it exists.
    pub created_at: Timestamp,
}

/// What [`Users::register`] found or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The address had an account already, and this is it.
    Existing(User),
    /// A new account was made.
    New(User),
}

impl Registered {
    /// The user, new or not.
    #[must_use]
    pub fn into_user(self) -> User {
        match self {
            Self::Existing(user) | Self::New(user) => user,
        }
    }
}

/// The application's users table. Implement it over your own; ps-auth keeps no copy.
///
/// Users who exist without a proven mailbox (an import, a form of your own) are fine: they get
/// neither session nor key until the mailbox is proven, and what was planted before then is wiped.
#[async_trait]
pub trait Users: fmt::Debug + Send + Sync + 'static {
    /// The user with this id.
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>>;

    /// The user with this address, compared byte by byte in canonical form.
    ///
    /// *Security*: a collation that folds accents or case beyond the canonical form would hand one
    /// person's account to another.
    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>>;

    /// Makes a user with the proven address, or answers the one that exists.
    ///
    /// *Atomicity*: unique on the address; of several at once exactly one makes it and the others
    /// get that one. *Time*: `now` is its `created_at`.
    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered>;
}
