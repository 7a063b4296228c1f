//! API keys in an actix-web service, and nothing else: no session, no mail, no JWT is compiled.

use std::{error::Error, sync::Arc};

use actix_web::{App, HttpServer, rt, web};
use ps_actix::{ApiKeyCaller, AuthState, Rejection};
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_core::{AccountId, AccountVersion, Ambient, Follower, Requester};
use ps_http::{Auth, Edge, Origin};
use ps_memory::MemoryStore;

fn main() -> Result<(), Box<dyn Error>> {
    rt::System::new().block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let ambient = Ambient::default();
    let store = Arc::new(MemoryStore::new());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let keys = Arc::new(ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    ));

    let edge = Edge::development(Origin::parse("http://127.0.0.1:8082")?)?;
    let auth = Auth::new(edge, store, follower, ambient).with_api_keys(Arc::clone(&keys));
    let state = AuthState::plain(Arc::new(auth));
    let background = state.auth().clone();
    rt::spawn(async move { background.run().await });

    let new = NewKey {
        name: KeyName::new("first")?,
        scopes: Scopes::new(["greet"])?,
        allowed_addresses: Default::default(),
        expires_at: None,
    };
    let (owner, under) = (AccountId::new("you")?, AccountVersion::default());
    let here = Requester::new([127, 0, 0, 1].into());
    let issued = keys.issue(&owner, under, new, &here).await?;
    println!(
        "curl http://127.0.0.1:8082/hello -H 'x-api-key: {}'",
        issued.key.expose()
    );

    let app = move || {
        App::new()
            .configure(ps_actix::routes(&state))
            .route("/hello", web::get().to(hello))
    };
    Ok(HttpServer::new(app).bind("127.0.0.1:8082")?.run().await?)
}

async fn hello(caller: ApiKeyCaller) -> Result<String, Rejection> {
    caller.require("greet")?;
    Ok(format!("Hello, {}!\n", caller.account()))
}
