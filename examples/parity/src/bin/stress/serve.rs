//! What the child processes serve: API keys, or a bare hello.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{App, HttpResponse, HttpServer, rt::System, web};
use axum::{Router, http::header, routing::get};
use ps_apikey::{ApiKeys, KeyName, KeyPolicy, NewKey, Scopes};
use ps_core::{AccountId, AccountVersion, Ambient, Follower, Requester};
use ps_http::{Auth, Edge, Origin};
use ps_memory::MemoryStore;

use crate::Outcome;

const HELLO: &str = r#"{"status":"ok"}"#;
const WORKERS: usize = 2;

/// Serves until the process ends.
pub(crate) fn serve(framework: &str, what: &str) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    match (framework, what) {
        ("axum", _) => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .enable_all()
                .build()?;
            runtime.block_on(by_axum(listener, what == "auth"))
        }
        ("actix", _) => System::new().block_on(by_actix(listener, what == "auth")),
        _ => Err("axum or actix".into()),
    }
}

async fn by_axum(listener: TcpListener, with_auth: bool) -> Outcome<()> {
    let app = if with_auth {
        let (auth, key) = compose().await?;
        println!("{} {key}", listener.local_addr()?);
        let background = auth.clone();
        tokio::spawn(async move { background.run().await });
        ps_axum::routes(&ps_axum::AuthState::plain(auth))
    } else {
        println!("{} none", listener.local_addr()?);
        let json = [(header::CONTENT_TYPE, "application/json")];
        Router::new().route("/healthz", get(move || async move { (json, HELLO) }))
    };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    Ok(axum::serve(listener, app).await?)
}

async fn by_actix(listener: TcpListener, with_auth: bool) -> Outcome<()> {
    if !with_auth {
        println!("{} none", listener.local_addr()?);
        let app = || App::new().route("/healthz", web::get().to(hello));
        let server = HttpServer::new(app).workers(WORKERS).listen(listener)?;
        return Ok(server.run().await?);
    }
    let (auth, key) = compose().await?;
    println!("{} {key}", listener.local_addr()?);
    let background = auth.clone();
    actix_web::rt::spawn(async move { background.run().await });
    let state = ps_actix::AuthState::plain(auth);
    let app = move || App::new().configure(ps_actix::routes(&state));
    let server = HttpServer::new(app).workers(WORKERS).listen(listener)?;
    Ok(server.run().await?)
}

async fn hello() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(HELLO)
}

/// API keys, and one of them.
pub(crate) async fn compose() -> Outcome<(Arc<Auth>, String)> {
    let ambient = Ambient::default();
    let store = Arc::new(MemoryStore::new());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let keys = Arc::new(ApiKeys::new(
        store.clone(),
        follower.following(),
        KeyPolicy::default(),
        ambient.clone(),
    ));
    let edge = Edge::development(Origin::parse("http://127.0.0.1:8080")?)?;
    let auth = Auth::new(edge, store, follower, ambient).with_api_keys(keys.clone());
    let new = NewKey {
        name: KeyName::new("load")?,
        scopes: Scopes::default(),
        allowed_addresses: Default::default(),
        expires_at: None,
    };
    let (owner, under) = (AccountId::new("load")?, AccountVersion::default());
    let here = Requester::new([127, 0, 0, 1].into());
    let issued = keys.issue(&owner, under, new, &here).await?;
    Ok((Arc::new(auth), issued.key.expose().to_owned()))
}
