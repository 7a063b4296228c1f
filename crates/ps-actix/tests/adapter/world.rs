//! A service with both kinds of callers, and routes that show what reached them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::web::{self, Data, ServiceConfig};
use http::{HeaderValue, Method, Response, StatusCode, header};
use ps_actix::{ApiKeyCaller, AuthState, Rejection, SessionCaller};
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Follower, Raised, Requester, RootSecret,
    RootSecrets, Timestamp, VerifiedEmail,
};
use ps_http::{Answer, Auth, Call, Edge, Origin, Route, json, no_content};
use ps_memory::MemoryStore;
use ps_session::{Method as How, SessionPolicy, Sessions};
use ps_testkit::TestAmbient;
use serde_json::json as value;

pub const HOST: &str = "app.example.com";

/// A host's own state, beside ours.
struct Greeting(&'static str);

pub struct World {
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    store: Arc<MemoryStore>,
    pub auth: Arc<Auth>,
    /// How many requests reached `/api/length`.
    pub lengths: Arc<AtomicUsize>,
}

impl World {
    pub fn new() -> Self {
        let ambient = TestAmbient::default().ambient();
        let store = Arc::new(MemoryStore::new());
        let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
        let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
        let keys = Arc::new(ApiKeys::new(
            store.clone(),
            follower.following(),
            KeyPolicy::default(),
            ambient.clone(),
        ));
        let sessions = Arc::new(Sessions::new(
            store.clone(),
            store.clone(),
            &RootSecrets::new([root]).unwrap(),
            "https://app.example.com",
            follower.following(),
            SessionPolicy::default(),
            ambient.clone(),
        ));
        let lengths = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&lengths);
        let edge = Edge::new(Origin::parse("https://app.example.com").unwrap()).unwrap();
        let auth = Auth::new(edge, store.clone(), follower, ambient)
            .with_api_keys(Arc::clone(&keys))
            .with_sessions(Arc::clone(&sessions), store.clone())
            .with_routes([
                Route::public(Method::POST, "/api/length", move |call| {
                    counter.fetch_add(1, Ordering::Relaxed);
                    async move { Ok(json(StatusCode::OK, &call.body().len())) }
                }),
                Route::public(Method::GET, "/api/items/{id}", |call| async move {
                    Ok(json(StatusCode::OK, &call.parameter()))
                }),
                Route::public(Method::GET, "/api/nothing", |_| async { Ok(no_content()) }),
                Route::public(Method::GET, "/api/head", head),
                Route::public(Method::GET, "/api/cookies", |_| async { Ok(cookies()) }),
            ]);
        Self {
            keys,
            sessions,
            store,
            auth: Arc::new(auth),
            lengths,
        }
    }

    /// Our paths beside a host's own, in a server that ends TLS itself.
    pub fn merged(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        let state = AuthState::tls(Arc::clone(&self.auth));
        move |app: &mut ServiceConfig| {
            app.configure(ps_actix::routes(&state));
            own_routes(app);
        }
    }

    pub fn fallback(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        let state = AuthState::tls(Arc::clone(&self.auth));
        move |app: &mut ServiceConfig| {
            app.configure(ps_actix::fallback(&state));
        }
    }

    pub async fn key(&self, scopes: &[&str]) -> String {
        self.key_under(AccountVersion::default(), scopes).await
    }

    pub async fn key_under(&self, under: AccountVersion, scopes: &[&str]) -> String {
        let new = NewKey {
            name: KeyName::new("key").unwrap(),
            scopes: Scopes::new(scopes).unwrap(),
            allowed_addresses: Default::default(),
            expires_at: None,
        };
        let account = AccountId::new("account").unwrap();
        let here = Requester::new([127, 0, 0, 1].into());
        let issuing = self.keys.issue(&account, under, new, &here);
        issuing.await.unwrap().key.expose().to_owned()
    }

    pub async fn token(&self) -> String {
        let account = AccountId::new("account").unwrap();
        let here = Requester::new([127, 0, 0, 1].into());
        let now = Timestamp::from_seconds(0);
        let address = EmailAddress::parse("a@example.com").unwrap();
        #[expect(clippy::disallowed_methods, reason = "the test is the proof")]
        let proof = VerifiedEmail::danger_proven(address, now);
        let under = AccountVersion::default();
        let claiming = self.store.claim(&account, &proof, under, now);
        let Raised::To(version) = claiming.await.unwrap() else {
            panic!("claimed twice");
        };
        let opening = self
            .sessions
            .open(&account, version, How::MagicCode, None, &here);
        opening.await.unwrap().access.expose().to_owned()
    }
}

pub fn own_routes(app: &mut ServiceConfig) {
    app.app_data(Data::new(Greeting("hello")))
        .service(
            web::resource("/own")
                .route(web::get().to(own))
                .route(web::post().to(own)),
        )
        .route("/own/session", web::get().to(own_session));
}

async fn own(greeting: Data<Greeting>, caller: ApiKeyCaller) -> Result<String, Rejection> {
    caller.require("greet")?;
    Ok(format!("{} {}", greeting.0, caller.account()))
}

async fn own_session(caller: SessionCaller) -> String {
    caller.account.to_string()
}

/// The head of the request as it arrived, but for what stands in the path.
async fn head(call: Call) -> Answer {
    let head = call.head();
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let body = value!({
        "authority": head.uri.authority().map(|authority| authority.as_str()),
        "target": head.uri.path_and_query().map(|path| path.as_str()),
        "version": format!("{:?}", head.version),
        "headers": headers,
    });
    Ok(json(StatusCode::OK, &body))
}

fn cookies() -> Response<bytes::Bytes> {
    let mut response = no_content();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/there"));
    for cookie in ["a=1; Secure", "b=2; Secure", "a=3; Secure"] {
        headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    response
}
