//! Every route × every method of a store that it calls × (the store fails, its answer is lost): nothing
//! is granted, no cookie is touched, and the same client carries on.

#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeSet, pin::Pin, sync::Arc};

use common::{Client, Reply, World, faulty::Fault};
use http::Method;
use ps_core::EmailAddress;
use ps_testkit::openid::Person;
use serde_json::{Value, json};

/// Somebody who is signed in, and what was prepared for the act.
struct State {
    client: Client,
    token: String,
    it: String,
}

type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// One thing that is asked for. Both may be done again.
struct Act {
    /// As the route is written.
    route: (Method, &'static str),
    /// What must be there before. It answers what the act needs.
    prepare: for<'a> fn(&'a mut State) -> Doing<'a, String>,
    act: for<'a> fn(&'a mut State) -> Doing<'a, Reply>,
    good: &'static [u16],
}

/// Goes on in the background, and fails no request.
const BACKGROUND: [&str; 2] = ["ApiKeyStore::touch", "Changes::since"];
/// What is only read has no answer that is lost otherwise than by failing.
const READS: [&str; 5] = ["find", "find_by_email", "list", "standing", "time"];
/// The owner is told by mail once it is done; where the address cannot be read, it is done all the same.
const TOLD_AFTERWARDS: [(&str, &str); 2] = [
    ("/api/auth/social/{provider}", "Users::find"),
    ("/api/auth/social/{provider}/callback", "Users::find"),
];
/// No route calls them.
const UNCALLED: [&str; 7] = [
    "Accounts::disable",
    "Accounts::enable",
    "ChallengeStore::purge",
    "Changes::ended_since",
    "Changes::purge",
    // A hash at a cost of yesterday is none that the tests have.
    "PasswordStore::rehash",
    "SessionStore::purge",
];

const OWN: [&str; 2] = ["/api/panic", "/api/v1/scoped"];

macro_rules! act {
    ($method:ident $path:literal, $prepared:ident => $prepare:expr, $state:ident => $act:expr, $good:expr) => {
        Act {
            route: (Method::$method, $path),
            prepare: |$prepared| Box::pin(async move { $prepare }),
            act: |$state| Box::pin(async move { $act }),
            good: &$good,
        }
    };
}

/// At least one for each route.
fn acts() -> Vec<Act> {
    vec![
        act!(GET "/healthz", _s => String::new(), s => s.get("/healthz").await, [200]),
        act!(GET "/readyz", _s => String::new(), s => s.get("/readyz").await, [200]),
        act!(GET "/.well-known/jwks.json", _s => String::new(),
            s => s.get("/.well-known/jwks.json").await, [200]),
        act!(GET "/api/openapi.json", _s => String::new(),
            s => s.get("/api/openapi.json").await, [200]),
        act!(GET "/api/v1/whoami", s => s.new_key().await.text("key"), s => {
            s.client.get("/api/v1/whoami", Some(&s.it)).await
        }, [200]),
        act!(GET "/api/keys", _s => String::new(), s => s.get("/api/keys").await, [200]),
        act!(POST "/api/keys", _s => String::new(), s => s.new_key().await, [201]),
        act!(GET "/api/keys/{id}", s => s.new_key().await.text("id"), s => {
            s.get(&format!("/api/keys/{}", s.it)).await
        }, [200]),
        act!(PATCH "/api/keys/{id}", s => s.new_key().await.text("id"), s => {
            let path = format!("/api/keys/{}", s.it);
            s.call(Method::PATCH, &path, json!({ "name": "b" })).await
        }, [200]),
        act!(DELETE "/api/keys/{id}", s => s.new_key().await.text("id"), s => {
            s.delete(&format!("/api/keys/{}", s.it)).await
        }, [204]),
        act!(POST "/api/keys/{id}/rotate", s => s.new_key().await.text("id"), s => {
            s.post(&format!("/api/keys/{}/rotate", s.it), Value::Null).await
        }, [201]),
        act!(POST "/api/auth/magic-code", _s => String::new(), s => {
            s.client.ask("/api/auth/magic-code", "alice@example.com").await
        }, [202]),
        // Again, for the same challenge.
        act!(POST "/api/auth/magic-code", s => s.a_challenge("/api/auth/magic-code", "alice").await, s => {
            let body = json!({ "email": "alice@example.com", "challenge": s.it });
            s.post("/api/auth/magic-code", body).await
        }, [202]),
        act!(POST "/api/auth/magic-code/verify", s => s.a_code("/api/auth/magic-code", "alice").await, s => {
            s.post("/api/auth/magic-code/verify", json!({ "code": s.it })).await
        }, [200]),
        act!(POST "/api/auth/register-magic", _s => String::new(), s => {
            s.client.ask("/api/auth/register-magic", "bob@example.com").await
        }, [202]),
        act!(POST "/api/auth/register-magic/verify", s => s.a_code("/api/auth/register-magic", "bob").await, s => {
            s.post("/api/auth/register-magic/verify", json!({ "code": s.it })).await
        }, [200, 201]),
        act!(GET "/api/auth/social/{provider}", _s => String::new(), s => {
            s.get("/api/auth/social/google").await
        }, [303]),
        // Somebody new.
        act!(GET "/api/auth/social/{provider}/callback", s => s.left("new").await, s => {
            let callback = s.it.clone();
            s.client.get(&callback, None).await
        }, [303]),
        // Somebody whose address has an account.
        act!(GET "/api/auth/social/{provider}/callback", s => s.left("alice").await, s => {
            let callback = s.it.clone();
            s.client.get(&callback, None).await
        }, [303]),
        // Linking.
        act!(GET "/api/auth/social/{provider}/callback", s => s.left_to_link().await, s => {
            let callback = s.it.clone();
            s.client.get(&callback, None).await
        }, [303]),
        act!(POST "/api/auth/social/{provider}/link", _s => String::new(), s => {
            s.post("/api/auth/social/google/link", Value::Null).await
        }, [200]),
        act!(DELETE "/api/auth/social/{provider}", s => s.linked_twice().await, s => {
            s.delete("/api/auth/social/google").await
        }, [204]),
        act!(GET "/api/auth/identities", _s => String::new(), s => {
            s.get("/api/auth/identities").await
        }, [200]),
        act!(POST "/api/auth/login", s => s.a_password().await, s => {
            let body = json!({ "email": "alice@example.com", "password": s.it });
            s.post("/api/auth/login", body).await
        }, [200]),
        act!(PUT "/api/auth/password", _s => String::new(), s => {
            let body = json!({ "new_password": "correct horse battery" });
            s.call(Method::PUT, "/api/auth/password", body).await
        }, [204]),
        act!(POST "/api/auth/refresh", _s => String::new(), s => {
            s.client.refresh(Some("one-and-the-same")).await
        }, [200]),
        act!(POST "/api/auth/logout", _s => String::new(), s => {
            s.post("/api/auth/logout", Value::Null).await
        }, [204]),
        act!(GET "/api/auth/session", _s => String::new(), s => s.get("/api/auth/session").await, [200]),
        act!(GET "/api/auth/sessions", _s => String::new(), s => s.get("/api/auth/sessions").await, [200]),
        act!(DELETE "/api/auth/sessions/{id}", s => s.another_session().await, s => {
            s.delete(&format!("/api/auth/sessions/{}", s.it)).await
        }, [204]),
        act!(DELETE "/api/auth/sessions", s => s.another_session().await, s => {
            s.delete("/api/auth/sessions").await
        }, [204]),
    ]
}

