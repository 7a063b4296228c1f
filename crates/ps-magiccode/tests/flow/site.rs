//! A site that signs people in by code.

use std::{net::IpAddr, sync::Arc, time::Duration};

use ps_core::{
    ChallengeId, EmailAddress, Outcome, Requester, RootSecret, RootSecrets, Users, VerifiedEmail,
};
use ps_magiccode::{
    ChallengeStore, CodeError, CodePolicy, Letters, MagicCodes, PlainLetters, Purpose, Requested,
    TypedCode,
};
use ps_memory::MemoryStore;
use ps_testkit::{Mailbox, TestAmbient};

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) test: TestAmbient,
    pub(crate) memory: MemoryStore,
    pub(crate) store: Arc<dyn ChallengeStore>,
    pub(crate) users: Arc<dyn Users>,
    pub(crate) mailbox: Mailbox,
    pub(crate) codes: Arc<MagicCodes>,
}

impl Default for Site {
    fn default() -> Self {
        Self::new(CodePolicy::default())
    }
}

impl Site {
    pub(crate) fn new(policy: CodePolicy) -> Self {
        let memory = MemoryStore::default();
        let store = Arc::new(memory.clone());
        let users = Arc::new(memory.clone());
        Self::on(memory, store, users, policy)
    }

    pub(crate) fn on(
        memory: MemoryStore,
        store: Arc<dyn ChallengeStore>,
        users: Arc<dyn Users>,
        policy: CodePolicy,
    ) -> Self {
        let (test, mailbox) = (TestAmbient::default(), Mailbox::default());
        let roots = RootSecrets::new([root(1)]).unwrap();
        let codes = Arc::new(MagicCodes::new(
            Arc::clone(&store),
            Arc::clone(&users),
            Arc::new(mailbox.clone()),
            Arc::new(PlainLetters::new("Example")),
            &roots,
            policy,
            test.ambient(),
        ));
        Self {
            test,
            memory,
            store,
            users,
            mailbox,
            codes,
        }
    }

    /// The same site with another service: other letters, and these roots.
    pub(crate) fn redeployed(self, letters: impl Letters, roots: &[u8]) -> Self {
        let roots = roots.iter().map(|first| root(*first));
        let codes = MagicCodes::new(
            Arc::clone(&self.store),
            Arc::clone(&self.users),
            Arc::new(self.mailbox.clone()),
            Arc::new(letters),
            &RootSecrets::new(roots).unwrap(),
            CodePolicy::default(),
            self.test.ambient(),
        );
        Self {
            codes: Arc::new(codes),
            ..self
        }
    }

    /// The same site after a rollout with these roots.
    pub(crate) fn with_roots(&self, roots: &[u8]) -> Self {
        self.clone().redeployed(PlainLetters::new("Example"), roots)
    }

    /// Makes an account for this address.
    pub(crate) fn import(&self, email: &EmailAddress) {
        let now = self.test.ambient().clock.now();
        self.memory.import_user(email, now);
    }

    pub(crate) async fn has_account(&self, email: &EmailAddress) -> bool {
        self.memory.find_by_email(email).await.unwrap().is_some()
    }

    pub(crate) async fn ask(
        &self,
        email: &EmailAddress,
        purpose: Purpose,
        named: Option<&ChallengeId>,
    ) -> Result<Requested, CodeError> {
        self.codes.request(email, purpose, named, &somebody()).await
    }

    /// Asks for a new code, and reads it from the mailbox if one arrives.
    pub(crate) async fn mailed(
        &self,
        email: &EmailAddress,
        purpose: Purpose,
    ) -> (Requested, String) {
        let requested = self.ask(email, purpose, None).await.unwrap();
        self.deliver().await;
        (requested, self.mailbox.code_to(email).unwrap())
    }

    /// Lets the queue be worked off.
    pub(crate) async fn deliver(&self) {
        tokio::select! {
            biased;
            () = self.codes.run() => {}
            () = idle() => {}
        }
    }

    pub(crate) async fn guess(
        &self,
        challenge: &ChallengeId,
        purpose: Purpose,
        text: &str,
    ) -> Result<VerifiedEmail, CodeError> {
        let claim = self
            .codes
            .claim(challenge, None, purpose, &somebody())
            .await?;
        let typed = TypedCode::parse(text).unwrap();
        tokio::task::yield_now().await; // whoever else is guessing claims now
        self.codes.redeem(claim, &typed, &somebody()).await
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.test.clock.advance(Duration::from_millis(millis));
    }

    /// How often this came out since the start.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let outcomes = self.test.events.outcomes();
        outcomes.into_iter().filter(|o| *o == outcome).count()
    }
}

fn root(first: u8) -> RootSecret {
    RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap()
}

/// Long enough for every task that can go on to have gone on.
pub(crate) async fn idle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn address(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

pub(crate) fn somebody() -> Requester {
    Requester::new(IpAddr::from([203, 0, 113, 7]))
}

/// A code of the same length that is not this one.
pub(crate) fn other_than(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    format!("{rest}{}", if last == "0" { '1' } else { '0' })
}
