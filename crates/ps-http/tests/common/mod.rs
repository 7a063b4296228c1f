//! A whole service on the memory store, and clients with cookie jars that talk to it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

mod document;
pub mod faulty;
pub mod schema;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use faulty::Faulty;
use http::{HeaderMap, Method, Request, StatusCode, header};
use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{EmailAddress, Follower, RootSecret, RootSecrets};
use ps_http::{
    Auth, Connection, Edge, KnownBrowsers, NetworkLimits, Notices, Origin, PlainNotices, Route,
    no_content,
};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_memory::MemoryStore;
use ps_oauth::{Client as SocialClient, GOOGLE, LINKEDIN, Provider, SocialLogins, SocialPolicy};
use ps_password::{PasswordPolicy, Passwords};
use ps_session::{SessionPolicy, Sessions};
use ps_testkit::{
    Mailbox, TestAmbient,
    openid::{FakeProvider, Quirks},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub const DEVELOPMENT: &str = "http://127.0.0.1:8080";
pub const PRODUCTION: &str = "https://app.example.com";

pub struct World {
    pub auth: Arc<Auth>,
    pub test: TestAmbient,
    pub mailbox: Mailbox,
    pub store: Arc<MemoryStore>,
    /// What stands before that store; sound unless a test says otherwise.
    pub faulty: Arc<Faulty>,
    pub follower: Arc<Follower>,
    pub google: FakeProvider,
    pub linkedin: FakeProvider,
    pub passwords: Arc<Passwords>,
    /// What the OpenAPI document says.
    pub document: Value,
    running: JoinHandle<()>,
}

/// Time passes while this is held.
pub struct Passing(JoinHandle<()>);

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl World {
    pub async fn development() -> Arc<Self> {
        let origin = Origin::parse(DEVELOPMENT).unwrap();
        Self::with(Edge::development(origin).unwrap(), false).await
    }

    pub async fn production() -> Arc<Self> {
        Self::with(
            Edge::new(Origin::parse(PRODUCTION).unwrap()).unwrap(),
            false,
        )
        .await
    }

    pub async fn limited() -> Arc<Self> {
        let origin = Origin::parse(DEVELOPMENT).unwrap();
        Self::with(Edge::development(origin).unwrap(), true).await
    }

    /// In development, with `auth` as `compose` makes it of the usual.
    pub async fn development_with(compose: impl FnOnce(Auth) -> Auth) -> Arc<Self> {
        let edge = Edge::development(Origin::parse(DEVELOPMENT).unwrap()).unwrap();
        Self::composed(edge, false, compose).await
    }

    pub async fn with(edge: Edge, limited: bool) -> Arc<Self> {
        Self::composed(edge, limited, |auth| auth).await
    }

    async fn composed(edge: Edge, limited: bool, compose: impl FnOnce(Auth) -> Auth) -> Arc<Self> {
        let test = TestAmbient::default();
        let ambient = test.ambient();
        let random = Arc::clone(&ambient.random);
        let clock = Arc::clone(&ambient.clock);
        let memory = MemoryStore::with_random_and_clock(random, clock);
        let store = Arc::new(Faulty::new(memory.clone()));
        let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
        let mailbox = Mailbox::default();
        let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
        let roots = RootSecrets::new([root]).unwrap();
        let site = edge.public_url().to_string();
        let keys = ApiKeys::new(
            store.clone(),
            follower.following(),
            KeyPolicy::default(),
            ambient.clone(),
        );
        let sessions = Sessions::new(
            store.clone(),
            store.clone(),
            &roots,
            &site,
            follower.following(),
            SessionPolicy::default(),
            ambient.clone(),
        );
        let codes = MagicCodes::new(
            store.clone(),
            store.clone(),
            Arc::new(mailbox.clone()),
            Arc::new(PlainLetters::new(&site)),
            &roots,
            CodePolicy::default(),
            ambient.clone(),
        );
        let passwords = Arc::new(Passwords::new(
            store.clone(),
            store.clone(),
            PasswordPolicy::default().with_threads(std::num::NonZero::<usize>::MIN),
            ambient.clone(),
        ));
        let (google, google_client) = provider(GOOGLE, Quirks::GOOGLE, &site, &test);
        let (linkedin, linkedin_client) = provider(LINKEDIN, Quirks::LINKEDIN, &site, &test);
        let social = SocialLogins::new(
            [google_client, linkedin_client],
            store.clone(),
            store.clone(),
            store.clone(),
            &roots,
            SocialPolicy::default(),
            ambient.clone(),
        );
        let notices = Notices::new(
            Arc::new(mailbox.clone()),
            Arc::new(PlainNotices::new(&site)),
            ambient.clone(),
        );
        let browsers = KnownBrowsers::new(&roots, store.clone(), notices.clone());
        let limits = limited.then(|| NetworkLimits::new(store.clone()));
        let auth = Auth::new(edge, store.clone(), follower.clone(), ambient)
            .with_api_keys(Arc::new(keys))
            .with_sessions(Arc::new(sessions), store.clone())
            .with_known_browsers(browsers)
            .with_magic_codes(Arc::new(codes), store.clone(), limits.clone())
            .with_passwords(
                Arc::clone(&passwords),
                store.clone(),
                notices.clone(),
                limits.clone(),
            )
            .with_social_logins(Arc::new(social), store.clone(), notices, limits)
            .with_routes([
                Route::api_key(Method::GET, "/api/v1/scoped", Some("a:b"), |_, _| async {
                    Ok(no_content())
                }),
                Route::api_key(
                    Method::POST,
                    "/api/v1/scoped",
                    Some("a:b"),
                    |call, _| async move {
                        call.json::<BTreeMap<String, u8>>()?;
                        Ok(no_content())
                    },
                )
                .with_json(),
                Route::public(Method::GET, "/api/panic", |_| async {
                    panic!("on purpose")
                }),
            ])
            .with_openapi();
        let document = serde_json::from_str(&auth.openapi()).unwrap();
        let auth = Arc::new(compose(auth));
        follower.poll().await.unwrap();
        let running = tokio::spawn({
            let auth = Arc::clone(&auth);
            async move { auth.run().await }
        });
        Arc::new(Self {
            auth,
            test,
            mailbox,
            store: Arc::new(memory),
            faulty: store,
            follower,
            google,
            linkedin,
            passwords,
            document,
            running,
        })
    }

    /// Ends what goes on in the background.
    pub async fn stop(&self) {
        self.running.abort();
        while !self.running.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    pub fn client(self: &Arc<Self>) -> Client {
        let secure = !self.auth.edge().is_development();
        Client {
            world: Arc::clone(self),
            jar: BTreeMap::new(),
            peer: [127, 0, 0, 1].into(),
            tls: secure,
        }
    }

    pub fn name_of(&self, provider: &FakeProvider) -> &'static str {
        if provider.issuer() == self.google.issuer() {
            "google"
        } else {
            "linkedin"
        }
    }

    /// The path of a URL of ours.
    pub fn path_of(&self, url: &str) -> String {
        let site = self.auth.edge().public_url().to_string();
        url.strip_prefix(&site).unwrap().to_owned()
    }

    /// Lets time pass, `step` by `step` about every millisecond, for those who sleep by the clock,
    /// until what this answers is dropped.
    pub fn time_passes(&self, step: Duration) -> Passing {
        let clock = self.test.clock.clone();
        Passing(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                clock.advance(step);
            }
        }))
    }

    /// The code in the newest mail to an address, once the worker has sent it.
    pub async fn code(&self, to: &str, mails: usize) -> String {
        let to = EmailAddress::parse(to).unwrap();
        let letters = loop {
            let letters = self.letters_to(&to);
            if letters.len() >= mails {
                break letters;
            }
            tokio::task::yield_now().await;
        };
        let newest = letters.last().cloned().unwrap_or_default();
        let mut runs = newest.split(|c: char| !c.is_ascii_digit());
        let code = runs.find(|run| (6..=8).contains(&run.len()));
        code.unwrap_or_default().to_owned()
    }

    /// The subjects of the notices that an address got, once the worker has sent all that there are.
    pub async fn notices_to(&self, to: &str) -> Vec<String> {
        let to = EmailAddress::parse(to).unwrap();
        while self.auth.unsettled_mails() > 0 {
            tokio::task::yield_now().await;
        }
        let messages = self.mailbox.messages_to(&to).into_iter();
        let notices = messages.filter(|mail| !mail.text.contains("asked"));
        notices.map(|mail| mail.subject).collect()
    }

    /// The texts of the mails that an address got, but for notices.
    pub fn letters_to(&self, to: &EmailAddress) -> Vec<String> {
        let messages = self.mailbox.messages_to(to).into_iter();
        let texts = messages.map(|mail| mail.text);
        texts.filter(|text| text.contains("asked")).collect()
    }
}

