//! A site that signs people in by password.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Hit, Limited, Limiter, Outcome, Raised,
    Requester, SessionId, StoreError, StoreResult, Timestamp,
};
use ps_memory::MemoryStore;
use ps_password::{
    Change, NewPassword, PasswordError, PasswordHash, PasswordPolicy, PasswordStore, Passwords,
    TypedPassword,
};
use ps_testkit::TestAmbient;

pub(crate) const RIGHT: &str = "correct horse battery staple";
pub(crate) const WRONG: &str = "incorrect horse battery staple";

pub(crate) struct Site {
    pub(crate) test: TestAmbient,
    pub(crate) memory: MemoryStore,
    pub(crate) store: Arc<Unreliable>,
    pub(crate) passwords: Passwords,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(policy(), MemoryStore::default())
    }

    /// Another node on the same store, or the same one after a restart.
    pub(crate) fn with(policy: PasswordPolicy, memory: MemoryStore) -> Self {
        let test = TestAmbient::default();
        let store = Arc::new(Unreliable::on(memory.clone()));
        let passwords = Passwords::new(store.clone(), store.clone(), policy, test.ambient());
        Self {
            test,
            memory,
            store,
            passwords,
        }
    }

    /// Alice, with a password.
    pub(crate) async fn with_alice() -> Self {
        let site = Self::new();
        site.change(site.fresh(), RIGHT).await.unwrap();
        site.test.events.take();
        site
    }

    pub(crate) async fn sign_in(&self, text: &str) -> Result<(), PasswordError> {
        self.sign_in_at(&alice(), Some(&account()), text).await
    }

    pub(crate) async fn sign_in_at(
        &self,
        address: &EmailAddress,
        account: Option<&AccountId>,
        text: &str,
    ) -> Result<(), PasswordError> {
        let typed = typed(text);
        self.passwords
            .verify(address, account, &typed, &client())
            .await
    }

    /// Alice signs in with a browser that is known for `address`.
    pub(crate) async fn sign_in_known(
        &self,
        address: EmailAddress,
        text: &str,
    ) -> Result<(), PasswordError> {
        let (typed, client) = (typed(text), client().with_known_browser(address));
        self.passwords
            .verify(&alice(), Some(&account()), &typed, &client)
            .await
    }

    pub(crate) async fn change(
        &self,
        asked: Asked,
        text: &str,
    ) -> Result<AccountVersion, PasswordError> {
        let new = NewPassword::parse(text.to_owned()).unwrap();
        let (account, address) = (account(), alice());
        let change = Change {
            account: &account,
            address: &address,
            keep: None,
            under: asked.under,
            authenticated_at: asked.authenticated_at,
            by_mailbox_or_provider: asked.by_mailbox_or_provider,
            current: asked.current.as_ref(),
        };
        self.passwords.change(change, &new, &client()).await
    }

    /// Somebody who has just signed in by a code, on an account that nobody has touched.
    pub(crate) fn fresh(&self) -> Asked {
        Asked {
            under: AccountVersion::default(),
            authenticated_at: self.now(),
            by_mailbox_or_provider: true,
            current: None,
        }
    }

    /// Somebody who signed in so long ago by a password, now.
    pub(crate) async fn aged(&self, seconds: u64) -> Asked {
        Asked {
            under: self.version().await,
            authenticated_at: self.now().minus(Duration::from_secs(seconds)),
            by_mailbox_or_provider: false,
            current: None,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        use ps_core::Clock;
        self.test.clock.now()
    }

    pub(crate) async fn version(&self) -> AccountVersion {
        self.memory.standing(&account()).await.unwrap().version
    }

    pub(crate) async fn stored(&self) -> String {
        let hash = self.memory.find(&account()).await.unwrap().unwrap();
        hash.as_str().to_owned()
    }

    pub(crate) fn told(&self) -> Vec<Outcome> {
        self.test.events.take()
    }
}

/// A wish for a new password of Alice's.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) under: AccountVersion,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) by_mailbox_or_provider: bool,
    pub(crate) current: Option<TypedPassword>,
}

impl Asked {
    pub(crate) fn knowing(mut self, current: &str) -> Self {
        self.current = Some(typed(current));
        self
    }

    pub(crate) fn by_mailbox(mut self) -> Self {
        self.by_mailbox_or_provider = true;
        self
    }
}

/// The default, on two threads.
pub(crate) fn policy() -> PasswordPolicy {
    PasswordPolicy::default().with_threads(NonZero::new(2).unwrap())
}

pub(crate) fn typed(text: &str) -> TypedPassword {
    TypedPassword::new(text.to_owned())
}

pub(crate) fn alice() -> EmailAddress {
    EmailAddress::parse("alice@example.com").unwrap()
}

pub(crate) fn account() -> AccountId {
    AccountId::new("account of alice").unwrap()
}

pub(crate) fn client() -> Requester {
    Requester::new([203, 0, 113, 7].into())
}

/// A store that can be told to fail, and counts what it is asked.
#[derive(Debug)]
pub(crate) struct Unreliable {
    memory: MemoryStore,
    pub(crate) limiter_fails: AtomicBool,
    pub(crate) passwords_fail: AtomicBool,
    pub(crate) rehash_fails: AtomicBool,
    pub(crate) finds: AtomicU32,
}

impl Unreliable {
    fn on(memory: MemoryStore) -> Self {
        Self {
            memory,
            limiter_fails: AtomicBool::new(false),
            passwords_fail: AtomicBool::new(false),
            rehash_fails: AtomicBool::new(false),
            finds: AtomicU32::new(0),
        }
    }
}

fn unless(fails: &AtomicBool) -> StoreResult<()> {
    if fails.load(Ordering::Relaxed) {
        return Err(StoreError::new("by the test"));
    }
    Ok(())
}

#[async_trait]
impl Limiter for Unreliable {
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited> {
        unless(&self.limiter_fails)?;
        self.memory.hit(hits, now).await
    }
}

#[async_trait]
impl PasswordStore for Unreliable {
    async fn find(&self, account: &AccountId) -> StoreResult<Option<PasswordHash>> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        unless(&self.passwords_fail)?;
        self.memory.find(account).await
    }

    async fn replace(
        &self,
        account: &AccountId,
        new: &PasswordHash,
        keep: Option<&SessionId>,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        unless(&self.passwords_fail)?;
        self.memory.replace(account, new, keep, under, now).await
    }

    async fn rehash(
        &self,
        account: &AccountId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> StoreResult<()> {
        unless(&self.rehash_fails)?;
        self.memory.rehash(account, from, to).await
    }
}
