//! The adapter between a router and a service: what crosses it, and what must not be lost on the way.

#![allow(clippy::unwrap_used)]

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, FromRef, State},
    http::{Method, Request, StatusCode},
    routing::get,
};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_axum::{ApiKeyCaller, AuthState, Rejection, SessionCaller};
use ps_core::{
    AccountId, AccountVersion, Accounts, EmailAddress, Follower, Raised, Requester, RootSecret,
    RootSecrets, Timestamp, VerifiedEmail,
};
use ps_http::{Auth, BODY_LIMIT, Edge, Origin, Route, json, no_content};
use ps_memory::MemoryStore;
use ps_session::{Method as How, SessionPolicy, Sessions};
use ps_testkit::TestAmbient;
use tower::ServiceExt;

/// A host's own state, in which ours is one part.
#[derive(Clone)]
struct App {
    auth: AuthState,
    greeting: &'static str,
}

impl FromRef<App> for AuthState {
    fn from_ref(app: &App) -> Self {
        app.auth.clone()
    }
}

struct World {
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    store: Arc<MemoryStore>,
    auth: Arc<Auth>,
}

impl World {
    fn new() -> Self {
        let ambient = TestAmbient::default().ambient();
        let store = Arc::new(MemoryStore::new());
        let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
        let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
        let keys = ApiKeys::new(
            store.clone(),
            follower.following(),
            KeyPolicy::default(),
            ambient.clone(),
        );
        let sessions = Sessions::new(
            store.clone(),
            store.clone(),
            &RootSecrets::new([root]).unwrap(),
            "https://app.example.com",
            follower.following(),
            SessionPolicy::default(),
            ambient.clone(),
        );
        let (keys, sessions) = (Arc::new(keys), Arc::new(sessions));
        let edge = Edge::new(Origin::parse("https://app.example.com").unwrap()).unwrap();
        let auth = Auth::new(edge, store.clone(), follower, ambient)
            .with_api_keys(Arc::clone(&keys))
            .with_sessions(Arc::clone(&sessions), store.clone())
            .with_routes([
                Route::public(Method::POST, "/api/length", |call| async move {
                    Ok(json(StatusCode::OK, &call.body().len()))
                }),
                Route::public(Method::GET, "/api/items/{id}", |call| async move {
                    Ok(json(StatusCode::OK, &call.parameter()))
                }),
                Route::public(Method::GET, "/api/nothing", |_| async { Ok(no_content()) }),
            ]);
        Self {
            keys,
            sessions,
            store,
            auth: Arc::new(auth),
        }
    }

    /// Our paths beside a host's own, in a server that ends TLS itself.
    fn merged(&self) -> Router {
        let app = App {
            auth: AuthState::tls(Arc::clone(&self.auth)),
            greeting: "hello",
        };
        Router::new()
            .merge(ps_axum::routes(&app.auth))
            .route("/own", get(own).post(own))
            .route("/own/session", get(own_session))
            .with_state(app)
    }

    async fn key(&self, scopes: &[&str]) -> String {
        self.key_under(AccountVersion::default(), scopes).await
    }

    async fn key_under(&self, under: AccountVersion, scopes: &[&str]) -> String {
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

    async fn token(&self) -> String {
        let account = AccountId::new("account").unwrap();
        let here = Requester::new([127, 0, 0, 1].into());
        let now = Timestamp::from_seconds(0);
        let address = EmailAddress::parse("a@example.com").unwrap();
        #[expect(clippy::disallowed_methods, reason = "the test is the proof")]
        let proof = VerifiedEmail::danger_proven(address, now);
        let under = AccountVersion::default();
        let claimed = self
            .store
            .claim(&account, &proof, under, now)
            .await
            .unwrap();
        let Raised::To(version) = claimed else {
            panic!("claimed twice");
        };
        let opening = self
            .sessions
            .open(&account, version, How::MagicCode, None, &here);
        opening.await.unwrap().access.expose().to_owned()
    }
}

async fn own(State(app): State<App>, caller: ApiKeyCaller) -> Result<String, Rejection> {
    caller.require("greet")?;
    Ok(format!("{} {}", app.greeting, caller.account()))
}

async fn own_session(caller: SessionCaller) -> String {
    caller.account.to_string()
}

fn request(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let peer: SocketAddr = ([203, 0, 113, 7], 4711).into();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "app.example.com")
        .extension(ConnectInfo(peer));
    request.body(body.into()).unwrap()
}

fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

async fn answer(router: &Router, request: Request<Body>) -> (u16, Bytes) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

