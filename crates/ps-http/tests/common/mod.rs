//! A whole service on the memory store, and clients with cookie jars that talk to it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use ps_apikey::{ApiKeys, KeyPolicy};
use ps_core::{EmailAddress, Follower, RootSecret, RootSecrets};
use ps_http::{Auth, Connection, Edge, NetworkLimits, Origin, Route, no_content};
use ps_magiccode::{CodePolicy, MagicCodes, PlainLetters};
use ps_memory::MemoryStore;
use ps_session::{SessionPolicy, Sessions};
use ps_testkit::{Mailbox, TestAmbient};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub const DEVELOPMENT: &str = "http://127.0.0.1:8080";
pub const PRODUCTION: &str = "https://app.example.com";

pub struct World {
    pub auth: Arc<Auth>,
    pub test: TestAmbient,
    pub mailbox: Mailbox,
    pub store: Arc<MemoryStore>,
    pub follower: Arc<Follower>,
    running: JoinHandle<()>,
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

    pub async fn with(edge: Edge, limited: bool) -> Arc<Self> {
        let test = TestAmbient::default();
        let ambient = test.ambient();
        let random = Arc::clone(&ambient.random);
        let clock = Arc::clone(&ambient.clock);
        let store = Arc::new(MemoryStore::with_random_and_clock(random, clock));
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
        let limits = limited.then(|| NetworkLimits::new(store.clone()));
        let auth = Auth::new(edge, store.clone(), follower.clone(), ambient)
            .with_api_keys(Arc::new(keys))
            .with_sessions(Arc::new(sessions), store.clone())
            .with_magic_codes(Arc::new(codes), store.clone(), limits)
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
            ]);
        let auth = Arc::new(auth);
        follower.poll().await.unwrap();
        let running = tokio::spawn({
            let auth = Arc::clone(&auth);
            async move { auth.run().await }
        });
        Arc::new(Self {
            auth,
            test,
            mailbox,
            store,
            follower,
            running,
        })
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

    /// The code in the newest mail to an address, once the worker has sent it.
    pub async fn code(&self, to: &str, mails: usize) -> String {
        let to = EmailAddress::parse(to).unwrap();
        while self.mailbox.messages_to(&to).len() < mails {
            tokio::task::yield_now().await;
        }
        self.mailbox.code_to(&to).unwrap_or_default()
    }
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
        let mails = self.world.mailbox.messages_to(&to).len();
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

    /// Signs up and answers the access token.
    pub async fn token(&mut self, email: &str) -> String {
        let reply = self.sign_up(email).await;
        assert!(reply.status.is_success(), "{reply:?}");
        reply.text("access_token")
    }
}