impl State {
    async fn new() -> Self {
        let world = World::limited().await;
        let person = |subject: &str, email: &str| Person::new(subject, email);
        world.google.add_person(person("new", "carol@gmail.com"));
        world
            .google
            .add_person(person("alice", "alice@example.com"));
        world.google.add_person(person("mine", "mine@gmail.com"));
        world
            .linkedin
            .add_person(person("mine", "mine@example.org"));
        let mut client = world.client();
        let token = client.token("alice@example.com").await;
        let it = String::new();
        Self { client, token, it }
    }

    fn world(&self) -> Arc<World> {
        Arc::clone(&self.client.world)
    }

    async fn call(&mut self, method: Method, path: &str, body: Value) -> Reply {
        self.client
            .call(method, path, Some(&self.token), body)
            .await
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.call(Method::GET, path, Value::Null).await
    }

    async fn post(&mut self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body).await
    }

    async fn delete(&mut self, path: &str) -> Reply {
        self.call(Method::DELETE, path, Value::Null).await
    }

    async fn new_key(&mut self) -> Reply {
        self.post("/api/keys", json!({ "name": "a" })).await
    }

    async fn a_challenge(&mut self, path: &str, name: &str) -> String {
        let asked = self.client.ask(path, &format!("{name}@example.com")).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        asked.text("challenge")
    }

    async fn a_code(&mut self, path: &str, name: &str) -> String {
        let to = format!("{name}@example.com");
        let before = self
            .world()
            .letters_to(&EmailAddress::parse(&to).unwrap())
            .len();
        self.client.jar.remove("ps_challenge");
        self.a_challenge(path, name).await;
        self.world().code(&to, before + 1).await
    }

    async fn left(&mut self, subject: &str) -> String {
        let google = self.world().google.clone();
        self.client.leave(&google, subject).await
    }

    async fn left_to_link(&mut self) -> String {
        let google = self.world().google.clone();
        let token = self.token.clone();
        self.client.leave_to_link(&google, "mine", &token).await
    }

    async fn linked_twice(&mut self) -> String {
        let (world, token) = (self.world(), self.token.clone());
        for provider in [&world.google, &world.linkedin] {
            let linked = self.client.link(provider, "mine", &token).await;
            assert!(!linked.location().contains("error"), "{linked:?}");
        }
        String::new()
    }

    async fn a_password(&mut self) -> String {
        let password = "correct horse battery";
        let body = json!({ "new_password": password });
        let set = self.call(Method::PUT, "/api/auth/password", body).await;
        assert_eq!(set.status, 204, "{set:?}");
        password.to_owned()
    }

    async fn another_session(&mut self) -> String {
        let mut other = self.world().client();
        let opened = other.sign_up("alice@example.com").await;
        opened.json()["session"]["id"].as_str().unwrap().to_owned()
    }
}

