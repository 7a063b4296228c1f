//! The adapter between actix-web and a service: what crosses it, and what must not be lost on the
//! way. Everything goes over real sockets but the wait for a body that does not come.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod bodies;
mod targets;
mod wire;
mod world;

use std::sync::Arc;

use actix_web::{App, HttpServer, web::ServiceConfig};
use ps_actix::AuthState;
use ps_core::AccountVersion;
use tokio::{
    io::{AsyncWriteExt, BufStream},
    net::UnixStream,
};
use wire::{Answer, Server, read_answer, run};
use world::{HOST, World, own_routes};

/// A request without a body, under our own name.
fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: {HOST}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

async fn ask(server: &Server, method: &str, target: &str) -> Answer {
    server.answer(request(method, target, &[])).await
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn our_paths_are_answered_for_every_method_and_the_hosts_are_left_alone() {
    let server = Server::start(World::new().merged());
    let nothing = ask(&server, "GET", "/api/nothing").await;
    assert_eq!((nothing.status, nothing.body), (204, vec![]));
    for method in ["PUT", "OPTIONS", "TRACE", "BREW"] {
        let other = ask(&server, method, "/api/nothing").await;
        assert_eq!(other.refusal(), code(405, "method_not_allowed"), "{method}");
        assert_eq!(other.all("allow"), ["GET, HEAD"]);
    }
    let elsewhere = ask(&server, "GET", "/elsewhere").await;
    assert_eq!((elsewhere.status, elsewhere.body), (404, vec![]));
    let other = ask(&server, "DELETE", "/own").await;
    assert_eq!((other.status, other.body), (405, vec![]));
}

#[tokio::test]
async fn as_a_fallback_everything_is_answered_in_our_form() {
    let server = Server::start(World::new().fallback());
    assert_eq!(ask(&server, "GET", "/api/nothing").await.status, 204);
    for target in ["/", "/elsewhere", "/api/%6Eothing", "//api/nothing"] {
        let missing = ask(&server, "GET", target).await;
        assert_eq!(missing.refusal(), code(404, "not_found"), "{target}");
    }
    let all = ask(&server, "OPTIONS", "*").await;
    assert_eq!(all.refusal(), code(404, "not_found"));
}

// AK12
#[tokio::test]
async fn a_handler_for_one_kind_of_caller_is_closed_to_the_other() {
    let world = World::new();
    let server = Server::start(world.merged());
    let token = world.token().await;
    let key = world.key_under(AccountVersion::new(1), &["greet"]).await;
    let unscoped = world.key_under(AccountVersion::new(1), &[]).await;
    let bearer = async |path, text: &str| {
        let credential = format!("Bearer {text}");
        let headers = [("authorization", credential.as_str())];
        server.answer(request("GET", path, &headers)).await
    };
    let greeted = bearer("/own", &key).await;
    assert_eq!(
        (greeted.status, greeted.body.as_slice()),
        (200, &b"hello account"[..])
    );
    let wrong = bearer("/own", &token).await;
    assert_eq!(wrong.refusal(), code(401, "api_key_required"));
    let named = bearer("/own/session", &token).await;
    assert_eq!(
        (named.status, named.body.as_slice()),
        (200, &b"account"[..])
    );
    let wrong = bearer("/own/session", &key).await;
    assert_eq!(wrong.refusal(), code(401, "session_required"));
    let unscoped = bearer("/own", &unscoped).await;
    assert_eq!(unscoped.refusal(), code(403, "scope_missing"));
}

#[tokio::test]
async fn a_hosts_own_handler_stands_behind_the_same_edge() {
    let world = World::new();
    let server = Server::start(world.merged());
    let key = world.key(&["greet"]).await;
    let keyed = ("x-api-key", key.as_str());

    let elsewhere = request("GET", "/own", &[keyed]).replace(HOST, "evil.example");
    let elsewhere = server.answer(elsewhere).await;
    assert_eq!(elsewhere.refusal(), code(421, "misdirected_request"));
    let both = [keyed, ("authorization", "Bearer x")];
    let both = server.answer(request("GET", "/own", &both)).await;
    assert_eq!(both.refusal(), code(400, "ambiguous_credentials"));
    let planted = [("origin", "https://evil.example"), ("content-length", "0")];
    let planted = server.answer(request("POST", "/own", &planted)).await;
    assert_eq!(planted.refusal(), code(403, "origin_forbidden"));

    let state = AuthState::plain(Arc::clone(&world.auth));
    let plain = Server::start(move |app: &mut ServiceConfig| {
        app.app_data(state.clone());
        own_routes(app);
    });
    let plain = plain.answer(request("GET", "/own", &[keyed])).await;
    assert_eq!(plain.refusal(), code(403, "https_required"));
}

#[tokio::test]
async fn a_rejection_is_the_problem_to_the_byte() {
    let world = World::new();
    let server = Server::start(world.merged());
    let own = ask(&server, "GET", "/own").await;
    assert_eq!(own.refusal(), code(401, "api_key_missing"));
    assert_eq!(own.all("content-type"), ["application/json"]);
    assert_eq!(own.all("cache-control"), ["no-store"]);
    assert_eq!(own.all("www-authenticate"), [r#"Bearer realm="api""#]);
    assert_eq!(own.body, ask(&server, "GET", "/api/v1/whoami").await.body);
}

#[tokio::test]
async fn callers_without_a_state_are_not_let_in() {
    let world = World::new();
    let key = world.key(&["greet"]).await;
    let server = Server::start(own_routes);
    let answer = server
        .answer(request("GET", "/own", &[("x-api-key", &key)]))
        .await;
    assert_eq!(answer.refusal(), code(500, "internal_error"));
}

/// A Unix socket has no address at its other end, whatever a header says.
#[tokio::test]
async fn without_the_clients_address_nothing_is_answered() {
    let world = World::new();
    let key = world.key(&["greet"]).await;
    let path = std::env::temp_dir().join(format!("ps-actix-{}.sock", std::process::id()));
    let (place, configure) = (path.clone(), world.merged());
    let app = move || App::new().configure(configure.clone());
    let handle = run(move || {
        let server = HttpServer::new(app).workers(1).disable_signals();
        server.bind_uds(place).unwrap().run()
    });
    for target in ["/api/nothing", "/healthz", "/own"] {
        let headers = [
            ("x-api-key", key.as_str()),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        let mut socket = BufStream::new(UnixStream::connect(&path).await.unwrap());
        let request = request("GET", target, &headers);
        socket.write_all(request.as_bytes()).await.unwrap();
        socket.flush().await.unwrap();
        let answer = read_answer(&mut socket, "GET").await;
        assert_eq!(answer.refusal(), code(500, "internal_error"), "{target}");
    }
    drop(handle.stop(false));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn an_answer_keeps_its_headers_and_gets_none_of_actix_webs() {
    let server = Server::start(World::new().merged());
    let answer = ask(&server, "GET", "/api/cookies").await;
    assert_eq!((answer.status, answer.body.len()), (303, 0));
    assert_eq!(answer.all("location"), ["/there"]);
    let cookies = answer.all("set-cookie");
    assert_eq!(cookies, ["a=1; Secure", "b=2; Secure", "a=3; Secure"]);
    let mut names: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let expected = [
        "cache-control",
        "content-length",
        "content-security-policy",
        "date",
        "location",
        "referrer-policy",
        "set-cookie",
        "strict-transport-security",
        "x-content-type-options",
        "x-request-id",
    ];
    assert_eq!(names, expected);

    let nothing = ask(&server, "GET", "/api/nothing").await;
    assert_eq!(nothing.status, 204);
    assert!(nothing.all("content-length").is_empty());
    assert!(nothing.all("transfer-encoding").is_empty());
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let server = Server::start(World::new().merged());
    let got = ask(&server, "GET", "/api/items/one").await;
    assert_eq!(got.body, b"\"one\"");
    let mut wire = server.connect().await;
    for target in ["/api/items/one", "/api/nothing", "/api/items/one"] {
        wire.send(request("HEAD", target, &[])).await;
        let answer = wire.answer_to("HEAD").await;
        if target == "/api/nothing" {
            assert_eq!((answer.status, answer.all("content-length")), (204, vec![]));
        } else {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.all("content-length"), got.all("content-length"));
            assert_eq!(answer.all("content-type"), ["application/json"]);
        }
    }
    wire.send(request("GET", "/api/items/one", &[])).await;
    assert_eq!(
        wire.answer().await.body,
        got.body,
        "no byte too many before it"
    );
}
