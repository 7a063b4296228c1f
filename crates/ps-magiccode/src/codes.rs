//! The service.

use std::{sync::Arc, time::Duration};

use futures_util::future;
use ps_core::{
    Ambient, AuthEvent, ChallengeId, EmailAddress, KeyPurpose, MacKeys, Mailer, Outbox, Outcome,
    Refusal, Requester, RootSecrets, StoreResult, Timestamp, Users, VerifiedEmail,
};

use crate::{
    Challenge, ChallengeStore, Code, CodeError, CodePolicy, Letters, NewChallenge, Placed, Purpose,
    Sends, TypedCode,
    draft::{CodeDraft, Desk},
};

/// How often expired challenges are looked for.
const SWEEP: Duration = Duration::from_secs(600);
const BATCH: u32 = 1_000;

/// Sends codes, and takes them for proof of a mailbox.
///
/// What a request costs and is answered depends on the address's own challenges and mails only:
/// whether there is an account is looked up later, by [`run`](Self::run), where nobody waits.
#[derive(Debug)]
pub struct MagicCodes {
    store: Arc<dyn ChallengeStore>,
    keys: MacKeys,
    policy: CodePolicy,
    ambient: Ambient,
    desk: Arc<Desk>,
    outbox: Outbox,
}

/// What is told to whoever asked for a code, known to the application or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Which challenge the code belongs to. The requester keeps it: nothing else opens the code.
    pub challenge: ChallengeId,
    /// How many digits the code has.
    pub code_length: u8,
    /// How long it is good for from now on.
    pub expires_in: Duration,
    /// When it may be asked for again.
    pub resend_in: Duration,
}

/// One attempt at a code, taken and counted, but not yet compared.
///
/// Dropped, it stays counted as a wrong guess.
#[derive(Debug)]
#[must_use = "the attempt is spent whether it is redeemed or not"]
pub struct Claim(Challenge);

impl Claim {
    /// Whose mailbox the right code would prove: whose account to read before it is compared.
    #[must_use]
    pub fn email(&self) -> &EmailAddress {
        &self.0.email
    }
}

impl MagicCodes {
    /// A service over these ports.
    ///
    /// Its mails are sent by [`run`](Self::run), so spawn that.
    #[must_use]
    pub fn new(
        store: Arc<dyn ChallengeStore>,
        users: Arc<dyn Users>,
        mailer: Arc<dyn Mailer>,
        letters: Arc<dyn Letters>,
        roots: &RootSecrets,
        policy: CodePolicy,
        ambient: Ambient,
    ) -> Self {
        let keys = roots.mac_keys(KeyPurpose::MagicCode);
        let outbox = Outbox::new(mailer, policy.queue, ambient.clone());
        let desk = Desk {
            users,
            letters,
            keys: keys.clone(),
            clock: Arc::clone(&ambient.clock),
        };
        Self {
            store,
            keys,
            policy,
            ambient,
            desk: Arc::new(desk),
            outbox,
        }
    }

    /// Sends a code, or the same code again where `named` is a live challenge of the same address
    /// and purpose. Too soon after its last mail the answer is the same and no mail is sent.
    ///
    /// The mail is queued, not awaited; where the queue is full it is dropped, and the answer stays
    /// the same.
    ///
    /// # Errors
    /// [`CodeError::Throttled`] where the address has had its mails in the requester's
    /// [lane](Requester::lane), [`CodeError::Store`].
    pub async fn request(
        &self,
        email: &EmailAddress,
        purpose: Purpose,
        named: Option<&ChallengeId>,
        requester: &Requester,
    ) -> Result<Requested, CodeError> {
        let now = self.ambient.clock.now();
        let sends = self.policy.sends.in_lane(requester.lane(email));
        let again = match named {
            Some(id) => self.resend(id, email, purpose, &sends, now).await?,
            None => None,
        };
        let placed = match again {
            Some(placed) => placed,
            None => self.place(email, purpose, &sends, now).await?,
        };
        let (challenge, resend_in) = match placed {
            Placed::NotYet {
                challenge,
                resend_in,
            } => (challenge, resend_in),
            Placed::Send(challenge) => {
                let outcome = self.queue(&challenge, requester, now);
                self.tell(outcome, email, requester, now);
                (challenge, self.policy.resend.pause)
            }
            Placed::Spent { rule, retry_after } => {
                let outcome = Outcome::CodeRefused(Refusal::Throttled);
                self.tell(outcome, email, requester, now);
                return Err(CodeError::Throttled { rule, retry_after });
            }
        };
        Ok(Requested {
            challenge: challenge.id,
            code_length: challenge.digits,
            expires_in: challenge.expires_at.since(now),
            resend_in,
        })
    }

