//! Sessions as a service.

mod caller;
mod ending;
mod once;
mod rotation;

use std::{sync::Arc, time::Duration};

use ps_core::{
    AccountId, AccountVersion, Accounts, Ambient, AuthEvent, Change, FollowChanges, Following,
    Network, Outcome, Refusal, Requester, RootSecrets, SessionId, Standing, StoreError, Timestamp,
};

use crate::{
    AccessToken, Method, RefreshToken, SessionError, SessionPolicy, SessionRecord, SessionStore,
    access::AccessTokens, ended::EndedSessions, refresh::RefreshTokens,
};

pub use self::once::Once;

/// How often a row is read again that moved between two looks at it.
const ATTEMPTS: u32 = 3;
/// How often sessions that are over are forgotten, how long after, and how many at once.
const SWEEP: Duration = Duration::from_secs(600);
const KEPT: Duration = Duration::from_secs(24 * 3_600);
const BATCH: u32 = 1_000;

/// Gives sessions to those who have shown who they are, and carries them on.
///
/// Share it in an [`Arc`]; let a [`Follower`](ps_core::Follower) feed it what other nodes end.
#[derive(Debug)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    accounts: Arc<dyn Accounts>,
    access: AccessTokens,
    refresh: RefreshTokens,
    ended: EndedSessions,
    following: Following,
    policy: SessionPolicy,
    ambient: Ambient,
}

/// A session, and the two tokens that its client is given now.
#[derive(Debug)]
pub struct OpenSession {
    /// The session as it is stored.
    pub record: SessionRecord,
    /// What opens its endpoints.
    pub access: AccessToken,
    /// For how long it does, to the second.
    pub access_expires_in: Duration,
    /// What carries it on.
    pub refresh: RefreshToken,
}

impl Sessions {
    /// Sessions kept in `store`, under keys derived from `roots`.
    ///
    /// `issuer` is the public URL; it is the issuer and the audience of every access token.
    /// `following` is shared with the follower that this service is fed by; while that is not
    /// trusted, every check asks the store.
    #[must_use]
    pub fn new(
        store: Arc<dyn SessionStore>,
        accounts: Arc<dyn Accounts>,
        roots: &RootSecrets,
        issuer: impl Into<String>,
        following: Following,
        policy: SessionPolicy,
        ambient: Ambient,
    ) -> Self {
        Self {
            store,
            accounts,
            access: AccessTokens::new(roots, issuer.into(), policy.leeway),
            refresh: RefreshTokens::new(roots),
            ended: EndedSessions::default(),
            following,
            policy,
            ambient,
        }
    }

    /// Opens a session for an account that has just shown who it is by `method`, and ends the one
    /// that the same browser had, whosesoever it was.
    ///
    /// `under` is the account's version as it was read *before* the proof was checked.
    ///
    /// # Errors
    /// [`SessionError::AccountChanged`] if the account is at another version by now;
    /// [`SessionError::Denied`] if it is disabled or its mailbox unproven.
    pub async fn open(
        &self,
        account: &AccountId,
        under: AccountVersion,
        method: Method,
        replaces: Option<&RefreshToken>,
        requester: &Requester,
    ) -> Result<OpenSession, SessionError> {
        let now = self.ambient.clock.now();
        self.require_fit(account, under, requester, now).await?;
        let token = self.refresh.first(&*self.ambient.random);
        let record = self.record(account, under, method, &token, requester, now);
        let replaced = replaces.map(RefreshToken::family);
        match self
            .insert(&record, replaced.as_ref(), requester, now)
            .await?
        {
            Some(_) => Err(StoreError::new("a family drawn at random exists").into()),
            None => Ok(self.answer(record, token, now)),
        }
    }

    /// The account's live sessions, the one refreshed last first.
    ///
    /// # Errors
    /// What the store said.
    pub async fn list(&self, account: &AccountId) -> Result<Vec<SessionRecord>, SessionError> {
        let now = self.ambient.clock.now();
        Ok(self.store.list(account, now).await?)
    }

    /// Forgets sessions that have been over for a day, for ever: in batches, every ten minutes. Run it
    /// once; where it does not run, rows are kept.
    pub async fn run(&self) {
        loop {
            self.ambient.clock.sleep(SWEEP).await;
            let before = self.ambient.clock.now().minus(KEPT);
            // A sweep that fails is made up for by the next.
            while let Ok(BATCH) = self.store.purge(before, BATCH).await {}
        }
    }

    /// The public keys of the access tokens, one of each root, as a JSON document (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> &str {
        self.access.jwks()
    }
}

/// What the operations have in common.
impl Sessions {
    /// The store sees to the version; that the mailbox is proven is seen to here, and no account
    /// loses that without another version.
    async fn require_fit(
        &self,
        account: &AccountId,
        under: AccountVersion,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        let standing = self.accounts.standing(account).await?;
        if standing.version != under {
            return Err(self.changed(account, requester, now));
        }
        match unfit(&standing) {
            Some(why) => Err(self.refused(why, Some(account), Some(requester), now)),
            None => Ok(()),
        }
    }

    /// A session as it begins.
    fn record(
        &self,
        account: &AccountId,
        version: AccountVersion,
        method: Method,
        token: &RefreshToken,
        requester: &Requester,
        now: Timestamp,
    ) -> SessionRecord {
        SessionRecord {
            id: SessionId::random(&*self.ambient.random),
            account: account.clone(),
            version,
            family: token.family(),
            generation: token.generation(),
            rotation_key: None,
            rotation_key_before: None,
            method,
            authenticated_at: now,
            refreshed_at: now,
            idle_ends_at: now.plus(self.policy.idle_life),
            ends_at: now.plus(self.policy.absolute_life),
            ended_at: None,
            network: Network::coarse(requester.address).to_string(),
            user_agent: requester.user_agent.clone(),
        }
    }

    fn answer(&self, record: SessionRecord, refresh: RefreshToken, now: Timestamp) -> OpenSession {
        let (life, random) = (self.policy.access_life, &*self.ambient.random);
        let (access, access_expires_in) = self.access.issue(&record, life, random, now);
        OpenSession {
            record,
            access,
            access_expires_in,
            refresh,
        }
    }

    fn changed(&self, account: &AccountId, requester: &Requester, now: Timestamp) -> SessionError {
        self.refused(Refusal::AccountChanged, Some(account), Some(requester), now);
        SessionError::AccountChanged
    }

    fn refused(
        &self,
        why: Refusal,
        account: Option<&AccountId>,
        requester: Option<&Requester>,
        now: Timestamp,
    ) -> SessionError {
        self.tell(Outcome::SessionRefused(why), account, requester, now);
        SessionError::Denied
    }

    fn tell(
        &self,
        outcome: Outcome,
        account: Option<&AccountId>,
        requester: Option<&Requester>,
        now: Timestamp,
    ) {
        self.ambient.events.record(&AuthEvent {
            account,
            requester,
            ..AuthEvent::new(outcome, now)
        });
    }
}

/// Why an account gets no session, if it gets none.
fn unfit(standing: &Standing) -> Option<Refusal> {
    if standing.disabled_at.is_some() {
        Some(Refusal::AccountDisabled)
    } else if standing.proven_at.is_none() {
        Some(Refusal::Unproven)
    } else {
        None
    }
}

impl FollowChanges for Sessions {
    fn apply(&self, change: Change, now: Timestamp) {
        if let Change::Session(id) = change {
            self.ended.note(id, now);
        }
    }

    /// Forgets nothing: that a session ended is true for good, and what a verified token says is
    /// judged each time. What ended unheard is told by the follower before it is trusted again.
    fn forget(&self) {}
}
