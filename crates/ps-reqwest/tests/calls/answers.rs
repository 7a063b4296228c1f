//! What is sent, and what comes back.

use bytes::Bytes;
use http::{Request, StatusCode};
use ps_oauth::HttpError;

use crate::{KIB_64, NOTHING, Server, client, get, send, whole};

#[tokio::test]
async fn an_answer_comes_back_as_it_is() {
    let server = Server::plain(async |mut peer| {
        peer.say("HTTP/1.1 201 Created\r\ncontent-type: application/jwk-set+json\r\n")
            .await?;
        peer.say("set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\n{}")
            .await
    })
    .await;
    let answer = get(&client(), &server.url("/keys")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    let cookies = answer.headers().get_all("set-cookie");
    assert_eq!(cookies.iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(answer.body(), "{}");
}

#[tokio::test]
async fn what_is_sent_is_what_was_asked_for() {
    let server = Server::plain(async |mut peer| {
        let echo = peer.request.clone();
        let length = echo.len();
        peer.say(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nset-cookie: a=1\r\n\r\n{echo}"
        ))
        .await
    })
    .await;
    let client = client();
    for _ in 0..2 {
        let form = Request::post(server.url("/token?a=b%20c"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", "Basic aTpz")
            .body(Bytes::from_static(
                b"grant_type=authorization_code&code=a%2Fb",
            ))
            .unwrap();
        let echo = send(&client, form, KIB_64).await.unwrap();
        let echo = std::str::from_utf8(echo.body()).unwrap();
        let (head, body) = echo.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head.lines().collect();
        lines[1..].sort_unstable();
        let host = format!("host: {}", server.address);
        let expected = [
            "POST /token?a=b%20c HTTP/1.1",
            "accept: */*",
            "authorization: Basic aTpz",
            "content-length: 40",
            "content-type: application/x-www-form-urlencoded",
            &host,
        ];
        assert_eq!(lines, expected);
        assert_eq!(body, "grant_type=authorization_code&code=a%2Fb");
    }
}

// OA23
#[tokio::test]
async fn a_redirect_is_handed_back() {
    let elsewhere = Server::plain(async |mut peer| peer.say(NOTHING).await).await;
    let server = Server::plain(async |mut peer| {
        let (_, to) = peer.request.split_once("?to=").unwrap();
        let to = to.split(' ').next().unwrap().to_owned();
        let status = peer.request[5..8].to_owned();
        peer.say(format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await
    })
    .await;
    let client = client();
    for status in [301, 302, 303, 307, 308] {
        let to = elsewhere.url("/");
        let url = server.url(&format!("/{status}?to={to}"));
        let answer = get(&client, &url).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["location"], *to);
    }
    assert_eq!(elsewhere.connections(), 0);
}

// OA23
#[tokio::test]
async fn what_breaks_is_unreachable_and_sent_once() {
    let broken = [
        Server::plain(async |peer| peer.reset()).await,
        Server::plain(async |_| Ok(())).await,
        Server::plain(async |mut peer| peer.say("HTTP/1.1 200 OK\r\nconte").await).await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf ")
                .await?;
            peer.reset()
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf ")
                .await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf \r\n")
                .await
        })
        .await,
        Server::plain(async |mut peer| peer.say("SSH-2.0-OpenSSH_9.2p1\r\n").await).await,
    ];
    let client = client();
    for (case, server) in broken.iter().enumerate() {
        let error = get(&client, &server.url("/")).await.unwrap_err();
        assert!(
            matches!(error, HttpError::Unreachable(_)),
            "{case}: {error}"
        );
        assert_eq!(server.connections(), 1, "{case}");
    }
}

/// A call on a connection that was kept might be lost with it, and must not be repeated.
#[tokio::test]
async fn each_call_has_a_connection_of_its_own() {
    let server = Server::plain(async |mut peer| {
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n")
            .await?;
        peer.hang().await
    })
    .await;
    let client = client();
    for calls in 1..4 {
        get(&client, &server.url("/")).await.unwrap();
        assert_eq!(server.connections(), calls);
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let error = get(&client(), &url).await.unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
    assert!(whole(&error).contains("refused"), "{}", whole(&error));
}

#[tokio::test]
async fn an_error_repeats_neither_question_nor_answer() {
    let indiscreet = [
        Server::plain(async |peer| peer.reset()).await,
        Server::plain(async |peer| peer.hang().await).await,
        Server::plain(async |mut peer| peer.say("HTTP/1.1 s3cret\r\n\r\n").await).await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ns3cret s3cret: s3cret\r\n\r\n")
                .await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: s3cret\r\n\r\n")
                .await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\ns3cret")
                .await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\ns3cret\r\n")
                .await
        })
        .await,
        Server::plain(async |mut peer| {
            peer.say("HTTP/1.1 302 Found\r\nlocation: ht!tp://s3cret\r\ncontent-length: 99\r\n\r\n")
                .await
        })
        .await,
    ];
    let client = crate::hasty();
    for (case, server) in indiscreet.iter().enumerate() {
        let secretive = Request::post(server.url("/path?code=s3cret"))
            .header("authorization", "Basic s3cret")
            .body(Bytes::from_static(b"s3cret"))
            .unwrap();
        let error = send(&client, secretive, KIB_64).await.unwrap_err();
        let shown = format!("{} {client:?}", whole(&error));
        assert!(!shown.contains("s3cret"), "{case}: {shown}");
        assert_eq!(server.requests(), 1, "{case}");
    }
}
