//! ps-auth, composed as in `examples/minimal-axum` and `minimal-actix`, with sessions beside the keys.

use std::{env, fs, path::PathBuf, process, sync::Arc, time::Duration};

use actix_web::{rt::System, web};
use axum::{Router, body::Bytes, routing::get};
use ps_apikey::{ApiKeyStore, ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_core::{
    AccountVersion, Accounts, Ambient, Changes, EmailAddress, Follower, Raised, Requester,
    RootSecret, RootSecrets, Users, VerifiedEmail,
};
use ps_http::{Auth, Edge, Origin};
use ps_memory::MemoryStore;
use ps_session::{Method, SessionPolicy, SessionStore, Sessions};
use ps_sqlx::SqliteStore;
use tokio::{task::JoinSet, time::sleep};

use super::{OWN, OWN_SESSION, SITE, answer, by_actix, by_axum, listen, ready, runtime};
use crate::{Outcome, load::REFRESH_COOKIE};

/// How many of each are made before it says that it is ready.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) keys: usize,
    pub(super) sessions: usize,
}

/// Every port that is needed here, by one type.
trait Store: Accounts + ApiKeyStore + Changes + SessionStore + Users {}
impl<T: Accounts + ApiKeyStore + Changes + SessionStore + Users> Store for T {}

/// Keys of one account at most: as many as the policy lets it have.
const KEYS_AN_ACCOUNT: usize = 25;
const SESSIONS_AN_ACCOUNT: usize = 20;

/// How many are made at a time: what one commit of SQLite can take together.
const AT_ONCE: usize = 64;

struct Composed {
    auth: Arc<Auth>,
    keys: Arc<ApiKeys>,
    /// Lines of `key …`, `token …` and `cookie …`.
    credentials: Vec<String>,
}

pub(super) fn serve(framework: &str, store: &str, body: &str, numbers: Numbers) -> Outcome<()> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    match framework {
        "axum" => runtime()?.block_on(async {
            let auth = begin(store, numbers, |auth| {
                tokio::spawn(async move { auth.run().await });
            });
            let (auth, credentials) = auth.await?;
            on_axum(auth, &credentials, body).await
        }),
        "actix" => System::new().block_on(async {
            let auth = begin(store, numbers, |auth| {
                actix_web::rt::spawn(async move { auth.run().await });
            });
            let (auth, credentials) = auth.await?;
            on_actix(auth, &credentials, body).await
        }),
        _ => Err("axum or actix".into()),
    }
}

async fn on_axum(auth: Arc<Auth>, credentials: &[String], body: Bytes) -> Outcome<()> {
    let state = ps_axum::AuthState::plain(auth);
    let (key, session) = (body.clone(), body);
    let by_key = move |_caller: ps_axum::ApiKeyCaller| async move { answer::axum(&key) };
    let by_session = move |_caller: ps_axum::SessionCaller| async move { answer::axum(&session) };
    let app = Router::new()
        .merge(ps_axum::routes(&state))
        .route(OWN, get(by_key))
        .route(OWN_SESSION, get(by_session))
        .with_state(state);
    let listener = listen()?;
    ready(&listener, credentials)?;
    by_axum(listener, app).await
}

async fn on_actix(auth: Arc<Auth>, credentials: &[String], body: Bytes) -> Outcome<()> {
    let state = ps_actix::AuthState::plain(auth);
    let listener = listen()?;
    ready(&listener, credentials)?;
    by_actix(listener, move || {
        let (state, key, session) = (state.clone(), body.clone(), body.clone());
        move |app: &mut web::ServiceConfig| {
            let by_key = move |_caller: ps_actix::ApiKeyCaller| {
                let body = key.clone();
                async move { answer::actix(&body) }
            };
            let by_session = move |_caller: ps_actix::SessionCaller| {
                let body = session.clone();
                async move { answer::actix(&body) }
            };
            app.configure(ps_actix::routes(&state));
            app.route(OWN, web::get().to(by_key))
                .route(OWN_SESSION, web::get().to(by_session));
        }
    })
    .await
}

