//! A node that has seen each credential before, and what is done on it. The memory store never
//! waits, so nothing here needs a runtime.

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, StatusCode};
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_core::{
    AccountId, AccountVersion, Accounts, Ambient, EmailAddress, Follower, NoEvents, Raised,
    Requester, RootSecret, RootSecrets, VerifiedEmail,
};
use ps_http::{Auth, Connection, Edge, Origin, Route, no_content};
use ps_session::{SessionPolicy, Sessions};
use ps_testkit::TestAmbient;

use super::counted::Counted;

const SITE: &str = "https://app.example.com";

pub(crate) struct Node {
    pub(crate) store: Arc<Counted>,
    auth: Auth,
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    here: Requester,
    key: String,
    mistyped: String,
    token: String,
    forged: String,
}

impl Node {
    pub(crate) fn start() -> Self {
        let test = TestAmbient::default();
        let ambient = Ambient {
            events: Arc::new(NoEvents),
            ..test.ambient()
        };
        let store = Arc::new(Counted::default());
        let memory = Arc::new(store.inner.clone());
        let follower = Arc::new(Follower::new(memory.clone(), ambient.clock.clone()));
        let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
        let keys = Arc::new(ApiKeys::new(
            store.clone(),
            follower.following(),
            KeyPolicy::default(),
            ambient.clone(),
        ));
        let sessions = Arc::new(Sessions::new(
            store.clone(),
            memory.clone(),
            &RootSecrets::new([root]).unwrap(),
            SITE,
            follower.following(),
            SessionPolicy::default(),
            ambient.clone(),
        ));
        let edge = Edge::new(Origin::parse(SITE).unwrap()).unwrap();
        let auth = Auth::new(edge, memory.clone(), follower.clone(), ambient.clone())
            .with_api_keys(Arc::clone(&keys))
            .with_sessions(Arc::clone(&sessions), memory.clone())
            .with_routes([Route::session(Method::GET, "/api/mine", |_, _| async {
                Ok(no_content())
            })]);
        now(follower.poll()).unwrap();

        let owner = AccountId::new("5f0c7a52-4c1e-4c39-9d3e-0a4f6a1f6f11").unwrap();
        let address = EmailAddress::parse("alice@example.com").unwrap();
        let moment = ambient.clock.now();
        #[expect(clippy::disallowed_methods, reason = "a test proves what it likes")]
        let proof = VerifiedEmail::danger_proven(address, moment);
        let claimed = now(memory.claim(&owner, &proof, AccountVersion::default(), moment));
        let Ok(Raised::To(version)) = claimed else {
            panic!("the account is claimed");
        };
        let here = Requester::new([203, 0, 113, 7].into());
        let new = NewKey {
            name: KeyName::new("deploy").unwrap(),
            scopes: Scopes::new(["programs:read", "programs:write"]).unwrap(),
            allowed_addresses: Default::default(),
            expires_at: None,
        };
        let issued = now(keys.issue(&owner, version, new, &here)).unwrap();
        let opened = sessions.open(&owner, version, ps_session::Method::MagicCode, None, &here);
        let opened = now(opened).unwrap();
        let key = issued.key.expose().to_owned();
        Self {
            store,
            auth,
            keys,
            sessions,
            here,
            mistyped: otherwise(&key, 1),
            key,
            token: opened.access.expose().to_owned(),
            forged: otherwise(opened.refresh.expose(), 9),
        }
    }

    pub(crate) fn refuse_garbage(&self) {
        assert!(now(self.keys.authenticate("garbage", &self.here)).is_err());
    }

    pub(crate) fn refuse_mistyped(&self) {
        assert!(now(self.keys.authenticate(&self.mistyped, &self.here)).is_err());
    }

    pub(crate) fn take_key(&self) {
        let caller = now(self.keys.authenticate(&self.key, &self.here)).unwrap();
        assert!(caller.require("programs:write").is_ok());
    }

    pub(crate) fn take_token(&self) {
        let caller = now(self.sessions.authenticate(&self.token, &self.here));
        black_box(caller.unwrap());
    }

    pub(crate) fn refuse_forged(&self) {
        assert!(self.sessions.read_refresh(&self.forged).is_err());
    }

    pub(crate) fn answer_whoami(&self) {
        self.answer("/api/v1/whoami", &self.key, StatusCode::OK);
    }

    pub(crate) fn answer_mistyped(&self) {
        self.answer("/api/v1/whoami", &self.mistyped, StatusCode::UNAUTHORIZED);
    }

    pub(crate) fn take_own(&self) {
        let (head, _) = request("/mine", &self.key).into_parts();
        let caller = now(self.auth.api_key(&head, ON)).unwrap();
        assert!(caller.require("programs:write").is_ok());
    }

    pub(crate) fn answer_session(&self) {
        self.answer("/api/mine", &self.token, StatusCode::NO_CONTENT);
    }

    fn answer(&self, path: &str, credential: &str, expected: StatusCode) {
        let answer = now(self.auth.handle(request(path, credential), ON));
        assert_eq!(answer.status(), expected);
    }
}

const ON: Connection = Connection {
    peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 40_000),
    tls: true,
};

/// It is counted too.
fn request(path: &str, credential: &str) -> Request<Bytes> {
    Request::get(path)
        .header("host", "app.example.com")
        .header("authorization", format!("Bearer {credential}"))
        .body(Bytes::new())
        .unwrap()
}

/// With another character so far from the end.
fn otherwise(text: &str, from_the_end: usize) -> String {
    let (front, rest) = text.split_at(text.len() - from_the_end);
    let other = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{front}{other}{}", &rest[1..])
}

fn now<T>(act: impl Future<Output = T>) -> T {
    act.now_or_never().expect("nothing here waits")
}
