//! Who somebody is at a provider, what is stored of it, and the port that stores it.

use std::fmt;

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, EmailAddress, StoreResult, Timestamp};

/// Who somebody is at one provider: exact bytes, compared as such.
///
/// The email address is no part of it: it is what the provider says *of* somebody, and may pass to
/// somebody else. The provider's name is, so that one subject at two configured providers is two
/// ways in, even where both stand for the same issuer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The configured provider's name: `google`.
    pub provider: String,
    /// Its issuer, in the one form that the provider is configured with.
    pub issuer: String,
    /// The issuer's name for the person: `sub`, at most 255 ASCII bytes (OpenID Connect Core §2).
    pub subject: String,
}

/// An identity and the account that it opens, or opened until its owner removed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// Who, where.
    pub identity: Identity,
    /// Whose account it opens.
    pub account: AccountId,
    /// The address that the provider had verified when it was linked. It is shown, never matched.
    pub email: Option<EmailAddress>,
    /// Since when it opens the account.
    pub linked_at: Timestamp,
    /// Since when it opens nothing, because its owner removed it.
    pub removed_at: Option<Timestamp>,
}

/// What linking does to an identity that was removed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It stays removed: nobody asked for it by name.
    Stays,
    /// It is linked again: its owner asked for it while signed in.
    IsLifted,
}

/// What became of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// The account's version is another one by now, or it is disabled: nothing was done.
    AccountChanged,
    /// It was linked to this account already, and nothing was done.
    Already,
    /// Done.
    Done,
    /// It opens another account: nothing was done.
    OfAnother,
    /// It was removed by its owner and stays so: nothing was done.
    Removed,
}

/// What became of unlinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// The account's version is another one by now, or it is disabled: nothing was done.
    AccountChanged,
    /// Done.
    Done,
    /// It is the last way in: nothing was done.
    Last,
    /// The account has no identity of that provider.
    NotLinked,
}

/// Keeps identities. Every method is one atomic step.
///
/// `Accounts::claim` of the same store forgets the account's identities, removed ones too.
#[async_trait]
pub trait IdentityStore: fmt::Debug + Send + Sync + 'static {
    /// The identity as it was linked last, removed or not.
    async fn find(&self, identity: &Identity) -> StoreResult<Option<LinkedIdentity>>;

    /// The account's identities that open it, the one linked first first.
    async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>>;

    /// Links `new.identity` to `new.account`.
    ///
    /// *Atomicity*: one transaction under the account's lock: only if the account is enabled and at
    /// `under`, and the identity opens no account. One that was removed (by whomsoever) is linked
    /// only if `removed` lifts that, and then takes all of `new`. *Time*: `new.linked_at`.
    /// *Security*: unique on the identity; of several accounts at once exactly one gets it.
    async fn link(
        &self,
        new: &LinkedIdentity,
        removed: Removed,
        under: AccountVersion,
    ) -> StoreResult<Linked>;

    /// Removes the account's identities of `provider`, and remembers that they were.
    ///
    /// *Atomicity*: one transaction: takes the account's lock by a statement of its own, then only if
    /// the account is enabled and at `under`, and either `has_password` or it has an identity of
    /// another provider among `configured`. *Time*: `now` is `removed_at`. *Security*: of any number
    /// at once, with links in between, one way in is left. `has_password` may be read before: a
    /// password goes away by a claim only, which `under` catches.
    async fn unlink_unless_last(
        &self,
        account: &AccountId,
        provider: &str,
        configured: &[&str],
        has_password: bool,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Unlinked>;
}
