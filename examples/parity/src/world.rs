//! A whole service on the memory store, its clock and its randomness in our hand.

mod prepared;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    num::NonZero,
    panic,
    sync::Arc,
    time::Duration,
};

use http::{Method, StatusCode};
use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{EmailAddress, Follower, RootSecret, RootSecrets};
use ps_http::{
    Auth, Edge, ForwardedFamily, KnownBrowsers, Notices, Origin, PlainNotices, Route,
    TrustedProxies, json, no_content,
};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_memory::MemoryStore;
use ps_oauth::{Client, GOOGLE, LINKEDIN, Provider, SocialLogins, SocialPolicy};
use ps_password::{PasswordPolicy, Passwords};
use ps_session::{SessionPolicy, Sessions};
use ps_testkit::{
    Mailbox, TestAmbient,
    openid::{FakeProvider, Person, Quirks},
};
use tokio::task::JoinHandle;

/// An id of the right form that nothing has.
pub const MISSING: &str = "0000000000000000000000";

const DEVELOPMENT: &str = "http://127.0.0.1:8080";
const PRODUCTION: &str = "https://app.example.com";
/// Whose pages may call, where any other's may.
const PAGES: &str = "https://pages.example.com";

/// Where the service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Under development, on loopback.
    Development,
    /// Told to end TLS itself, and reached without: every request is plain HTTP.
    Plain,
    /// Ending TLS itself.
    Production,
    /// Behind a proxy that it believes; the pages of another origin may call.
    Proxied,
}

impl Place {
    /// Its usual `Host`.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Self::Development => "127.0.0.1:8080",
            Self::Plain | Self::Production | Self::Proxied => "app.example.com",
        }
    }

    /// What stands in front of the names of its cookies.
    #[must_use]
    pub fn cookie_prefix(self) -> &'static str {
        if self.is_secure() { "__Host-" } else { "" }
    }

    /// Whether a usual request to it counts as TLS.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Production | Self::Proxied)
    }

    /// What every usual request to it carries besides `Host`.
    #[must_use]
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Proxied => &[("x-forwarded-proto", "https")],
            Self::Development | Self::Plain | Self::Production => &[],
        }
    }

    /// Whether the server is told that it ends TLS itself.
    #[must_use]
    pub fn ends_tls(self) -> bool {
        self == Self::Production
    }

    fn edge(self) -> Edge {
        let origin = |text| Origin::parse(text).expect("it is bare");
        let edge = match self {
            Self::Development => Edge::development(origin(DEVELOPMENT)),
            Self::Plain | Self::Production | Self::Proxied => Edge::new(origin(PRODUCTION)),
        };
        let edge = edge.expect("the URL fits the place");
        if self != Self::Proxied {
            return edge;
        }
        let here = "127.0.0.0/8".parse().expect("a network");
        edge.with_trusted_proxies(TrustedProxies::new(ForwardedFamily::XForwarded, [here]))
            .with_allowed_origins([origin(PAGES)])
    }
}

