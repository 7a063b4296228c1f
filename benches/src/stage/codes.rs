//! Magic codes: a service on a store, and challenges whose codes were read from their mails.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::future::join_all;
use ps_core::{Ambient, ChallengeId, EmailAddress, Mail, MailError, Mailer, Requester};
use ps_magiccode::{CodePolicy, Letter, Letters, MagicCodes, PlainLetters, Purpose, TypedCode};

use super::{
    databases::{Backend, memory},
    sessions::{browser, roots},
};

/// How many are asked for at once.
const TOGETHER: usize = 64;

/// A service whose mails are read instead of sent.
#[derive(Debug)]
pub struct Service {
    codes: MagicCodes,
    read: Arc<Read>,
    asked: AtomicUsize,
    requester: Requester,
}

/// A challenge, and the code that was mailed for it.
#[derive(Debug)]
pub struct Mailed {
    /// The challenge.
    pub challenge: ChallengeId,
    code: TypedCode,
}

impl Service {
    /// On this store; its users are in memory, and there are none.
    #[must_use]
    pub fn new(backend: &Backend) -> Arc<Self> {
        let read = Arc::new(Read::default());
        let codes = MagicCodes::new(
            Arc::clone(&backend.ports.challenges),
            memory().ports.users,
            Arc::new(Nowhere),
            Arc::clone(&read) as Arc<dyn Letters>,
            &roots(),
            CodePolicy::default(),
            Ambient::default(),
        );
        Arc::new(Self {
            codes,
            read,
            asked: AtomicUsize::new(0),
            requester: browser(),
        })
    }

    /// Asks for a code for an address that nobody has asked for.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn request(&self) -> (EmailAddress, ChallengeId) {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let address = EmailAddress::parse(&format!("somebody.{number}@example.com"));
        let address = address.expect("an address");
        let requested = self
            .codes
            .request(&address, Purpose::Register, None, &self.requester)
            .await;
        (address, requested.expect("a code").challenge)
    }

    /// So many codes, mailed and read.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn mailed(&self, how_many: usize) -> Vec<Mailed> {
        let mut all = Vec::with_capacity(how_many);
        while all.len() < how_many {
            let some = TOGETHER.min(how_many - all.len());
            let asked = join_all((0..some).map(|_| self.request())).await;
            self.deliver().await;
            all.extend(asked.into_iter().map(|(address, challenge)| Mailed {
                challenge,
                code: self.read.code_to(&address),
            }));
        }
        all
    }

    /// Types a code: the attempt, the comparison, the spending.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn verify(&self, mailed: &Mailed) {
        let (purpose, from) = (Purpose::Register, &self.requester);
        let claim = self
            .codes
            .claim(&mailed.challenge, None, purpose, from)
            .await;
        let claim = claim.expect("an attempt");
        let proof = self.codes.redeem(claim, &mailed.code, from).await;
        proof.expect("the right code");
    }

    /// Sends what is queued, and drops what asks for it.
    pub async fn deliver(&self) {
        let all_sent = async {
            while self.codes.outbox().unsettled() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = self.codes.run() => {}
            () = all_sent => {}
        }
    }
}

/// Reads each code as it is written into its mail.
#[derive(Debug)]
struct Read {
    letters: PlainLetters,
    codes: Mutex<HashMap<String, TypedCode>>,
}

impl Read {
    fn code_to(&self, address: &EmailAddress) -> TypedCode {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(address.as_str()).expect("a mail with a code")
    }
}

impl Default for Read {
    fn default() -> Self {
        Self {
            letters: PlainLetters::new("Example"),
            codes: Mutex::default(),
        }
    }
}

impl Letters for Read {
    fn compose(&self, letter: &Letter<'_>) -> Mail {
        let code = letter.code.expect("an address that registers gets one");
        let code = TypedCode::parse(code.expose()).expect("a code");
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(letter.to.as_str().to_owned(), code);
        self.letters.compose(letter)
    }
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Mailer for Nowhere {
    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        Ok(())
    }
}
