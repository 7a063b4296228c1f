//! The service: issue, authenticate, list, revoke.

use std::{fmt, sync::Arc, time::Duration};

use ps_core::{
    AccountId, AccountVersion, Ambient, AuthEvent, Change, FollowChanges, Following, KeyId,
    Outcome, Refusal, Requester, StoreResult, Timestamp,
};

use crate::{
    AllowedAddresses, ApiKey, ApiKeyError, ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted,
    KeyName, KeyPage, KeyPatch, KeyPolicy, KeyPrefix, KeyRotated, KeyTerms, KeyUpdated, Listing,
    Replacement, Scopes, judge,
    lookup::{KnownKey, Lookup},
    uses::Uses,
};

/// How long after a failed write of last uses the next one is tried.
const RETRY: Duration = Duration::from_secs(1);
/// The longest time that a replaced key may work on.
const LONGEST_GRACE: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What a key is to be. Every field holds only valid values.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// Where it may be used from.
    pub allowed_addresses: AllowedAddresses,
    /// From when on it is refused; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made: the only moment at which it exists in the clear.
#[derive(Debug)]
pub struct Issued {
    /// The key, to be shown once.
    pub key: ApiKey,
    /// What is stored of it.
    pub record: ApiKeyRecord,
}

/// API keys: made for an account, checked on every request, revoked at once.
///
/// One instance serves the whole process; it is shared in an `Arc`.
#[derive(Debug)]
pub struct ApiKeys {
    store: Arc<dyn ApiKeyStore>,
    lookup: Lookup,
    uses: Uses,
    policy: KeyPolicy,
    ambient: Ambient,
}

impl ApiKeys {
    /// Keys in `store`. What is remembered of them is trusted while `following` says so, which is
    /// while the [`Follower`](ps_core::Follower) that this service was given to runs.
    #[must_use]
    pub fn new(
        store: Arc<dyn ApiKeyStore>,
        following: Following,
        policy: KeyPolicy,
        ambient: Ambient,
    ) -> Self {
        let lookup = Lookup::new(
            Arc::clone(&store),
            following,
            policy.remembered,
            policy.remembered_for,
        );
        Self {
            lookup,
            uses: Uses::new(Arc::clone(&store)),
            store,
            policy,
            ambient,
        }
    }

    /// Makes a key for `account`, whose version was `under` when its owner proved who they are.
    ///
    /// # Errors
    /// [`AccountChanged`](ApiKeyError::AccountChanged) where the version moved on or the account is
    /// disabled, [`ExpiryPassed`](ApiKeyError::ExpiryPassed), [`TooMany`](ApiKeyError::TooMany),
    /// [`Store`](ApiKeyError::Store). In every case no key exists.
    pub async fn issue(
        &self,
        account: &AccountId,
        under: AccountVersion,
        new: NewKey,
        requester: &Requester,
    ) -> Result<Issued, ApiKeyError> {
        let now = self.ambient.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(ApiKeyError::ExpiryPassed);
        }
        let key = self.policy.prefix.issue(&*self.ambient.random);
        let record = ApiKeyRecord {
            id: KeyId::random(&*self.ambient.random),
            account: account.clone(),
            digest: key.digest(),
            hint: key.hint(),
            name: new.name,
            scopes: new.scopes,
            allowed_addresses: new.allowed_addresses,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let at_most = self.policy.at_most;
        match self.store.insert(&record, under, at_most, now).await? {
            KeyInserted::AccountChanged => Err(ApiKeyError::AccountChanged),
            KeyInserted::Full => Err(ApiKeyError::TooMany),
            KeyInserted::Done => {
                self.tell(Outcome::KeyIssued(record.id), Some(account), requester, now);
                Ok(Issued { key, record })
            }
        }
    }

