//! Ports that tell what they are asked, and that can break.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use ps_core::{
    AccountId, ChallengeId, EmailAddress, Registered, StoreError, StoreResult, Timestamp, User,
    Users, VerifiedEmail,
};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, Sends,
};
use ps_memory::MemoryStore;

#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) memory: MemoryStore,
    calls: Arc<Mutex<Vec<&'static str>>>,
    broken: Arc<AtomicBool>,
}

impl Watched {
    /// What was asked since this was last called.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(crate) fn breaks(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    fn note(&self, call: &'static str) -> StoreResult<()> {
        self.calls.lock().unwrap().push(call);
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::new("the disk is on fire"));
        }
        Ok(())
    }
}

#[async_trait]
impl ChallengeStore for Watched {
    async fn place(
        &self,
        new: &NewChallenge,
        exposure: &Exposure,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed> {
        self.note("place")?;
        self.memory.place(new, exposure, sends, now).await
    }

    async fn resend(
        &self,
        id: &ChallengeId,
        email: &EmailAddress,
        purpose: Purpose,
        rule: &ResendRule,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Option<Placed>> {
        self.note("resend")?;
        self.memory
            .resend(id, email, purpose, rule, sends, now)
            .await
    }

    async fn claim_attempt(
        &self,
        id: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Challenge>> {
        self.note("claim_attempt")?;
        self.memory.claim_attempt(id, email, purpose, now).await
    }

    async fn consume(&self, id: &ChallengeId, now: Timestamp) -> StoreResult<bool> {
        self.note("consume")?;
        self.memory.consume(id, now).await
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        self.note("purge")?;
        self.memory.purge(before, at_most).await
    }
}

#[async_trait]
impl Users for Watched {
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>> {
        self.note("find")?;
        self.memory.find(id).await
    }

    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>> {
        self.note("find_by_email")?;
        self.memory.find_by_email(email).await
    }

    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered> {
        self.note("register")?;
        self.memory.register(proof, now).await
    }
}
