//! A site on a store in memory, two providers that stand in for the real ones, and a browser.

#![allow(dead_code, unreachable_pub)] // each suite uses some of it

use std::{sync::Arc, time::Duration};

use ps_core::{
    AccountId, Accounts, Clock, EmailAddress, Outcome, Raised, Requester, RootSecret, RootSecrets,
    Standing, Timestamp, User, Users,
};
use ps_memory::MemoryStore;
use ps_oauth::{
    Callback, CallbackError, Client, GOOGLE, IdentityStore, Intent, LINKEDIN, Profile, Provider,
    Removed, ReturnTo, SocialError, SocialLogins, SocialPolicy, UnlinkError, Weighed,
};
use ps_testkit::{
    TestAmbient,
    openid::{FakeProvider, Person, Quirks},
};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const MILLISECOND: Duration = Duration::from_millis(1);
/// A provider that is none of the two: by the standards, with `iss` in callbacks, by discovery.
pub const OTHER: &str = "https://id.example";

pub struct Site {
    pub google: FakeProvider,
    pub linkedin: FakeProvider,
    pub other: FakeProvider,
    pub store: MemoryStore,
    pub around: TestAmbient,
    pub logins: SocialLogins,
}

impl Site {
    pub fn new() -> Self {
        Self::with(SocialPolicy::default(), |store| Arc::new(store.clone()))
    }

    /// On a store that may be disturbed.
    pub fn with(
        policy: SocialPolicy,
        disturb: impl FnOnce(&MemoryStore) -> Arc<dyn IdentityStore>,
    ) -> Self {
        let around = TestAmbient::default();
        let fake = |issuer, quirks, name| {
            let (clock, random) = (around.clock.clone(), around.random.clone());
            FakeProvider::new(issuer, Arc::new(clock), Arc::new(random))
                .with_quirks(quirks)
                .with_client(client_id(name), "s3cret", redirect_uri(name))
        };
        let google = fake("https://accounts.google.com", Quirks::GOOGLE, "google");
        let linkedin = fake(
            "https://www.linkedin.com/oauth",
            Quirks::LINKEDIN,
            "linkedin",
        );
        let other = fake(OTHER, Quirks::NONE, "other");
        let store = MemoryStore::default();
        let clients = [
            client(GOOGLE, &google),
            client(LINKEDIN, &linkedin),
            client(Provider::openid("other", "Other", OTHER), &other),
        ];
        let logins = SocialLogins::new(
            clients,
            disturb(&store),
            Arc::new(store.clone()),
            Arc::new(store.clone()),
            &roots([1]),
            policy,
            around.ambient(),
        );
        Self {
            google,
            linkedin,
            other,
            store,
            around,
            logins,
        }
    }

    /// The same site on a node with other root secrets and these providers only.
    pub fn node(
        &self,
        roots: &RootSecrets,
        clients: impl IntoIterator<Item = Client>,
    ) -> SocialLogins {
        SocialLogins::new(
            clients,
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            roots,
            SocialPolicy::default(),
            self.around.ambient(),
        )
    }

    pub fn now(&self) -> Timestamp {
        self.around.clock.now()
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.around.events.take()
    }

    pub fn fake(&self, provider: &str) -> &FakeProvider {
        match provider {
            "google" => &self.google,
            "linkedin" => &self.linkedin,
            _ => &self.other,
        }
    }

    /// How often any provider was asked for anything.
    pub fn outbound(&self) -> u32 {
        let total = |fake: &FakeProvider| {
            let calls = fake.calls();
            calls.discovery + calls.jwks + calls.token + calls.userinfo + calls.elsewhere
        };
        total(&self.google) + total(&self.linkedin) + total(&self.other)
    }

    /// Goes to the provider and agrees there as this person.
    pub async fn go(&self, provider: &str, person: &Person, intent: Intent) -> Trip {
        let fake = self.fake(provider);
        fake.add_person(person.clone());
        let begun = self
            .logins
            .begin(provider, intent, path("/settings"))
            .await
            .unwrap();
        let callback = fake.approve(&begun.authorize_url, &person.subject).unwrap();
        Trip {
            provider: provider.to_owned(),
            cookie: begun.cookie.expose().to_owned(),
            query: callback.split_once('?').unwrap().1.to_owned(),
        }
    }

    /// Goes there, comes back, and is who the provider says.
    pub async fn profile(&self, provider: &str, person: &Person) -> Profile {
        let trip = self.go(provider, person, sign_in()).await;
        self.complete(&trip).await.unwrap()
    }

    pub fn read(&self, trip: &Trip) -> Result<Callback, CallbackError> {
        let cookie = Some(trip.cookie.as_str());
        self.logins
            .read(&trip.provider, cookie, &trip.query, &browser())
    }

