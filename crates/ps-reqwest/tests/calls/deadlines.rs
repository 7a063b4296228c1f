//! How long a call may take.

use std::time::Duration;

use ps_oauth::HttpError;
use ps_reqwest::{CallPolicy, ReqwestClient};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout},
};

use crate::{NOTHING, Server, get, hasty, whole};

// OA23
#[tokio::test]
async fn a_slow_answer_costs_the_total_and_no_more() {
    let slow = [
        Server::plain(async |peer| peer.hang().await).await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\n").await?;
            peer.drip(b"a: b\r\n").await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
                .await?;
            peer.drip(b"a").await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await?;
            peer.drip(b"1\r\na\r\n").await
        })
        .await,
        Server::plain(async |mut peer| peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n").await).await,
    ];
    let client = hasty();
    for (case, server) in slow.iter().enumerate() {
        let start = Instant::now();
        let error = get(&client, &server.url("/")).await.unwrap_err();
        let took = start.elapsed();
        assert!(
            matches!(error, HttpError::Unreachable(_)),
            "{case}: {error}"
        );
        assert!(
            whole(&error).contains("time was up"),
            "{case}: {}",
            whole(&error)
        );
        assert!(took >= Duration::from_millis(300), "{case}: {took:?}");
        assert!(took < Duration::from_secs(2), "{case}: {took:?}");
        assert_eq!(server.connections(), 1, "{case}");
    }
}

// OA23
#[tokio::test]
async fn connecting_ends_with_the_handshake_and_has_a_deadline_of_its_own() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let policy = CallPolicy::default().with_connect(Duration::from_millis(200));
    let client = ReqwestClient::new(policy).unwrap();
    let call = timeout(Duration::from_secs(2), get(&client, &url));
    let error = call.await.expect("connecting has a deadline").unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
    assert!(whole(&error).contains("timed out"), "{}", whole(&error));
}

#[tokio::test]
async fn waiting_for_a_turn_is_part_of_the_total() {
    let server = Server::plain(async |peer| peer.hang().await).await;
    let policy = CallPolicy::default()
        .with_total(Duration::from_millis(300))
        .with_at_once(1);
    let client = ReqwestClient::danger_plain_loopback(policy).unwrap();
    let url = server.url("/");
    let calls = async { tokio::join!(get(&client, &url), get(&client, &url), get(&client, &url)) };
    let calls = timeout(Duration::from_millis(800), calls).await;
    let (first, second, third) = calls.expect("one deadline for all, not one after the other");
    for call in [first, second, third] {
        let why = whole(&call.unwrap_err());
        assert!(why.contains("time was up"), "{why}");
    }
}

/// A caller that hangs up gives its turn back.
#[tokio::test]
async fn a_call_given_up_leaves_its_room() {
    let server = Server::plain(async |mut peer| {
        if peer.request.starts_with("GET /slow") {
            return peer.hang().await;
        }
        peer.say(NOTHING).await
    })
    .await;
    let policy = CallPolicy::default().with_at_once(1);
    let client = ReqwestClient::danger_plain_loopback(policy).unwrap();
    let slow = server.url("/slow");
    let given_up = timeout(Duration::from_millis(100), get(&client, &slow)).await;
    given_up.expect_err("nobody answers");
    get(&client, &server.url("/")).await.unwrap();
}