async fn refusal(router: &Router, request: Request<Body>) -> (u16, String) {
    let (status, body) = answer(router, request).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn our_paths_are_answered_for_every_method_and_the_hosts_are_left_alone() {
    let router = World::new().merged();
    assert_eq!(
        answer(&router, request("GET", "/api/nothing", "")).await,
        (204, Bytes::new())
    );
    let other = refusal(&router, request("PUT", "/api/nothing", "")).await;
    assert_eq!(other, (405, "method_not_allowed".to_owned()));
    let item = answer(&router, request("GET", "/api/items/a%2Fb", "")).await;
    assert_eq!(item, (200, Bytes::from_static(b"\"a%2Fb\"")), "undecoded");
    assert_eq!(
        answer(&router, request("GET", "/elsewhere", "")).await,
        (404, Bytes::new())
    );
    assert_eq!(
        answer(&router, request("DELETE", "/own", "")).await,
        (405, Bytes::new())
    );
}

#[tokio::test]
async fn as_a_fallback_everything_is_answered_in_our_form() {
    let world = World::new();
    let router: Router = ps_axum::fallback(&AuthState::tls(Arc::clone(&world.auth)));
    assert_eq!(
        answer(&router, request("GET", "/api/nothing", "")).await.0,
        204
    );
    let missing = refusal(&router, request("GET", "/elsewhere", "")).await;
    assert_eq!(missing, (404, "not_found".to_owned()));
    let raw = refusal(&router, request("GET", "/api/%6Eothing", "")).await;
    assert_eq!(raw, (404, "not_found".to_owned()));
}

// AK12
#[tokio::test]
async fn a_handler_for_one_kind_of_caller_is_closed_to_the_other() {
    let world = World::new();
    let router = world.merged();
    let token = world.token().await;
    let key = world.key_under(AccountVersion::new(1), &["greet"]).await;
    let bearer = |path, text: &str| {
        with(
            request("GET", path, ""),
            "authorization",
            &format!("Bearer {text}"),
        )
    };
    assert_eq!(
        answer(&router, bearer("/own", &key)).await,
        (200, Bytes::from_static(b"hello account"))
    );
    assert_eq!(
        refusal(&router, bearer("/own", &token)).await,
        (401, "api_key_required".to_owned())
    );
    assert_eq!(
        answer(&router, bearer("/own/session", &token)).await,
        (200, Bytes::from_static(b"account"))
    );
    assert_eq!(
        refusal(&router, bearer("/own/session", &key)).await,
        (401, "session_required".to_owned())
    );
    let unscoped = world.key_under(AccountVersion::new(1), &[]).await;
    assert_eq!(
        refusal(&router, bearer("/own", &unscoped)).await,
        (403, "scope_missing".to_owned())
    );
}

#[tokio::test]
async fn a_hosts_own_handler_stands_behind_the_same_edge() {
    let world = World::new();
    let router = world.merged();
    let key = world.key(&["greet"]).await;
    let keyed = |request| with(request, "x-api-key", &key);
    let elsewhere = with(keyed(request("GET", "/own", "")), "host", "evil.example");
    assert_eq!(
        refusal(&router, elsewhere).await,
        (421, "misdirected_request".to_owned())
    );
    let both = with(
        keyed(request("GET", "/own", "")),
        "authorization",
        "Bearer x",
    );
    assert_eq!(
        refusal(&router, both).await,
        (400, "ambiguous_credentials".to_owned())
    );
    let planted = with(
        request("POST", "/own", ""),
        "origin",
        "https://evil.example",
    );
    assert_eq!(
        refusal(&router, planted).await,
        (403, "origin_forbidden".to_owned())
    );
    let app = App {
        auth: AuthState::plain(Arc::clone(&world.auth)),
        greeting: "hello",
    };
    let plain = Router::new().route("/own", get(own)).with_state(app);
    let answer = refusal(&plain, keyed(request("GET", "/own", ""))).await;
    assert_eq!(answer, (403, "https_required".to_owned()));
}

#[tokio::test]
async fn without_the_clients_address_nothing_is_answered() {
    let world = World::new();
    let router = world.merged();
    let key = world.key(&["greet"]).await;
    for path in ["/api/nothing", "/healthz", "/own"] {
        let mut request = with(request("GET", path, ""), "x-api-key", &key);
        request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
        assert_eq!(
            refusal(&router, request).await,
            (500, "internal_error".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_body_arrives_whole_however_it_is_cut() {
    let router = World::new().merged();
    let whole = vec![b'x'; BODY_LIMIT];
    for piece in [1, 7, 1_000, BODY_LIMIT] {
        let pieces: Vec<_> = whole
            .chunks(piece)
            .map(Bytes::copy_from_slice)
            .map(Ok::<_, io::Error>)
            .collect();
        let body = Body::from_stream(stream::iter(pieces));
        let (status, length) = answer(&router, request("POST", "/api/length", body)).await;
        assert_eq!(
            (status, length),
            (200, Bytes::from(BODY_LIMIT.to_string())),
            "in pieces of {piece}"
        );
    }
}

/// It is read one byte past the bound and no further, however long it goes on.
#[tokio::test]
async fn an_endless_body_is_refused() {
    let router = World::new().merged();
    for piece in [1_000, BODY_LIMIT, BODY_LIMIT + 1, 10 * BODY_LIMIT] {
        let endless =
            stream::repeat_with(move || Ok::<_, io::Error>(Bytes::from(vec![b'x'; piece])));
        let request = request("POST", "/api/length", Body::from_stream(endless));
        assert_eq!(
            refusal(&router, request).await,
            (413, "body_too_large".to_owned()),
            "in pieces of {piece}"
        );
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_in_its_turn() {
    let router = World::new().merged();
    let torn = || {
        let pieces = [
            Ok(Bytes::from_static(b"half")),
            Err(io::Error::other("reset")),
        ];
        Body::from_stream(stream::iter(pieces))
    };
    let here = refusal(&router, request("POST", "/api/length", torn())).await;
    assert_eq!(here, (400, "malformed_json".to_owned()));
    let elsewhere = with(
        request("POST", "/api/length", torn()),
        "host",
        "evil.example",
    );
    let elsewhere = refusal(&router, elsewhere).await;
    assert_eq!(elsewhere, (421, "misdirected_request".to_owned()));
    let response = router
        .oneshot(request("POST", "/api/length", torn()))
        .await
        .unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers().contains_key("x-request-id"));
}

// HT5
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_ten_seconds() {
    let router = World::new().merged();
    let started = tokio::time::Instant::now();
    let never = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
    let answer = refusal(&router, request("POST", "/api/length", never)).await;
    assert_eq!(answer, (400, "malformed_json".to_owned()));
    assert_eq!(started.elapsed().as_secs(), 10);
}
