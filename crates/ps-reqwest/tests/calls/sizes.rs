//! How long an answer may be.

use std::time::Duration;

use ps_oauth::HttpError;
use tokio::time::timeout;

use crate::{KIB_64, Peer, Server, client, get, request, send, whole};

const MIB_5: usize = 5 * 1024 * 1024;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const UNTIL_CLOSED: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";

fn announced(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")
}

/// As many bytes as the path says.
fn asked_for(peer: &Peer) -> Vec<u8> {
    let path = peer.request.split(' ').nth(1).unwrap();
    vec![b'a'; path[1..].parse().unwrap()]
}

async fn three_ways() -> [Server; 3] {
    [
        Server::plain(async |mut peer| {
            let body = asked_for(&peer);
            peer.say(announced(body.len())).await?;
            peer.say(body).await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say(CHUNKED).await?;
            for chunk in asked_for(&peer).chunks(10_000) {
                peer.say(format!("{:x}\r\n", chunk.len())).await?;
                peer.say(chunk).await?;
                peer.say("\r\n").await?;
            }
            peer.say("0\r\n\r\n").await
        })
        .await,
        Server::plain(async |mut peer| {
            let body = asked_for(&peer);
            peer.say(UNTIL_CLOSED).await?;
            peer.say(body).await
        })
        .await,
    ]
}

// OA23
#[tokio::test]
async fn up_to_the_limit_it_is_read_and_beyond_it_is_refused() {
    let client = client();
    for (way, server) in three_ways().await.iter().enumerate() {
        for length in [0, 1, KIB_64 - 1, KIB_64] {
            let url = server.url(&format!("/{length}"));
            let answer = get(&client, &url).await.unwrap();
            assert_eq!(answer.body().len(), length, "{way}");
            assert!(answer.body().iter().all(|byte| *byte == b'a'), "{way}");
        }
        for length in [KIB_64 + 1, MIB_5] {
            let refused = get(&client, &server.url(&format!("/{length}"))).await;
            let error = refused.unwrap_err();
            assert!(
                matches!(error, HttpError::TooLong),
                "{way} {length}: {error}"
            );
        }
        let none = send(&client, request(&server.url("/0")), 0).await.unwrap();
        assert!(none.body().is_empty(), "{way}");
        let one = send(&client, request(&server.url("/1")), 0).await;
        assert!(matches!(one, Err(HttpError::TooLong)), "{way}: {one:?}");
    }
}

/// Nobody waits for what will not be taken.
// OA23
#[tokio::test]
async fn too_long_is_known_before_the_end() {
    let endless = [
        Server::plain(async |mut peer| {
            peer.say(announced(KIB_64 + 1)).await?;
            peer.hang().await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551613\r\n\r\n")
                .await?;
            peer.hang().await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say(CHUNKED).await?;
            peer.say("ffffffff\r\n").await?;
            peer.say(vec![b'a'; KIB_64 + 1]).await?;
            peer.hang().await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say(UNTIL_CLOSED).await?;
            peer.say(vec![b'a'; KIB_64 + 1]).await?;
            peer.hang().await
        })
        .await,
    ];
    let client = client();
    for (case, server) in endless.iter().enumerate() {
        let url = server.url("/");
        let call = timeout(Duration::from_secs(2), get(&client, &url)).await;
        let error = call.expect("it is known at once").unwrap_err();
        assert!(
            matches!(error, HttpError::TooLong),
            "{case}: {}",
            whole(&error)
        );
    }
}

#[tokio::test]
async fn an_endless_head_is_given_up() {
    let server = Server::plain(async |mut peer| {
        peer.say("HTTP/1.1 200 OK\r\n").await?;
        loop {
            peer.say("a: ".to_owned() + &"b".repeat(10_000) + "\r\n")
                .await?;
        }
    })
    .await;
    let url = server.url("/");
    let client = client();
    let call = timeout(Duration::from_secs(2), get(&client, &url)).await;
    let error = call.expect("it is given up at once").unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
}

/// What would be inflated could be of any size.
#[tokio::test]
async fn nothing_is_decompressed() {
    let server = Server::plain(async |mut peer| {
        assert!(!peer.request.contains("accept-encoding"));
        peer.say("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nGZIP")
            .await
    })
    .await;
    let answer = get(&client(), &server.url("/")).await.unwrap();
    assert_eq!(answer.body(), "GZIP");
}