/// One service, and everything that a test prepares or looks up behind its back.
#[derive(Debug)]
pub struct World {
    place: Place,
    auth: Arc<Auth>,
    test: TestAmbient,
    store: Arc<MemoryStore>,
    follower: Arc<Follower>,
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    codes: Arc<MagicCodes>,
    passwords: Arc<Passwords>,
    social: Arc<SocialLogins>,
    mailbox: Mailbox,
    google: FakeProvider,
    linkedin: FakeProvider,
    values: BTreeMap<String, String>,
    running: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl World {
    /// A service with every flow, and what a request may present there, alive and dead.
    ///
    /// Two worlds at the same place are the same to the byte.
    pub async fn new(place: Place) -> Self {
        let mut world = Self::compose(place);
        world.follow().await;
        world.prepare().await;
        world
    }

    fn compose(place: Place) -> Self {
        let test = TestAmbient::default();
        let ambient = test.ambient();
        let (random, clock) = (ambient.random.clone(), ambient.clock.clone());
        let store = Arc::new(MemoryStore::with_random_and_clock(random, clock));
        let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
        let mailbox = Mailbox::default();
        let root = RootSecret::new((0..32).collect::<Vec<u8>>()).expect("it is long enough");
        let roots = RootSecrets::new([root]).expect("it is one");
        let edge = place.edge();
        let site = edge.public_url().to_string();
        let keys = Arc::new(ApiKeys::new(
            store.clone(),
            follower.following(),
            KeyPolicy::default(),
            ambient.clone(),
        ));
        let sessions = Arc::new(Sessions::new(
            store.clone(),
            store.clone(),
            &roots,
            &site,
            follower.following(),
            SessionPolicy::default(),
            ambient.clone(),
        ));
        let codes = Arc::new(MagicCodes::new(
            store.clone(),
            store.clone(),
            Arc::new(mailbox.clone()),
            Arc::new(PlainLetters::new(&site)),
            &roots,
            CodePolicy::default(),
            ambient.clone(),
        ));
        let passwords = Arc::new(Passwords::new(
            store.clone(),
            store.clone(),
            PasswordPolicy::default().with_threads(NonZero::<usize>::MIN),
            ambient.clone(),
        ));
        let (google, google_client) = provider(GOOGLE, Quirks::GOOGLE, &site, &test);
        let (linkedin, linkedin_client) = provider(LINKEDIN, Quirks::LINKEDIN, &site, &test);
        google.add_person(Person::new("ada", "ada@example.com"));
        google.add_person(Person::new("new", "new@gmail.com"));
        linkedin.add_person(Person::new("ada", "ada@example.org"));
        let social = Arc::new(SocialLogins::new(
            [google_client, linkedin_client],
            store.clone(),
            store.clone(),
            store.clone(),
            &roots,
            SocialPolicy::default(),
            ambient.clone(),
        ));
        let notices = Notices::new(
            Arc::new(mailbox.clone()),
            Arc::new(PlainNotices::new(&site)),
            ambient.clone(),
        );
        let browsers = KnownBrowsers::new(&roots, store.clone(), notices.clone());
        let auth = Auth::new(edge, store.clone(), follower.clone(), ambient)
            .with_api_keys(keys.clone())
            .with_sessions(sessions.clone(), store.clone())
            .with_known_browsers(browsers)
            .with_magic_codes(codes.clone(), store.clone(), None)
            .with_passwords(passwords.clone(), store.clone(), notices.clone(), None)
            .with_social_logins(social.clone(), store.clone(), notices, None)
            .with_openapi()
            .with_routes(hosts_own());
        let auth = Arc::new(auth);
        let running = Arc::clone(&auth);
        let running = tokio::spawn(async move { running.run().await });
        Self {
            place,
            auth,
            test,
            store,
            follower,
            keys,
            sessions,
            codes,
            passwords,
            social,
            mailbox,
            google,
            linkedin,
            values: BTreeMap::new(),
            running,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// The service.
    #[must_use]
    pub fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// What stands for `{name}`.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Lets `{name}` stand for something.
    pub fn keep(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// The text with what its placeholders stand for. A name in braces that stands for nothing is
    /// left as it is: bodies have braces of their own.
    #[must_use]
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.iter().position(|byte| *byte == b'{') {
            let (before, from) = rest.split_at(open);
            filled.extend_from_slice(before);
            let close = from.iter().position(|byte| *byte == b'}');
            let name = close.and_then(|close| str::from_utf8(&from[1..close]).ok());
            match name.and_then(|name| Some((name, self.values.get(name)?))) {
                Some((name, value)) => {
                    filled.extend_from_slice(value.as_bytes());
                    rest = &from[name.len() + 2..];
                }
                None => {
                    filled.push(b'{');
                    rest = &from[1..];
                }
            }
        }
        filled.extend_from_slice(rest);
        filled
    }

    /// Moves its clock, and lets it catch up with what happened.
    pub async fn advance(&self, seconds: u64) {
        self.test.clock.advance(Duration::from_secs(seconds));
        self.follow().await;
    }

    async fn follow(&self) {
        let polled = self.follower.poll().await;
        polled.expect("the memory store answers");
    }

    /// Waits until the mails that were asked for are in the mailbox: what their worker does must
    /// not fall into the next request.
    pub async fn settle(&self) {
        while self.codes.outbox().unsettled() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Keeps as `{code}` what the newest mail to this address has.
    ///
    /// # Panics
    /// If there is none.
    pub async fn read_code(&mut self, address: &str) {
        self.settle().await;
        let to = EmailAddress::parse(address).expect("an address");
        let mails = self.mailbox.messages_to(&to);
        let mut codes = mails.iter().rev().filter_map(|mail| {
            let mut runs = mail.text.split(|c: char| !c.is_ascii_digit());
            runs.find(|run| (6..=8).contains(&run.len()))
                .map(str::to_owned)
        });
        let code = codes.next().expect("a mail with a code");
        self.keep("code", code);
    }

    /// Has somebody agree at the provider whose page is `{location}`, and keeps as `{callback}`
    /// where the browser is sent then.
    ///
    /// # Panics
    /// If the provider refuses.
    pub fn approve(&mut self, provider: &str, subject: &str) {
        let provider = if provider == "google" {
            &self.google
        } else {
            &self.linkedin
        };
        let back = provider.approve(self.value("location"), subject);
        let back = back.expect("a page of that provider");
        let site = self.auth.edge().public_url().to_string();
        self.keep("callback", back.strip_prefix(&site).unwrap_or(&back));
    }
}

/// Routes as an application would have of its own.
fn hosts_own() -> [Route; 4] {
    [
        Route::api_key(Method::GET, "/api/v1/scoped", Some("a:b"), |_, _| async {
            Ok(no_content())
        }),
        Route::api_key(
            Method::POST,
            "/api/v1/scoped",
            Some("a:b"),
            |call, _| async move {
                let body: BTreeMap<String, u8> = call.json()?;
                Ok(json(StatusCode::CREATED, &body))
            },
        )
        .with_json(),
        Route::public(Method::POST, "/api/echo", |call| async move {
            Ok(json(StatusCode::OK, &call.body().len()))
        }),
        // As a panic does, without the hook's noise in the test's output.
        Route::public(Method::GET, "/api/panic", |_| async {
            panic::resume_unwind(Box::new("on purpose"))
        }),
    ]
}

/// A provider that stands where the real one does, and our client there.
fn provider(
    provider: Provider,
    quirks: Quirks,
    site: &str,
    test: &TestAmbient,
) -> (FakeProvider, Client) {
    let (name, ambient) = (provider.name(), test.ambient());
    let redirect_uri = format!("{site}/api/auth/social/{name}/callback");
    let fake = FakeProvider::new(provider.issuer().to_owned(), ambient.clock, ambient.random)
        .with_quirks(quirks)
        .with_client("client", "secret", &redirect_uri);
    let http = Arc::new(fake.clone());
    let client = Client::new(provider, "client", "secret", redirect_uri, http);
    (fake, client.expect("its URLs are URLs"))
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
