//! What the provider remembers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ps_core::Timestamp;

use super::{
    Algorithm, Calls, Misbehaviour, OldKeys, Person, Quirks,
    keys::{self, Keys},
};

/// How long a code can be exchanged.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long an access token and an ID token live.
pub(super) const TOKEN_LIFE: Duration = Duration::from_secs(3_600);

#[derive(Default)]
pub(super) struct State {
    pub(super) quirks: Quirks,
    pub(super) algorithm: Algorithm,
    pub(super) clients: Vec<Client>,
    pub(super) people: Vec<Person>,
    /// By code, those that were exchanged too.
    pub(super) grants: HashMap<String, Grant>,
    /// By access token.
    pub(super) tokens: HashMap<String, Access>,
    /// The nonce of the attempt that was approved last.
    pub(super) latest_nonce: Option<String>,
    pub(super) misbehaviour: Option<Misbehaviour>,
    pub(super) calls: Calls,
    /// The generation of keys that signs.
    signing: usize,
    /// Earlier ones that are still in the set, the latest first.
    staying: Vec<usize>,
}

/// A registered client and one of its redirect URIs.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) redirect_uri: String,
}

/// What somebody agreed to.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) subject: String,
    pub(super) nonce: Option<String>,
    /// The nonce of the attempt before.
    pub(super) other_nonce: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) scopes: Scopes,
    pub(super) at: Timestamp,
    /// What it was exchanged for.
    pub(super) access_token: Option<String>,
}

/// What an access token opens.
pub(super) struct Access {
    pub(super) subject: String,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Timestamp,
}

/// Which claims were asked for (OpenID Connect Core §5.4).
#[derive(Clone, Copy)]
pub(super) struct Scopes {
    pub(super) email: bool,
    pub(super) profile: bool,
}

impl State {
    pub(super) fn misbehaves(&self, how: Misbehaviour) -> bool {
        self.misbehaviour == Some(how)
    }

    pub(super) fn person(&self, subject: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.subject == subject)
    }

    pub(super) fn signing_keys(&self) -> Arc<Keys> {
        keys::generation(self.signing)
    }

    /// The keys in the set, those that sign first.
    pub(super) fn published_keys(&self) -> impl Iterator<Item = Arc<Keys>> {
        let generations = [self.signing].into_iter().chain(self.staying.clone());
        generations.map(keys::generation)
    }

    pub(super) fn rotate_keys(&mut self, old: OldKeys) {
        match old {
            OldKeys::Leave => self.staying.clear(),
            OldKeys::Stay => self.staying.insert(0, self.signing),
        }
        self.signing += 1;
    }

    /// Forgets what nobody can use any more. Codes are remembered longer than they live, so that one
    /// that comes again is known for what it is.
    pub(super) fn purge(&mut self, now: Timestamp) {
        self.grants
            .retain(|_, grant| now.since(grant.at) < TOKEN_LIFE);
        self.tokens.retain(|_, access| now < access.expires_at);
    }
}
