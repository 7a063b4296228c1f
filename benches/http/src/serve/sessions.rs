//! Sessions as axum users have them: tower-sessions alone, and axum-login over it, both with their
//! stores in memory. A `GET` of [`ENTER`] signs in.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use axum::{Router, body::Bytes, http::StatusCode, response::IntoResponse, routing::get};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use tower_sessions_of_axum_login as of_login;

use super::{OWN, answer, by_axum, listen, ready, runtime};
use crate::Outcome;

pub(crate) const ENTER: &str = "/enter";
const WHO: &str = "who";

pub(super) fn tower_sessions(body: &str) -> Outcome<()> {
    use tower_sessions::{MemoryStore, Session, SessionManagerLayer};
    let body = Bytes::copy_from_slice(body.as_bytes());
    let own = move |session: Session| async move {
        match session.get::<String>(WHO).await {
            Ok(Some(_who)) => answer::axum(&body).into_response(),
            _ => answer::axum_refused(),
        }
    };
    let enter = async |session: Session| match session.insert(WHO, "somebody").await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let app = Router::new().route(OWN, get(own)).route(ENTER, get(enter));
    let app = app.layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false));
    let listener = listen()?;
    ready(&listener, &[])?;
    runtime()?.block_on(by_axum(listener, app))
}

#[derive(Clone, Debug)]
struct Person {
    id: u64,
    hash: Vec<u8>,
}

impl AuthUser for Person {
    type Id = u64;

    fn id(&self) -> u64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.hash
    }
}

#[derive(Clone)]
struct People(Arc<HashMap<u64, Person>>);

impl AuthnBackend for People {
    type User = Person;
    type Credentials = u64;
    type Error = Infallible;

    async fn authenticate(&self, id: u64) -> Result<Option<Person>, Infallible> {
        Ok(self.0.get(&id).cloned())
    }

    async fn get_user(&self, id: &u64) -> Result<Option<Person>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

pub(super) fn axum_login(body: &str) -> Outcome<()> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let person = Person {
        id: 1,
        hash: vec![7; 32],
    };
    let people = People(Arc::new(HashMap::from([(1, person.clone())])));
    let own = move |caller: AuthSession<People>| async move {
        match caller.user {
            Some(_who) => answer::axum(&body).into_response(),
            None => answer::axum_refused(),
        }
    };
    let enter = move |mut caller: AuthSession<People>| async move {
        match caller.login(&person).await {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    };
    let kept = of_login::SessionManagerLayer::new(of_login::MemoryStore::default());
    let layer = AuthManagerLayerBuilder::new(people, kept.with_secure(false)).build();
    let app = Router::new()
        .route(OWN, get(own))
        .route_layer(login_required!(People))
        .route(ENTER, get(enter))
        .layer(layer);
    let listener = listen()?;
    ready(&listener, &[])?;
    runtime()?.block_on(by_axum(listener, app))
}
