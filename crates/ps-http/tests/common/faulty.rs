//! A store of which one method does not do what it should.

use std::{
    collections::BTreeSet,
    fmt,
    future::{Future, pending},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use ps_apikey::{
    ApiKeyRecord, ApiKeyStore, KeyInserted, KeyPage, KeyPatch, KeyRotated, KeyUpdated, Listing,
    Replacement,
};
use ps_core::{
    AccountId, AccountVersion, Accounts, ChallengeId, Change, Changes, Cursor, EmailAddress, Hit,
    KeyDigest, KeyId, Limited, Limiter, Raised, Registered, SessionId, Standing, StoreError,
    StoreResult, Timestamp, User, Users, VerifiedEmail,
};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, Sends,
};
use ps_memory::MemoryStore;
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};
use ps_password::{PasswordHash, PasswordStore};
use ps_session::{Advance, End, FamilyDigest, Opened, SessionRecord, SessionStore, Which};

/// What happens to whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and says so.
    Fails,
    /// It never answers.
    Hangs,
    /// It does what it should, and the answer does not come in time.
    LosesItsAnswer,
}

/// Passes everything on to a sound store, but for the method that is at fault.
pub struct Faulty {
    pub sound: MemoryStore,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    fault: Option<(&'static str, Fault)>,
    called: BTreeSet<&'static str>,
    struck: u32,
}

impl Faulty {
    pub fn new(sound: MemoryStore) -> Self {
        let notes = Mutex::default();
        Self { sound, notes }
    }

    /// From now on the method, `Port::method`, is at fault, and no other.
    pub fn fault(&self, method: &'static str, fault: Fault) {
        self.notes().fault = Some((method, fault));
    }

    /// From now on nothing is at fault. How often the fault was met.
    pub fn heal(&self) -> u32 {
        let mut notes = self.notes();
        notes.fault = None;
        std::mem::take(&mut notes.struck)
    }

    /// The methods that were called since the last time this was asked.
    pub fn called(&self) -> BTreeSet<&'static str> {
        std::mem::take(&mut self.notes().called)
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn through<T>(
        &self,
        method: &'static str,
        act: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let fault = {
            let mut notes = self.notes();
            notes.called.insert(method);
            let fault = notes.fault.filter(|(at, _)| *at == method);
            notes.struck += u32::from(fault.is_some());
            fault.map(|(_, fault)| fault)
        };
        match fault {
            None => act.await,
            Some(Fault::Fails) => Err(StoreError::new("it is out of reach")),
            Some(Fault::Hangs) => pending().await,
            Some(Fault::LosesItsAnswer) => {
                act.await?;
                Err(StoreError::new("it took too long"))
            }
        }
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

/// Every method of every port, as `Port::method`.
pub const METHODS: &[&[&str]] = &[
    accounts::METHODS,
    users::METHODS,
    changes::METHODS,
    limiter::METHODS,
    keys::METHODS,
    sessions::METHODS,
    challenges::METHODS,
    identities::METHODS,
    passwords::METHODS,
];

macro_rules! pass {
    ($module:ident: $port:ident {
        $(fn $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        mod $module {
            use super::*;

            pub const METHODS: &[&str] =
                &[$(concat!(stringify!($port), "::", stringify!($method))),*];

            #[async_trait]
            impl $port for Faulty {
                $(
                    async fn $method(&self, $($argument: $type),*) -> StoreResult<$answer> {
                        let method = concat!(stringify!($port), "::", stringify!($method));
                        self.through(method, $port::$method(&self.sound, $($argument),*)).await
                    }
                )*
            }
        }
    };
}

pass! { accounts: Accounts {
    fn standing(id: &AccountId) -> Standing;
    fn claim(id: &AccountId, proof: &VerifiedEmail, under: AccountVersion, now: Timestamp) -> Raised;
    fn disable(id: &AccountId, now: Timestamp) -> bool;
    fn enable(id: &AccountId, now: Timestamp) -> bool;
} }

pass! { users: Users {
    fn find(id: &AccountId) -> Option<User>;
    fn find_by_email(email: &EmailAddress) -> Option<User>;
    fn register(proof: &VerifiedEmail, now: Timestamp) -> Registered;
} }

pass! { changes: Changes {
    fn since(after: Cursor, at_most: u32) -> Vec<(Cursor, Change)>;
    fn ended_since(start: Timestamp) -> (Cursor, Vec<SessionId>);
    fn purge(before: Timestamp, at_most: u32) -> u32;
    fn time() -> Timestamp;
} }

pass! { limiter: Limiter {
    fn hit(hits: &[Hit], now: Timestamp) -> Limited;
} }

pass! { keys: ApiKeyStore {
    fn insert(key: &ApiKeyRecord, under: AccountVersion, at_most: u32, now: Timestamp) -> KeyInserted;
    fn find(digests: &[KeyDigest]) -> Vec<ApiKeyRecord>;
    fn list(account: &AccountId, which: &Listing) -> KeyPage;
    fn update(account: &AccountId, id: &KeyId, patch: &KeyPatch, now: Timestamp) -> KeyUpdated;
    fn rotate(account: &AccountId, old: &KeyId, new: &Replacement, under: AccountVersion, now: Timestamp)
        -> KeyRotated;
    fn revoke(account: &AccountId, id: &KeyId, now: Timestamp) -> Option<KeyDigest>;
    fn touch(used: &[(KeyId, Timestamp)]) -> ();
} }

pass! { sessions: SessionStore {
    fn open(session: &SessionRecord, replaces: Option<&FamilyDigest>, at_most: u32, now: Timestamp)
        -> Opened;
    fn find(by: Which<'_>) -> Option<SessionRecord>;
    fn rotate(advance: &Advance, now: Timestamp) -> Option<SessionRecord>;
    fn end(which: End<'_>, now: Timestamp) -> Option<Vec<SessionId>>;
    fn purge(before: Timestamp, at_most: u32) -> u32;
    fn list(account: &AccountId, now: Timestamp) -> Vec<SessionRecord>;
} }

pass! { challenges: ChallengeStore {
    fn place(new: &NewChallenge, exposure: &Exposure, sends: &Sends, now: Timestamp) -> Placed;
    fn resend(id: &ChallengeId, email: &EmailAddress, purpose: Purpose, rule: &ResendRule,
        sends: &Sends, now: Timestamp) -> Option<Placed>;
    fn claim_attempt(id: &ChallengeId, email: Option<&EmailAddress>, purpose: Purpose, now: Timestamp)
        -> Option<Challenge>;
    fn consume(id: &ChallengeId, now: Timestamp) -> bool;
    fn purge(before: Timestamp, at_most: u32) -> u32;
} }

pass! { identities: IdentityStore {
    fn find(identity: &Identity) -> Option<LinkedIdentity>;
    fn list(account: &AccountId) -> Vec<LinkedIdentity>;
    fn link(new: &LinkedIdentity, removed: Removed, under: AccountVersion) -> Linked;
    fn unlink_unless_last(account: &AccountId, provider: &str, configured: &[&str],
        has_password: bool, under: AccountVersion, now: Timestamp) -> Unlinked;
} }

pass! { passwords: PasswordStore {
    fn find(account: &AccountId) -> Option<PasswordHash>;
    fn replace(account: &AccountId, new: &PasswordHash, keep: Option<&SessionId>,
        under: AccountVersion, now: Timestamp) -> Raised;
    fn rehash(account: &AccountId, from: &PasswordHash, to: &PasswordHash) -> ();
} }
