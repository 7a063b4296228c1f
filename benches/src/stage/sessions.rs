//! Sessions: a service on a store, and people who have signed in.

use std::sync::Arc;

use ps_core::{
    AccountId, Ambient, EmailAddress, Follower, Raised, Requester, RootSecret, RootSecrets,
    SystemClock, Timestamp, VerifiedEmail,
};
use ps_memory::MemoryStore;
use ps_session::{Method, OpenSession, SessionPolicy, Sessions};

use super::databases::Ports;

/// The issuer and the audience of every access token here.
pub const ISSUER: &str = "https://app.example";

/// A service, and the follower without which it trusts nothing that it remembers.
#[derive(Debug)]
pub struct Service {
    /// The service.
    pub sessions: Sessions,
    follower: Follower,
    ports: Ports,
}

impl Service {
    /// On these ports. Every one that is made here has the same keys.
    #[must_use]
    pub fn new(ports: &Ports) -> Self {
        let (feed, ambient) = (Arc::new(MemoryStore::new()), Ambient::default());
        let follower = Follower::new(feed, Arc::new(SystemClock));
        let sessions = Sessions::new(
            Arc::clone(&ports.sessions),
            Arc::clone(&ports.accounts),
            &roots(),
            ISSUER,
            follower.following(),
            SessionPolicy::default(),
            ambient,
        );
        Self {
            sessions,
            follower,
            ports: ports.clone(),
        }
    }

    /// Follows the feed, which is empty. Trust lasts for five seconds.
    ///
    /// # Panics
    /// Where memory fails.
    pub async fn keep_trusting(&self) {
        self.follower.poll().await.expect("memory answers");
    }

    /// Signs this account in, whose mailbox is proven.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn sign_in(&self, account: &AccountId) -> OpenSession {
        let accounts = &self.ports.accounts;
        let standing = accounts.standing(account).await.expect("the store answers");
        let under = match standing.proven_at {
            Some(_) => standing.version,
            None => {
                let now = Timestamp::from_millis(0);
                let claimed = accounts
                    .claim(account, &proof(), standing.version, now)
                    .await;
                match claimed.expect("the store answers") {
                    Raised::To(version) => version,
                    Raised::Changed => panic!("nobody else changes it"),
                }
            }
        };
        let method = Method::MagicCode;
        let opened = self
            .sessions
            .open(account, under, method, None, &browser())
            .await;
        opened.expect("a session")
    }
}

/// The root that every key is derived from.
///
/// # Panics
/// Never: the bytes differ.
#[must_use]
pub fn roots() -> RootSecrets {
    let root = RootSecret::new((1..33).collect::<Vec<u8>>()).expect("32 bytes that differ");
    RootSecrets::new([root]).expect("one root")
}

/// Who signs in.
#[must_use]
pub fn browser() -> Requester {
    Requester::new([203, 0, 113, 7].into()).with_user_agent("Browser/1.0")
}

#[expect(clippy::disallowed_methods, reason = "here the benchmark is the proof")]
fn proof() -> VerifiedEmail {
    let address = EmailAddress::parse("alice@example.com").expect("an address");
    VerifiedEmail::danger_proven(address, Timestamp::from_millis(0))
}