/// A provider that stands where the real one does, and our client there.
fn provider(
    provider: Provider,
    quirks: Quirks,
    site: &str,
    test: &TestAmbient,
) -> (FakeProvider, SocialClient) {
    let (name, ambient) = (provider.name(), test.ambient());
    let redirect_uri = format!("{site}/api/auth/social/{name}/callback");
    let fake = FakeProvider::new(provider.issuer().to_owned(), ambient.clock, ambient.random)
        .with_quirks(quirks)
        .with_client("client", "secret", &redirect_uri);
    let http = Arc::new(fake.clone());
    let client = SocialClient::new(provider, "client", "secret", redirect_uri, http).unwrap();
    (fake, client)
}

/// A browser: it keeps cookies and sends them back.
#[derive(Clone)]
pub struct Client {
    pub world: Arc<World>,
    pub jar: BTreeMap<String, String>,
    pub peer: std::net::IpAddr,
    pub tls: bool,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    /// Status and code, which is what a test of a refusal asks for.
    pub fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.text("code"))
    }

    pub fn location(&self) -> String {
        let location = self.headers.get(header::LOCATION);
        location.map_or(String::new(), |url| url.to_str().unwrap().to_owned())
    }

    pub fn cookies(&self) -> Vec<&str> {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        set.map(|value| value.to_str().unwrap()).collect()
    }
}