/// A service that is followed by its background, knows its keys, and has each of them in memory.
async fn begin(
    store: &str,
    numbers: Numbers,
    spawn: impl FnOnce(Arc<Auth>),
) -> Outcome<(Arc<Auth>, Vec<String>)> {
    let composed = match store {
        "memory" => compose(Arc::new(MemoryStore::new()), numbers).await?,
        "sqlite" => {
            let folder = folder_of(process::id());
            fs::create_dir_all(&folder)?;
            let store = SqliteStore::open(folder.join("load.db")).await?;
            compose(Arc::new(store), numbers).await?
        }
        _ => return Err("memory or sqlite".into()),
    };
    spawn(Arc::clone(&composed.auth));
    // Nothing is remembered before the feed was polled once.
    sleep(Duration::from_secs(1)).await;
    let here = Requester::new([127, 0, 0, 1].into());
    for line in &composed.credentials {
        if let Some(key) = line.strip_prefix("key ") {
            composed.keys.authenticate(key, &here).await?;
        }
    }
    Ok((composed.auth, composed.credentials))
}

async fn compose(store: Arc<impl Store>, numbers: Numbers) -> Outcome<Composed> {
    let ambient = Ambient::default();
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    // Room for all of them, and for the unevenness of the cache's parts.
    let room = (numbers.keys + numbers.keys / 4).max(100_000);
    let keys = Arc::new(ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default().with_remembered_keys(room),
        ambient.clone(),
    ));
    let roots = RootSecrets::new([RootSecret::new((0..32).collect::<Vec<u8>>())?])?;
    let sessions = Arc::new(Sessions::new(
        store.clone(),
        store.clone(),
        &roots,
        SITE,
        follower.following(),
        SessionPolicy::default(),
        ambient.clone(),
    ));
    let edge = Edge::development(Origin::parse(SITE)?)?;
    let mut auth =
        Auth::new(edge, store.clone(), follower, ambient.clone()).with_api_keys(keys.clone());
    if numbers.sessions > 0 {
        auth = auth.with_sessions(sessions.clone(), store.clone());
    }

    let mut credentials = Vec::with_capacity(numbers.keys + 2 * numbers.sessions);
    let accounts = (numbers.keys.div_ceil(KEYS_AN_ACCOUNT))
        .max(numbers.sessions.div_ceil(SESSIONS_AN_ACCOUNT));
    let mut making = JoinSet::new();
    for account in 0..accounts {
        let of_this = |all: usize, each: usize| all.saturating_sub(account * each).min(each);
        let its_keys = of_this(numbers.keys, KEYS_AN_ACCOUNT);
        let its_sessions = of_this(numbers.sessions, SESSIONS_AN_ACCOUNT);
        let (store, keys, sessions) = (store.clone(), keys.clone(), sessions.clone());
        let now = ambient.clock.now();
        making.spawn(async move {
            let address = EmailAddress::parse(&format!("person{account}@example.com"))?;
            let proof = VerifiedEmail::danger_proven(address, now);
            let account = store.register(&proof, now).await?.into_user().id;
            let here = Requester::new([127, 0, 0, 1].into());
            let Raised::To(version) = store
                .claim(&account, &proof, AccountVersion::default(), now)
                .await?
            else {
                return Err("a new account that cannot be claimed".into());
            };
            let mut lines = Vec::new();
            for number in 0..its_keys {
                let new = NewKey {
                    name: KeyName::new(format!("load {number}"))?,
                    scopes: Scopes::new(["programs:read", "programs:write"])?,
                    allowed_addresses: Default::default(),
                    expires_at: None,
                };
                let issued = keys.issue(&account, version, new, &here).await?;
                lines.push(format!("key {}", issued.key.expose()));
            }
            for _ in 0..its_sessions {
                let method = Method::MagicCode;
                let open = sessions
                    .open(&account, version, method, None, &here)
                    .await?;
                lines.push(format!("token {}", open.access.expose()));
                lines.push(format!("cookie {REFRESH_COOKIE}={}", open.refresh.expose()));
            }
            Outcome::Ok(lines)
        });
        if making.len() >= AT_ONCE
            && let Some(made) = making.join_next().await
        {
            credentials.extend(made??);
        }
    }
    while let Some(made) = making.join_next().await {
        credentials.extend(made??);
    }
    Ok(Composed {
        auth: Arc::new(auth),
        keys,
        credentials,
    })
}

/// Where the process of this id keeps its database.
pub(crate) fn folder_of(process: u32) -> PathBuf {
    env::temp_dir().join(format!("http-load-{process}"))
}