impl Act {
    async fn prepare(&self, state: &mut State) {
        state.it = (self.prepare)(state).await;
        // What is queued is sent meanwhile, so that nobody else calls the store later.
        for _ in 0..256 {
            tokio::task::yield_now().await;
        }
    }

    /// Whether what it leads to is a redirect that says what went wrong.
    fn is_callback(&self) -> bool {
        self.route.1.ends_with("/callback")
    }

    fn is_good(&self, reply: &Reply) -> bool {
        self.good.contains(&reply.status.as_u16()) && !reply.location().contains("error=")
    }

    /// What it asks of the store when all is well.
    async fn calls(&self) -> BTreeSet<&'static str> {
        let mut state = State::new().await;
        self.prepare(&mut state).await;
        state.world().faulty.called();
        let reply = (self.act)(&mut state).await;
        assert!(self.is_good(&reply), "{:?}: {reply:?}", self.route);
        state.world().faulty.called()
    }

    /// What is wrong with how it goes while `method` is at fault.
    async fn with(&self, method: &'static str, fault: Fault) -> Result<(), String> {
        let mut state = State::new().await;
        self.prepare(&mut state).await;
        let world = state.world();
        let before = state.client.jar.clone();
        world.faulty.fault(method, fault);
        let reply = (self.act)(&mut state).await;
        if world.faulty.heal() == 0 {
            return Err("the fault was not met".to_owned());
        }
        let is_done = TOLD_AFTERWARDS.contains(&(self.route.1, method)) && self.is_good(&reply);
        if !is_done {
            self.grants_nothing(&reply)?;
        }
        if !self.is_callback() && state.client.jar != before {
            return Err(format!("a cookie was touched: {reply:?}"));
        }
        if state.client.jar.get("ps_refresh") != before.get("ps_refresh") {
            return Err(format!("the session's cookie was touched: {reply:?}"));
        }
        if fault == Fault::Fails {
            let refreshed = state.client.refresh(Some("one-and-the-same")).await;
            if refreshed.status != 200 {
                return Err(format!("the session is gone: {refreshed:?}"));
            }
            state.token = refreshed.text("access_token");
        } else if state.get("/api/auth/session").await.status == 401 {
            // What ended the session was done, and only its answer was lost.
            state.token = state.client.token("alice@example.com").await;
        }
        self.prepare(&mut state).await;
        let again = (self.act)(&mut state).await;
        if !self.is_good(&again) {
            return Err(format!("it does not go on: {again:?}"));
        }
        Ok(())
    }

    fn grants_nothing(&self, reply: &Reply) -> Result<(), String> {
        let is_said = if self.is_callback() {
            reply.status == 303 && reply.location().ends_with("error=provider_unavailable")
        } else {
            reply.refusal() == (503, "unavailable".to_owned())
                && reply.headers.contains_key("retry-after")
                && reply.cookies().is_empty()
        };
        is_said
            .then_some(())
            .ok_or(format!("not what is said of an outage: {reply:?}"))
    }
}

// ST9
#[tokio::test]
async fn an_outage_grants_nothing_and_clears_no_cookie() {
    let (mut wrong, mut met) = (Vec::new(), BTreeSet::new());
    for act in acts() {
        for method in act.calls().await {
            met.insert(method);
            if BACKGROUND.contains(&method) {
                continue;
            }
            let is_read = READS
                .iter()
                .any(|read| method.ends_with(&format!("::{read}")));
            let faults = [Fault::Fails, Fault::LosesItsAnswer];
            for fault in faults.into_iter().take(if is_read { 1 } else { 2 }) {
                if let Err(why) = act.with(method, fault).await {
                    let (asked, path) = &act.route;
                    wrong.push(format!("{asked} {path}, {method} {fault:?}: {why}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = common::faulty::METHODS.iter().copied().flatten().copied();
    let unmet: Vec<_> = all
        .filter(|it| !met.contains(it) && !is_excused(it))
        .collect();
    assert!(unmet.is_empty(), "no act calls {unmet:?}");
}

/// Whether no route need call it.
fn is_excused(method: &str) -> bool {
    BACKGROUND.contains(&method) || UNCALLED.contains(&method)
}

#[tokio::test]
async fn every_route_is_among_the_acts() {
    let world = World::limited().await;
    let routes = world
        .auth
        .routes()
        .map(|route| (route.method().clone(), route.path()));
    let acts: Vec<_> = acts().into_iter().map(|act| act.route).collect();
    let missing: Vec<_> = routes
        .filter(|route| !acts.contains(route) && !OWN.contains(&route.1))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