impl Client {
    /// Sends a request, cookies included, and keeps those of the answer.
    pub async fn send(&mut self, mut request: Request<Bytes>) -> Reply {
        let cookies: Vec<String> = self.jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() && !request.headers().contains_key(header::COOKIE) {
            request
                .headers_mut()
                .insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let origin = self.world.auth.edge().public_url().to_string();
        let host = origin.split("//").nth(1).unwrap();
        if !request.headers().contains_key(header::HOST) {
            request
                .headers_mut()
                .insert(header::HOST, host.parse().unwrap());
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let on = Connection {
            peer: SocketAddr::new(self.peer, 40_000),
            tls: self.tls,
        };
        let (head, body) = self.world.auth.handle(request, on).await.into_parts();
        let reply = Reply {
            status: head.status,
            headers: head.headers,
            body,
        };
        document::check(&self.world.document, &method, &path, &reply);
        for cookie in reply.cookies() {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.ends_with("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&mut self, path: &str, token: Option<&str>) -> Reply {
        self.call(Method::GET, path, token, Value::Null).await
    }

    pub async fn post(&mut self, path: &str, token: Option<&str>, body: Value) -> Reply {
        self.call(Method::POST, path, token, body).await
    }

    pub async fn delete(&mut self, path: &str, token: Option<&str>) -> Reply {
        self.call(Method::DELETE, path, token, Value::Null).await
    }

    pub async fn refresh(&mut self, key: Option<&str>) -> Reply {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/api/auth/refresh");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Bytes::new()).unwrap()).await
    }

    pub async fn ask(&mut self, path: &str, email: &str) -> Reply {
        self.post(path, None, json!({ "email": email })).await
    }

    /// Signs up, or in where the address has an account. The answer is the session answer.
    pub async fn sign_up(&mut self, email: &str) -> Reply {
        let to = EmailAddress::parse(email).unwrap();
        let mails = self.world.letters_to(&to).len();
        let asked = self.ask("/api/auth/register-magic", email).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        let code = self.world.code(email, mails + 1).await;
        self.post(
            "/api/auth/register-magic/verify",
            None,
            json!({ "code": code }),
        )
        .await
    }

    /// Leaves for a provider, and answers the URL to which somebody is sent back who agrees there.
    pub async fn leave(&mut self, provider: &FakeProvider, subject: &str) -> String {
        let name = self.world.name_of(provider);
        let left = self.get(&format!("/api/auth/social/{name}"), None).await;
        assert_eq!(left.status, 303, "{left:?}");
        let callback = provider.approve(&left.location(), subject).unwrap();
        self.world.path_of(&callback)
    }

    /// Signs in by a provider; the answer is the callback's.
    pub async fn sign_in_by(&mut self, provider: &FakeProvider, subject: &str) -> Reply {
        let callback = self.leave(provider, subject).await;
        self.get(&callback, None).await
    }

    /// Begins a link and answers the URL of its callback.
    pub async fn leave_to_link(
        &mut self,
        provider: &FakeProvider,
        subject: &str,
        token: &str,
    ) -> String {
        let name = self.world.name_of(provider);
        let path = format!("/api/auth/social/{name}/link");
        let body = json!({ "return_to": "/settings?tab=security" });
        let begun = self.post(&path, Some(token), body).await;
        assert_eq!(begun.status, 200, "{begun:?}");
        let callback = provider.approve(&begun.text("authorize_url"), subject);
        self.world.path_of(&callback.unwrap())
    }

    /// Links somebody at a provider to the account of `token`.
    pub async fn link(&mut self, provider: &FakeProvider, subject: &str, token: &str) -> Reply {
        let callback = self.leave_to_link(provider, subject, token).await;
        self.get(&callback, None).await
    }

    /// An access token for the session of the refresh cookie.
    pub async fn refreshed(&mut self) -> String {
        let reply = self.refresh(None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.text("access_token")
    }

    /// Signs up and answers the access token.
    pub async fn token(&mut self, email: &str) -> String {
        let reply = self.sign_up(email).await;
        assert!(reply.status.is_success(), "{reply:?}");
        reply.text("access_token")
    }
}
