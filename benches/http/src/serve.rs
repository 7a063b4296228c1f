//! The servers. Each runs in a process of its own, on a port that the system chose: it prints its
//! address, then a line for every credential that it gives out, then an empty line.

mod bare;
mod ours;
#[cfg(feature = "axum-login")]
mod sessions;
mod tokens;

pub(crate) use ours::folder_of;
#[cfg(feature = "axum-login")]
pub(crate) use sessions::ENTER;

use std::{
    io::{Write, stdout},
    net::{SocketAddr, TcpListener},
};

use actix_web::{App, HttpServer, web::ServiceConfig};
use axum::Router;

use crate::Outcome;

/// Where the servers believe to be. Nothing is built from their real address.
pub(crate) const HOST: &str = "127.0.0.1:8080";
pub(crate) const SITE: &str = "http://127.0.0.1:8080";
/// A host's own route, behind whatever guards it.
pub(crate) const OWN: &str = "/hello";
/// The same for whoever takes keys and tokens.
pub(crate) const OWN_SESSION: &str = "/session";

/// Serves until the process is ended.
pub(crate) fn serve(server: &[&str]) -> Outcome<()> {
    match *server {
        ["bare", framework, answer] => bare::serve(framework, answer),
        ["ours", framework, store, answer, keys, sessions] => {
            let numbers = ours::Numbers {
                keys: keys.parse()?,
                sessions: sessions.parse()?,
            };
            ours::serve(framework, store, answer, numbers)
        }
        ["jsonwebtoken", algorithm, answer] => tokens::serve(algorithm, answer),
        #[cfg(feature = "axum-login")]
        ["tower-sessions", answer] => sessions::tower_sessions(answer),
        #[cfg(feature = "axum-login")]
        ["axum-login", answer] => sessions::axum_login(answer),
        _ => Err(format!("no such server: {server:?}").into()),
    }
}

/// Tells the parent where this is, and what opens it.
fn ready(listener: &TcpListener, credentials: &[String]) -> Outcome<()> {
    let mut out = stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    for credential in credentials {
        writeln!(out, "{credential}")?;
    }
    writeln!(out)?;
    Ok(out.flush()?)
}

fn listen() -> Outcome<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A runtime as `#[tokio::main]` makes it: as many workers as there are cores to run on, here one.
fn runtime() -> Outcome<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.enable_all().build()?)
}

async fn by_axum(listener: TcpListener, app: Router) -> Outcome<()> {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    Ok(axum::serve(listener, app).await?)
}

async fn by_actix<C>(
    listener: TcpListener,
    routes: impl Fn() -> C + Clone + Send + 'static,
) -> Outcome<()>
where
    C: FnOnce(&mut ServiceConfig),
{
    let server = HttpServer::new(move || App::new().configure(routes()));
    Ok(server.listen(listener)?.run().await?)
}

/// The same answer from everyone, byte for byte: JSON that nobody may keep.
mod answer {
    use actix_web::HttpResponse;
    use axum::{
        body::Bytes,
        http::{HeaderName, HeaderValue, header},
        response::IntoResponse,
    };

    pub(super) type Axum = ([(HeaderName, HeaderValue); 2], Bytes);

    pub(super) fn axum(body: &Bytes) -> Axum {
        let json = HeaderValue::from_static("application/json");
        let fresh = HeaderValue::from_static("no-store");
        let headers = [(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, fresh)];
        (headers, body.clone())
    }

    pub(super) fn axum_refused() -> axum::response::Response {
        axum::http::StatusCode::UNAUTHORIZED.into_response()
    }

    pub(super) fn actix(body: &actix_web::web::Bytes) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header(("content-type", "application/json"))
            .insert_header(("cache-control", "no-store"))
            .body(body.clone())
    }
}