    /// Whose key `text` is, if it may be used now and from where the requester stands.
    ///
    /// A key that is remembered costs no store call, another one a single read, maybe shared with
    /// others; neither waits for a write. Others may wait for this future in turn: it is to be polled
    /// to its end or dropped, and not kept unpolled beside another call of this method.
    ///
    /// # Errors
    /// [`Denied`](ApiKeyError::Denied) for whatever is not a live key,
    /// [`AddressNotAllowed`](ApiKeyError::AddressNotAllowed), [`Store`](ApiKeyError::Store), also where
    /// more reads wait than the store can serve.
    pub async fn authenticate(
        &self,
        text: &str,
        requester: &Requester,
    ) -> Result<KeyCaller, ApiKeyError> {
        let now = self.ambient.clock.now();
        let refuse = |why, account| {
            self.tell(Outcome::KeyRefused(why), account, requester, now);
            match why {
                Refusal::AddressNotAllowed => ApiKeyError::AddressNotAllowed,
                _ => ApiKeyError::Denied,
            }
        };
        let digest = self.policy.prefix.digest(text);
        let digest = digest.ok_or_else(|| refuse(Refusal::Malformed, None))?;
        let known = match self.lookup.remembered(&digest, now) {
            Some(known) => known,
            None => {
                let known = self.lookup.find(&digest, now).await?;
                known.ok_or_else(|| refuse(Refusal::Unknown, None))?
            }
        };
        let account = Some(&known.terms.account);
        judge(&known.terms, requester.address, now).map_err(|why| refuse(why, account))?;
        self.uses.note(&known, now);
        self.tell(
            Outcome::KeyAccepted(known.terms.id),
            account,
            requester,
            now,
        );
        Ok(KeyCaller(known))
    }

