//! The service.

use std::{future::Future, sync::Arc};

use ps_core::{
    AccountId, AccountVersion, Ambient, AuthEvent, EmailAddress, Hit, Lane, LimitKey, Limited,
    Limiter, Outcome, Raised, Refusal, Requester, SessionId, StoreResult, Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    NewPassword, PasswordError, PasswordHash, PasswordPolicy, PasswordStore, TypedPassword,
    hash::{self, Target},
    hashing::{Busy, Hashing},
    judge::{Current, Shown, Verdict, judge_change},
    places::Places,
};

/// Compares passwords, and changes them.
///
/// It hashes on threads of its own, started with it and ended by dropping it, so no async thread
/// waits for a hash. Share it in an [`Arc`].
#[derive(Debug)]
pub struct Passwords {
    store: Arc<dyn PasswordStore>,
    limiter: Arc<dyn Limiter>,
    policy: PasswordPolicy,
    ambient: Ambient,
    hashing: Hashing,
    places: Places,
    /// What is compared with where there is nothing to compare with.
    decoy: Target,
    /// Whose password is looked up where there is no account. Nobody can have this id.
    nobody: AccountId,
}

/// A wish for a new password, and what speaks for it.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Whose password.
    pub account: &'a AccountId,
    /// The account's address, on which wrong guesses at `current` are counted.
    pub address: &'a EmailAddress,
    /// The session that asks: every other one ends.
    pub keep: Option<&'a SessionId>,
    /// The account's version, read before anything was checked.
    pub under: AccountVersion,
    /// When the person signed in.
    pub authenticated_at: Timestamp,
    /// Whether that was by a code to the mailbox or by a linked provider: good for replacing a
    /// forgotten password.
    pub by_mailbox_or_provider: bool,
    /// The current password. Where there is none it is not looked at.
    pub current: Option<&'a TypedPassword>,
}

impl Passwords {
    /// A service over these ports. It starts the policy's threads.
    ///
    /// # Panics
    /// Where the system has no thread to give.
    #[must_use]
    pub fn new(
        store: Arc<dyn PasswordStore>,
        limiter: Arc<dyn Limiter>,
        policy: PasswordPolicy,
        ambient: Ambient,
    ) -> Self {
        let random = &*ambient.random;
        let nobody = SessionId::random(random);
        Self {
            hashing: Hashing::start(policy.threads, policy.queue),
            places: Places::new(policy.queue + policy.threads.get()),
            decoy: Target::decoy(policy.cost, random),
            nobody: AccountId::new(nobody.as_str()).expect("22 letters and digits are an id"),
            store,
            limiter,
            policy,
            ambient,
        }
    }

    /// Compares what was typed with the password of `account`, the one that `address` has, if any.
    ///
    /// The guess is counted in the requester's lane before it is compared, and a right one is given
    /// back: strangers share one, and a browser that is known has its own. Where there is no account
    /// or no password, as much is done for the same answer. A right password whose hash was
    /// made at another cost is hashed anew, as far as that is possible now.
    ///
    /// # Errors
    /// [`PasswordError::Denied`] where nothing is proven; [`PasswordError::Throttled`],
    /// [`PasswordError::Busy`] and [`PasswordError::Store`] where nothing was compared.
    pub async fn verify(
        &self,
        address: &EmailAddress,
        account: Option<&AccountId>,
        typed: &TypedPassword,
        requester: &Requester,
    ) -> Result<(), PasswordError> {
        let _place = self.places.take()?;
        let now = self.ambient.clock.now();
        let mut found = None;
        let looked_up_and_compared = async {
            found = self.store.find(account.unwrap_or(&self.nobody)).await?;
            self.compare(found.as_ref(), typed).await
        };
        let guesses = guesses(address, requester);
        let compared = self.counted(guesses, now, looked_up_and_compared).await;
        let outcome = match &compared {
            Ok(true) => Some(Outcome::PasswordAccepted),
            Ok(false) => Some(Outcome::PasswordRefused(why(account, found.as_ref()))),
            Err(error) => error.refusal().map(Outcome::PasswordRefused),
        };
        self.tell(outcome, account, address, requester, now);
        match (compared?, account, found) {
            (true, Some(account), Some(hash)) => {
                self.refresh(account, &hash, typed).await;
                Ok(())
            }
            _ => Err(PasswordError::Denied),
        }
    }

    /// Sets or changes the account's password, and ends its sessions, all but `change.keep`; the
    /// version that the account is at then.
    ///
    /// Where the account has a password, `change.current` is enough. Without it the person must have
    /// signed in within the last ten minutes, and not by a password. A first password takes any
    /// sign-in of the last ten minutes. A wrong `current` counts as a wrong guess on the address.
    ///
    /// # Errors
    /// [`PasswordError::CurrentWrong`], [`PasswordError::ReauthenticationRequired`],
    /// [`PasswordError::Throttled`] by the rules above; [`PasswordError::AccountChanged`] where the
    /// account is not at `change.under` by then, or `change.keep` is not its live session;
    /// [`PasswordError::Busy`], [`PasswordError::Store`].
    pub async fn change(
        &self,
        change: Change<'_>,
        new: &NewPassword,
        requester: &Requester,
    ) -> Result<AccountVersion, PasswordError> {
        let _place = self.places.take()?;
        let now = self.ambient.clock.now();
        let changed = self.judge_and_change(&change, new, requester, now).await;
        let outcome = match &changed {
            Ok(_) => Some(Outcome::PasswordChanged),
            Err(error) => error.refusal().map(Outcome::PasswordRefused),
        };
        let (account, address) = (Some(change.account), change.address);
        self.tell(outcome, account, address, requester, now);
        changed
    }