    /// The first step of taking a code: takes one of the challenge's attempts, before anything is
    /// compared. `email` need not be given; if it is, it must be the challenge's.
    ///
    /// A proof that is to open an account reads the account's standing between the two steps.
    ///
    /// # Errors
    /// [`CodeError::Denied`] where there is no such attempt to take, [`CodeError::Store`].
    pub async fn claim(
        &self,
        challenge: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        requester: &Requester,
    ) -> Result<Claim, CodeError> {
        let now = self.ambient.clock.now();
        let claimed = self
            .store
            .claim_attempt(challenge, email, purpose, now)
            .await?;
        claimed.map(Claim).ok_or_else(|| {
            let outcome = Outcome::CodeRefused(Refusal::Unknown);
            let event = AuthEvent {
                address: email,
                ..AuthEvent::new(outcome, now).by(requester)
            };
            self.ambient.events.record(&event);
            CodeError::Denied
        })
    }

    /// The second step: compares, and spends the challenge. Of any number of right codes at once
    /// exactly one is taken.
    ///
    /// # Errors
    /// [`CodeError::Denied`] for a wrong code, and for a right one that is spent or expired by now;
    /// [`CodeError::Store`].
    pub async fn redeem(
        &self,
        claim: Claim,
        code: &TypedCode,
        requester: &Requester,
    ) -> Result<VerifiedEmail, CodeError> {
        let now = self.ambient.clock.now();
        let Claim(challenge) = claim;
        match self.judge(&challenge, code, now).await? {
            Some(refusal) => {
                let outcome = Outcome::CodeRefused(refusal);
                self.tell(outcome, &challenge.email, requester, now);
                Err(CodeError::Denied)
            }
            None => {
                self.tell(Outcome::CodeAccepted, &challenge.email, requester, now);
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the code was right, and this call alone has spent it"
                )]
                let proof = VerifiedEmail::danger_proven(challenge.email, now);
                Ok(proof)
            }
        }
    }

    /// Sends what is queued and forgets what has long expired. It never returns; spawn it once, on
    /// any runtime.
    ///
    /// Dropped and run again it goes on with the queue; of what was being sent at that moment nobody
    /// knows, which costs its requester a resend at most. A second one at a time waits for the first
    /// to be dropped.
    pub async fn run(&self) {
        future::join(self.outbox.run(), self.sweep()).await;
    }

    /// The queue of its mails: worth a gauge, and worth [settling](Outbox::settle) before the process
    /// ends.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// `None` where there is nothing to send again: the code's root may be out of force by now, and
    /// then nobody can derive it any more.
    async fn resend(
        &self,
        id: &ChallengeId,
        email: &EmailAddress,
        purpose: Purpose,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Option<Placed>> {
        let placed = self
            .store
            .resend(id, email, purpose, &self.policy.resend, sends, now)
            .await?;
        Ok(placed.filter(|placed| match placed {
            Placed::NotYet { challenge, .. } | Placed::Send(challenge) => {
                self.keys.find(challenge.key_version).is_some()
            }
            Placed::Spent { .. } => true,
        }))
    }

    async fn place(
        &self,
        email: &EmailAddress,
        purpose: Purpose,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed> {
        let policy = &self.policy;
        let new = NewChallenge {
            id: ChallengeId::random(&*self.ambient.random),
            purpose,
            email: email.clone(),
            key_version: self.keys.current().0,
            attempts: policy.attempts,
            expires_at: now.plus(policy.life),
        };
        self.store.place(&new, &policy.exposure, sends, now).await
    }

    fn queue(&self, challenge: &Challenge, requester: &Requester, now: Timestamp) -> Outcome {
        let queued = self.outbox.put(CodeDraft {
            desk: Arc::clone(&self.desk),
            challenge: challenge.clone(),
            requester: requester.clone(),
            requested_at: now,
            too_late: challenge.expires_at.minus(self.policy.resend.life_left),
        });
        if queued {
            Outcome::CodeRequested
        } else {
            Outcome::MailDropped
        }
    }

    /// Why the code is refused; `None` if it was right and this call has spent it.
    async fn judge(
        &self,
        challenge: &Challenge,
        typed: &TypedCode,
        now: Timestamp,
    ) -> StoreResult<Option<Refusal>> {
        let Some(code) = Code::derive(&self.keys, challenge) else {
            return Ok(Some(Refusal::Unknown));
        };
        if !code.is(typed) {
            return Ok(Some(Refusal::Wrong));
        }
        if self.store.consume(&challenge.id, now).await? {
            return Ok(None);
        }
        let alive = now < challenge.expires_at;
        let refusal = if alive {
            Refusal::Spent
        } else {
            Refusal::Expired
        };
        Ok(Some(refusal))
    }

    /// Looks one sweep ahead, so that nothing outlives its time by the wait for the next sweep.
    async fn sweep(&self) {
        let clock = &self.ambient.clock;
        let age = self.policy.forgotten_after.saturating_sub(SWEEP);
        loop {
            let before = clock.now().minus(age);
            // A store that cannot answer is asked again at the next sweep.
            while let Ok(BATCH..) = self.store.purge(before, BATCH).await {}
            clock.sleep(SWEEP).await;
        }
    }

    fn tell(&self, outcome: Outcome, email: &EmailAddress, requester: &Requester, at: Timestamp) {
        let event = AuthEvent::new(outcome, at).to(email).by(requester);
        self.ambient.events.record(&event);
    }
}