    /// What this service's keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &KeyPrefix {
        &self.policy.prefix
    }

    /// A page of the account's keys, newest first, revoked ones included.
    ///
    /// # Errors
    /// [`Store`](ApiKeyError::Store).
    pub async fn list(
        &self,
        account: &AccountId,
        after: Option<KeyCursor>,
        limit: u32,
    ) -> Result<KeyPage, ApiKeyError> {
        let page = Listing::Page { after, limit };
        Ok(self.store.list(account, &page).await?)
    }

    /// One of the account's keys; `None` for another account's as for an unknown one.
    ///
    /// # Errors
    /// [`Store`](ApiKeyError::Store).
    pub async fn read(
        &self,
        account: &AccountId,
        id: &KeyId,
    ) -> Result<Option<ApiKeyRecord>, ApiKeyError> {
        let page = self.store.list(account, &Listing::One(*id)).await?;
        Ok(page.keys.into_iter().next())
    }

    /// Changes one of the account's keys. When this returns, this node judges by the key as it is
    /// now, and every other within a second.
    ///
    /// # Errors
    /// [`ExpiryPassed`](ApiKeyError::ExpiryPassed), [`NotFound`](ApiKeyError::NotFound),
    /// [`Revoked`](ApiKeyError::Revoked), [`Store`](ApiKeyError::Store).
    pub async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        requester: &Requester,
    ) -> Result<ApiKeyRecord, ApiKeyError> {
        let now = self.ambient.clock.now();
        if patch.expires_at.flatten().is_some_and(|end| end <= now) {
            return Err(ApiKeyError::ExpiryPassed);
        }
        match self.store.update(account, id, patch, now).await? {
            KeyUpdated::NotFound => Err(ApiKeyError::NotFound),
            KeyUpdated::Revoked => Err(ApiKeyError::Revoked),
            KeyUpdated::Done(record) => {
                self.lookup.forget(&record.digest);
                self.tell(Outcome::KeyChanged(*id), Some(account), requester, now);
                Ok(*record)
            }
        }
    }

    /// Replaces one of the account's keys by a new one with the same name, scopes, addresses and
    /// expiry. The old key works on for `grace`, seven days at most and never past its own expiry,
    /// and is revoked then.
    ///
    /// # Errors
    /// [`AccountChanged`](ApiKeyError::AccountChanged), [`NotFound`](ApiKeyError::NotFound),
    /// [`Revoked`](ApiKeyError::Revoked) (also for an expired one), [`Store`](ApiKeyError::Store).
    /// In every case no new key exists and the old one is as it was.
    pub async fn rotate(
        &self,
        account: &AccountId,
        id: &KeyId,
        grace: Duration,
        under: AccountVersion,
        requester: &Requester,
    ) -> Result<Issued, ApiKeyError> {
        let now = self.ambient.clock.now();
        let key = self.policy.prefix.issue(&*self.ambient.random);
        let replacement = Replacement {
            id: KeyId::random(&*self.ambient.random),
            digest: key.digest(),
            hint: key.hint(),
            old_ends: now.plus(grace.min(LONGEST_GRACE)),
        };
        match self
            .store
            .rotate(account, id, &replacement, under, now)
            .await?
        {
            KeyRotated::AccountChanged => Err(ApiKeyError::AccountChanged),
            KeyRotated::NotFound => Err(ApiKeyError::NotFound),
            KeyRotated::Revoked => Err(ApiKeyError::Revoked),
            KeyRotated::Done { new, old } => {
                self.lookup.forget(&old);
                self.tell(Outcome::KeyRotated(*id), Some(account), requester, now);
                self.tell(Outcome::KeyIssued(new.id), Some(account), requester, now);
                Ok(Issued { key, record: *new })
            }
        }
    }

    /// Revokes one of the account's keys; `false` where the account has no such key. Repeating it
    /// changes nothing. When this returns, this node refuses the key, and every other within a second.
    ///
    /// # Errors
    /// [`Store`](ApiKeyError::Store): it may or may not be revoked; ask again.
    pub async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        requester: &Requester,
    ) -> Result<bool, ApiKeyError> {
        let now = self.ambient.clock.now();
        let Some(digest) = self.store.revoke(account, id, now).await? else {
            return Ok(false);
        };
        self.lookup.forget(&digest);
        self.tell(Outcome::KeyRevoked(*id), Some(account), requester, now);
        Ok(true)
    }

    /// Writes last uses as they come due, for ever: at most one write per key and minute, many keys
    /// in one statement. Run it once; where it does not run, `last_used_at` moves only by
    /// [`flush`](Self::flush).
    pub async fn run(&self) {
        loop {
            self.uses.due().await;
            while self.flush().await.is_err() {
                self.ambient.clock.sleep(RETRY).await;
            }
        }
    }

    /// Writes the last uses that wait. Called once more when the process ends.
    ///
    /// # Errors
    /// What the store said; what could not be written keeps waiting.
    pub async fn flush(&self) -> StoreResult<()> {
        self.uses.flush().await
    }

    fn tell(
        &self,
        outcome: Outcome,
        account: Option<&AccountId>,
        requester: &Requester,
        now: Timestamp,
    ) {
        let mut event = AuthEvent::new(outcome, now).by(requester);
        event.account = account;
        self.ambient.events.record(&event);
    }
}

impl FollowChanges for ApiKeys {
    fn apply(&self, change: Change, now: Timestamp) {
        self.lookup.apply(change, now);
    }

    fn forget(&self) {
        FollowChanges::forget(&self.lookup);
    }
}

/// Who called with a key, and what the key allows.
#[derive(Clone)]
pub struct KeyCaller(Arc<KnownKey>);

impl KeyCaller {
    /// Whose key it is.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.0.terms.account
    }

    /// What the key is used on.
    #[must_use]
    pub fn key(&self) -> &KeyTerms {
        &self.0.terms
    }

    /// Asks for a scope.
    ///
    /// # Errors
    /// [`ScopeMissing`](ApiKeyError::ScopeMissing) where the key was not given it.
    pub fn require(&self, scope: &'static str) -> Result<(), ApiKeyError> {
        if self.0.terms.scopes.contains(scope) {
            Ok(())
        } else {
            Err(ApiKeyError::ScopeMissing(scope))
        }
    }
}

impl fmt::Debug for KeyCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCaller")
            .field("account", self.account())
            .field("key", &self.0.terms.id)
            .finish_non_exhaustive()
    }
}
