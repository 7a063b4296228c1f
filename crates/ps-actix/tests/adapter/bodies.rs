//! Bodies: whole, endless, torn and slow, and what follows them on the same connection.

use std::{pin::Pin, sync::atomic::Ordering, time::Duration};

use actix_web::{
    App,
    dev::Payload,
    rt::time::timeout,
    test::{TestRequest, init_service, read_body},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use ps_http::BODY_LIMIT;
use serde_json::Value;

use crate::{
    code, request,
    wire::Server,
    world::{HOST, World},
};

const CHUNKED: (&str, &str) = ("transfer-encoding", "chunked");

fn with_length(length: usize) -> String {
    request(
        "POST",
        "/api/length",
        &[("content-length", &length.to_string())],
    )
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let head = format!("{:x}\r\n", piece.len());
    [head.as_bytes(), piece, b"\r\n"].concat()
}

#[tokio::test]
async fn a_body_arrives_whole_however_it_is_cut() {
    let server = Server::start(World::new().merged());
    let whole = vec![b'x'; BODY_LIMIT];
    for piece in [100, 1_000, BODY_LIMIT] {
        let mut wire = server.connect().await;
        wire.send(with_length(whole.len())).await;
        for piece in whole.chunks(piece) {
            wire.send(piece).await;
        }
        assert_eq!(wire.answer().await.json(), Value::from(BODY_LIMIT));

        wire.send(request("POST", "/api/length", &[CHUNKED])).await;
        for piece in whole.chunks(piece) {
            wire.send(chunk(piece)).await;
        }
        wire.send("0\r\ntrailer: x\r\n\r\n").await;
        assert_eq!(wire.answer().await.json(), Value::from(BODY_LIMIT));
    }
}

#[tokio::test]
async fn a_body_without_bytes_is_an_empty_one() {
    let server = Server::start(World::new().merged());
    let mut wire = server.connect().await;
    let (none, empty) = ([], [("content-length", "0")]);
    for headers in [&none[..], &empty] {
        wire.send(request("POST", "/api/length", headers)).await;
        assert_eq!(wire.answer().await.json(), Value::from(0));
    }
    wire.send(request("POST", "/api/length", &[CHUNKED])).await;
    wire.send("0\r\n\r\n").await;
    assert_eq!(wire.answer().await.json(), Value::from(0));
}

/// It is read one byte past the bound and no further, however long it goes on.
#[tokio::test]
async fn an_endless_body_is_refused_and_its_connection_closed() {
    let server = Server::start(World::new().merged());
    let piece = vec![b'x'; 1_000];
    for (head, piece) in [
        (with_length(usize::MAX), piece.clone()),
        (request("POST", "/api/length", &[CHUNKED]), chunk(&piece)),
    ] {
        let mut wire = server.connect().await;
        wire.send(&head).await;
        for _ in 0..20 {
            wire.send(&piece).await;
        }
        let answer = wire.answer().await;
        assert_eq!(answer.refusal(), code(413, "body_too_large"), "{head}");
        assert_eq!(answer.all("connection"), ["close"]);
        wire.flood(&piece).await;
    }
}

/// What stands behind a refused body is neither taken for a request nor mixed with one.
#[tokio::test]
async fn what_follows_an_unread_body_is_not_a_request() {
    let world = World::new();
    let server = Server::start(world.merged());
    let smuggled = request("GET", "/api/items/smuggled", &[]);
    for chunked in [false, true] {
        let body = smuggled.repeat(2 * BODY_LIMIT / smuggled.len());
        let whole = if chunked {
            let head = request("POST", "/api/length", &[CHUNKED]).into_bytes();
            [head, chunk(body.as_bytes()), b"0\r\n\r\n".to_vec()].concat()
        } else {
            (with_length(body.len()) + &body).into_bytes()
        };
        let mut wire = server.connect().await;
        wire.send(&whole).await;
        wire.send(request("GET", "/api/items/next", &[])).await;
        let refused = wire.answer().await;
        assert_eq!(refused.refusal(), code(413, "body_too_large"));
        // Where the whole body had come by then, the next request may be answered; never another.
        if refused.all("connection") == ["close"] {
            assert!(wire.is_closed().await, "chunked: {chunked}");
        } else {
            assert_eq!(wire.answer().await.json(), Value::from("next"));
        }
    }
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_turn() {
    let server = Server::start(World::new().merged());
    let mut wire = server.connect().await;
    let mut together = Vec::new();
    for place in ["one", "two", "three"] {
        together.extend(request("GET", &format!("/api/items/{place}"), &[]).bytes());
        together.extend(with_length(3).bytes().chain(*b"abc"));
    }
    wire.send(together).await;
    for place in ["one", "two", "three"] {
        assert_eq!(wire.answer().await.json(), Value::from(place));
        assert_eq!(wire.answer().await.json(), Value::from(3));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_in_its_turn() {
    let world = World::new();
    let server = Server::start(world.merged());
    let torn = request("POST", "/api/length", &[CHUNKED]) + "4\r\nhalf\r\nno length\r\n";
    let mut wire = server.connect().await;
    wire.send(&torn).await;
    let here = wire.answer().await;
    assert_eq!(here.refusal(), code(400, "malformed_json"));
    assert_eq!(here.all("cache-control"), ["no-store"]);
    assert_eq!(here.all("x-request-id").len(), 1);

    let elsewhere = server.answer(torn.replace(HOST, "evil.example")).await;
    assert_eq!(elsewhere.refusal(), code(421, "misdirected_request"));
    assert_eq!(world.lengths.load(Ordering::Relaxed), 0);
}

/// Half a body is nobody's request.
#[tokio::test]
async fn nothing_is_done_for_a_client_that_vanishes() {
    let world = World::new();
    let server = Server::start(world.merged());
    for _ in 0..8 {
        let mut wire = server.connect().await;
        wire.send(with_length(8) + "half").await;
        drop(wire);
        let mut wire = server.connect().await;
        wire.send(with_length(8) + "half").await;
        wire.shut_down().await;
    }
    let answer = server.answer(with_length(4) + "full").await;
    assert_eq!(answer.json(), Value::from(4));
    assert_eq!(world.lengths.load(Ordering::Relaxed), 1);
}

// HT5
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_ten_seconds() {
    type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, actix_web::error::PayloadError>>>>;
    let configure = World::new().merged();
    let app = init_service(App::new().configure(configure)).await;
    let dripping = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        Some((Ok(Bytes::from_static(b"x")), ()))
    });
    let bodies: [Pieces; 2] = [Box::pin(stream::pending()), Box::pin(dripping)];
    for body in bodies {
        let asked = TestRequest::post()
            .uri("/api/length")
            .insert_header(("host", HOST))
            .peer_addr(([203, 0, 113, 7], 4711).into());
        let (asked, _) = asked.to_request().replace_payload(Payload::from(body));
        let started = tokio::time::Instant::now();
        let answer = actix_web::dev::Service::call(&app, asked).await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
        let problem: Value = serde_json::from_slice(&read_body(answer).await).unwrap();
        assert_eq!(problem["code"], "malformed_json");
        assert_eq!(started.elapsed().as_secs(), 10);
    }
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends() {
    let server = Server::start(World::new().merged());
    let mut wire = server.connect().await;
    let headers = [("content-length", "4"), ("expect", "100-continue")];
    wire.send(request("POST", "/api/length", &headers)).await;
    assert_eq!(wire.answer().await.status, 100);
    wire.send("full").await;
    assert_eq!(wire.answer().await.json(), Value::from(4));
}

/// actix-web takes all that follows such a head for its body, and would wait for it.
#[tokio::test]
async fn a_wish_for_another_protocol_is_not_waited_for() {
    let server = Server::start(World::new().merged());
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    let asked = server.answer(request("GET", "/api/nothing", &upgrade));
    let answer = timeout(Duration::from_secs(5), asked).await.unwrap();
    assert_eq!(answer.status, 204);
    let upgrade = [upgrade[0], upgrade[1], ("content-length", "4")];
    let asked = server.answer(request("POST", "/api/length", &upgrade) + "full, and more");
    let answer = timeout(Duration::from_secs(5), asked).await.unwrap();
    assert_eq!(answer.json(), Value::from(4));
    let tunnel = server.answer(request("CONNECT", "/api/nothing", &[]));
    let answer = timeout(Duration::from_secs(5), tunnel).await.unwrap();
    assert_eq!(answer.refusal(), code(405, "method_not_allowed"));
}
