//! API keys in an axum service, and nothing else: no session, no mail, no JWT is compiled.

use std::{error::Error, net::SocketAddr, sync::Arc};

use axum::{Router, routing::get};
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_axum::{ApiKeyCaller, AuthState, Rejection};
use ps_core::{AccountId, AccountVersion, Ambient, Follower, Requester};
use ps_http::{Auth, Edge, Origin};
use ps_memory::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ambient = Ambient::default();
    let store = Arc::new(MemoryStore::new());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let keys = Arc::new(ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    ));

    let edge = Edge::development(Origin::parse("http://127.0.0.1:8081")?)?;
    let auth = Auth::new(edge, store, follower, ambient).with_api_keys(Arc::clone(&keys));
    let state = AuthState::plain(Arc::new(auth));
    let background = state.auth().clone();
    tokio::spawn(async move { background.run().await });

    let new = NewKey {
        name: KeyName::new("first")?,
        scopes: Scopes::new(["greet"])?,
        allowed_addresses: Default::default(),
        expires_at: None,
    };
    let owner = AccountId::new("you")?;
    let here = Requester::new([127, 0, 0, 1].into());
    let issued = keys
        .issue(&owner, AccountVersion::default(), new, &here)
        .await?;
    println!(
        "curl http://127.0.0.1:8081/hello -H 'x-api-key: {}'",
        issued.key.expose()
    );

    let app = Router::new()
        .merge(ps_axum::routes(&state))
        .route("/hello", get(hello));
    let app = app
        .with_state(state)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    Ok(axum::serve(listener, app).await?)
}

async fn hello(caller: ApiKeyCaller) -> Result<String, Rejection> {
    caller.require("greet")?;
    Ok(format!("Hello, {}!\n", caller.account()))
}
