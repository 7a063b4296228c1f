//! Where plain http may go.

use std::net::TcpListener;

use ps_oauth::HttpError;
use ps_reqwest::{CallPolicy, ReqwestClient};

use crate::{NOTHING, Server, client, get, whole};

const REFUSED: &str = "only https is spoken";

async fn server() -> Server {
    Server::plain(async |mut peer| peer.say(NOTHING).await).await
}

#[tokio::test]
async fn plain_http_is_refused_unless_allowed() {
    let server = server().await;
    let strict = ReqwestClient::new(CallPolicy::default()).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", server.address.port());
        let error = get(&strict, &url).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable(_)), "{error}");
        assert!(whole(&error).contains(REFUSED), "{}", whole(&error));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn plain_http_stays_on_this_machine_even_where_allowed() {
    let client = client();
    let elsewhere = [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://192.0.2.1/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[2001:db8::1]/",
        "http://[::ffff:192.0.2.1]/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://example.localhost/",
        "http://localhost.localdomain/",
        "http://127.0.0.1@example.com/",
        "http://localhost:80@example.com/",
        "http://128.0.0.1/",
        "ftp://127.0.0.1/",
        "ws://127.0.0.1/",
    ];
    for url in elsewhere {
        let why = whole(&get(&client, url).await.unwrap_err());
        assert!(why.contains(REFUSED), "{url}: {why}");
    }
}

#[tokio::test]
async fn this_machine_has_several_names() {
    let server = server().await;
    let client = client();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "2130706433"] {
        let url = format!("http://{host}:{}/", server.address.port());
        get(&client, &url).await.expect(host);
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for host in ["127.255.255.254", "[::1]"] {
        let error = get(&client, &format!("http://{host}:{port}/")).await;
        let why = whole(&error.unwrap_err());
        assert!(!why.contains(REFUSED), "{host}: {why}");
    }
}

#[tokio::test]
async fn what_is_no_url_is_an_error() {
    let client = client();
    let path_only = http::Request::get("/token?code=s3cret");
    let path_only = path_only.body(bytes::Bytes::new()).unwrap();
    let error = crate::send(&client, path_only, 0).await.unwrap_err();
    let why = whole(&error);
    assert!(matches!(error, HttpError::Unreachable(_)), "{why}");
    assert!(!why.contains("s3cret"), "{why}");
}

/// A server that is set up before its runtime runs must not panic.
#[test]
fn a_client_is_made_without_a_runtime() {
    drop(client());
}