    pub async fn complete(&self, trip: &Trip) -> Result<Profile, SocialError> {
        let callback = self.read(trip).unwrap();
        self.logins.complete(&callback, &browser()).await
    }

    pub async fn weigh(&self, profile: &Profile) -> Weighed {
        self.logins.weigh(profile, &browser()).await.unwrap()
    }

    /// Signs in as a host would; the account, if it comes to that.
    pub async fn sign_in(&self, profile: &Profile) -> Option<AccountId> {
        let (user, proof, version) = match self.weigh(profile).await {
            Weighed::SignIn(holder) => return Some(holder.user.id),
            Weighed::Link(holder) => (holder.user, None, holder.standing.version),
            Weighed::ClaimThenLink(holder, proof) => {
                (holder.user, Some(proof), holder.standing.version)
            }
            Weighed::Register(proof) => {
                let user = self.store.register(&proof, self.now()).await.unwrap();
                let user = user.into_user();
                let version = self.standing(&user.id).await.version;
                (user, Some(proof), version)
            }
            _ => return None,
        };
        let version = match proof {
            None => version,
            Some(proof) => {
                let now = self.now();
                let claimed = self.store.claim(&user.id, &proof, version, now).await;
                let Raised::To(version) = claimed.unwrap() else {
                    return None;
                };
                version
            }
        };
        let (stays, browser) = (Removed::Stays, browser());
        let linked = self
            .logins
            .link(&user.id, profile, stays, version, &browser);
        linked.await.is_ok().then_some(user.id)
    }

    /// A user whose mailbox was never proven.
    pub fn unproven(&self, address: &str) -> User {
        let address = EmailAddress::parse(address).unwrap();
        self.store.import_user(&address, self.now())
    }

    /// A user whose mailbox is proven.
    pub async fn proven(&self, address: &str) -> User {
        let user = self.unproven(address);
        let version = self.standing(&user.id).await.version;
        let proof = proof(address);
        let claimed = self.store.claim(&user.id, &proof, version, self.now());
        assert!(matches!(claimed.await.unwrap(), Raised::To(_)));
        user
    }

    pub async fn standing(&self, account: &AccountId) -> Standing {
        self.store.standing(account).await.unwrap()
    }

    /// Links from the settings.
    pub async fn link(&self, account: &AccountId, profile: &Profile) -> Result<bool, SocialError> {
        let under = self.standing(account).await.version;
        let (lifted, browser) = (Removed::IsLifted, browser());
        self.logins
            .link(account, profile, lifted, under, &browser)
            .await
    }

    /// Unlinks in the settings.
    pub async fn unlink(
        &self,
        account: &AccountId,
        provider: &str,
        has_password: bool,
    ) -> Result<(), UnlinkError> {
        let under = self.standing(account).await.version;
        let browser = browser();
        self.logins
            .unlink(account, provider, has_password, under, &browser)
            .await
    }
}

/// What a browser brings back.
#[derive(Clone, Debug)]
pub struct Trip {
    pub provider: String,
    pub cookie: String,
    pub query: String,
}

impl Trip {
    /// The same trip, with something more in the query.
    pub fn plus(&self, more: &str) -> Self {
        Self {
            query: format!("{}{more}", self.query),
            ..self.clone()
        }
    }

    /// What the query says under this name, still encoded.
    pub fn says(&self, name: &str) -> &str {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find_map(|(key, value)| (key == name).then_some(value))
            .unwrap()
    }
}

pub fn client(provider: Provider, fake: &FakeProvider) -> Client {
    let (id, redirect) = (client_id(provider.name()), redirect_uri(provider.name()));
    Client::new(provider, id, "s3cret", redirect, Arc::new(fake.clone())).unwrap()
}

fn client_id(name: &str) -> String {
    format!("client-at-{name}")
}

fn redirect_uri(name: &str) -> String {
    format!("https://app.example/api/auth/social/{name}/callback")
}

pub fn roots<const N: usize>(first: [u8; N]) -> RootSecrets {
    let root = |first: u8| RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap();
    RootSecrets::new(first.map(root)).unwrap()
}

pub fn browser() -> Requester {
    Requester::new([203, 0, 113, 7].into())
}

pub fn sign_in() -> Intent {
    Intent::SignIn {
        replaces: None,
        carries: None,
    }
}

pub fn path(text: &str) -> ReturnTo {
    ReturnTo::parse(text).unwrap()
}

/// Alice, whose mailbox Google runs.
pub fn alice() -> Person {
    Person::new("1001", "alice@gmail.com")
}

#[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
pub fn proof(address: &str) -> ps_core::VerifiedEmail {
    let address = EmailAddress::parse(address).unwrap();
    ps_core::VerifiedEmail::danger_proven(address, Timestamp::from_millis(0))
}