    /// Whether the account has a password.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn exists(&self, account: &AccountId) -> StoreResult<bool> {
        Ok(self.store.find(account).await?.is_some())
    }

    /// How many hashes were computed so far, which is where the time goes. Worth a counter.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.hashing.begun()
    }

    async fn judge_and_change(
        &self,
        change: &Change<'_>,
        new: &NewPassword,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<AccountVersion, PasswordError> {
        let stored = self.store.find(change.account).await?;
        let current = match (&stored, change.current) {
            (Some(hash), Some(typed)) => {
                let comparison = self.compare(Some(hash), typed);
                let guesses = guesses(change.address, requester);
                match self.counted(guesses, now, comparison).await? {
                    true => Current::Right,
                    false => Current::Wrong,
                }
            }
            _ => Current::NotGiven,
        };
        let shown = Shown {
            has_password: stored.is_some(),
            current,
            age: now.since(change.authenticated_at),
            by_mailbox_or_provider: change.by_mailbox_or_provider,
        };
        match judge_change(shown, self.policy.fresh_for) {
            Verdict::Allowed => {}
            Verdict::CurrentWrong => return Err(PasswordError::CurrentWrong),
            Verdict::ReauthenticationRequired => {
                return Err(PasswordError::ReauthenticationRequired);
            }
        }
        let hash = self.hash(new.text()).await?;
        let raised = self
            .store
            .replace(change.account, &hash, change.keep, change.under, now)
            .await?;
        match raised {
            Raised::To(version) => Ok(version),
            Raised::Changed => Err(PasswordError::AccountChanged),
        }
    }

    /// Counts a guess, and only then has it compared. A right one is given back, and so is one that
    /// came to nothing.
    async fn counted(
        &self,
        key: LimitKey,
        now: Timestamp,
        comparison: impl Future<Output = Result<bool, PasswordError>>,
    ) -> Result<bool, PasswordError> {
        let rule = self.policy.guesses;
        let guess = Hit::new(key.clone(), rule);
        if let Limited::Refused { retry_after, .. } = self.limiter.hit(&[guess], now).await? {
            return Err(PasswordError::Throttled { retry_after });
        }
        let compared = comparison.await;
        if !matches!(compared, Ok(false)) {
            // One that stays counted costs a guess of the hour, not the sign-in.
            let _ = self.limiter.hit(&[Hit::back(key, rule)], now).await;
        }
        compared
    }

    /// Whether this is the password, at the cost of one hash whatever there is to compare with.
    async fn compare(
        &self,
        stored: Option<&PasswordHash>,
        typed: &TypedPassword,
    ) -> Result<bool, PasswordError> {
        let Some(text) = typed.text() else {
            return Ok(false);
        };
        let read = stored.and_then(Target::read);
        let is_readable = read.is_some();
        let target = read.unwrap_or_else(|| self.decoy.clone());
        let fits = self
            .hashing
            .run(move |memory| target.is_of(&text, memory))
            .await?;
        Ok(fits && is_readable)
    }

    async fn hash(&self, text: Zeroizing<String>) -> Result<PasswordHash, Busy> {
        let salt = hash::fresh_salt(&*self.ambient.random);
        let cost = self.policy.cost;
        self.hashing
            .run(move |memory| hash::make(&text, salt, cost, memory))
            .await
    }

    /// Puts a hash of today's cost in the place of one that was made at another. It is no error if
    /// that fails: the next sign-in will try again.
    async fn refresh(&self, account: &AccountId, stored: &PasswordHash, typed: &TypedPassword) {
        let is_outdated =
            Target::read(stored).is_some_and(|target| !target.is_up_to_date(self.policy.cost));
        if let (true, Some(text)) = (is_outdated, typed.text())
            && let Ok(made) = self.hash(text).await
        {
            let _ = self.store.rehash(account, stored, &made).await;
        }
    }

    fn tell(
        &self,
        outcome: Option<Outcome>,
        account: Option<&AccountId>,
        address: &EmailAddress,
        requester: &Requester,
        at: Timestamp,
    ) {
        if let Some(outcome) = outcome {
            let event = AuthEvent {
                account,
                ..AuthEvent::new(outcome, at).to(address).by(requester)
            };
            self.ambient.events.record(&event);
        }
    }
}

impl From<Busy> for PasswordError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

/// What a guess is counted under. Strangers share an address, wherever they are: each of many networks
/// with guesses of its own would make many. Browsers that are known share theirs, so that strangers cannot
/// use up the owner's.
fn guesses(address: &EmailAddress, requester: &Requester) -> LimitKey {
    match requester.lane(address) {
        lane @ Lane::Known => LimitKey::new("password guess", format_args!("{address} in {lane}")),
        Lane::Network(_) => LimitKey::new("password guess", address),
    }
}

/// Why a password was not right, for the operator.
fn why(account: Option<&AccountId>, found: Option<&PasswordHash>) -> Refusal {
    match (account, found) {
        (None, _) => Refusal::NoAccount,
        (Some(_), None) => Refusal::Unknown,
        (Some(_), Some(hash)) if Target::read(hash).is_none() => Refusal::Malformed,
        (Some(_), Some(_)) => Refusal::Wrong,
    }
}
