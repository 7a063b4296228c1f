//! The fake provider behind a socket, spoken to byte by byte.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, time::Duration};

use ps_core::Clock;
use ps_testkit::{
    TestAmbient,
    openid::{FakeProvider, Misbehaviour, Person, Quirks},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

struct Served {
    address: SocketAddr,
    provider: FakeProvider,
    serving: JoinHandle<()>,
}

async fn serve(test: &TestAmbient) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ambient = test.ambient();
    let issuer = format!("http://{address}/google");
    let provider = FakeProvider::new(issuer, ambient.clock, ambient.random)
        .with_quirks(Quirks::GOOGLE)
        .with_client("client", "secret", "http://127.0.0.1:1/callback")
        .with_person(Person::new("1", "ada@gmail.com"));
    let serving = tokio::spawn(provider.clone().serve(listener));
    Served {
        address,
        provider,
        serving,
    }
}

/// Sends a request and reads until the connection ends: the head and the body.
async fn talk(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

async fn get(address: SocketAddr, target: &str) -> (String, String) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    talk(address, &request).await
}

async fn post(address: SocketAddr, target: &str, form: &str) -> (String, String) {
    let length = form.len();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    talk(address, &request).await
}

#[tokio::test]
async fn a_whole_sign_in_over_the_socket() {
    let served = serve(&TestAmbient::default()).await;
    let address = served.address;
    let (head, body) = get(address, "/google/.well-known/openid-configuration").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let metadata: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(metadata["issuer"], served.provider.issuer());
    let path = |name: &str| {
        let url = metadata[name].as_str().unwrap();
        let rest = url.strip_prefix(&format!("http://{address}")).unwrap();
        rest.to_owned()
    };

    let query = "response_type=code&client_id=client&scope=openid+email&state=s&login_hint=1\
        &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback";
    let target = format!("{}?{query}", path("authorization_endpoint"));
    let (head, _) = get(address, &target).await;
    assert!(head.starts_with("HTTP/1.1 303 "), "{head}");
    let place = head
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let (_, query) = place.split_once('?').unwrap();
    let (code, state) = query.split_once('&').unwrap();
    assert_eq!(state, "state=s");

    let form = format!(
        "grant_type=authorization_code&client_id=client&client_secret=secret&{code}\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback"
    );
    let (head, body) = post(address, &path("token_endpoint"), &form).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let tokens: Value = serde_json::from_str(&body).unwrap();
    let access_token = tokens["access_token"].as_str().unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {access_token}\r\n\r\n",
        path("userinfo_endpoint")
    );
    let (_, body) = talk(address, &request).await;
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(said["email"], "ada@gmail.com");
    assert_eq!(said["sub"], "1");

    let (head, body) = post(address, &path("token_endpoint"), &form).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert_eq!(body, r#"{"error":"invalid_grant"}"#);
    let calls = served.provider.calls();
    assert_eq!([calls.token, calls.codes_reused, calls.userinfo], [2, 1, 1]);
}

#[tokio::test]
async fn faults_reach_the_wire() {
    let test = TestAmbient::default();
    let served = serve(&test).await;
    let address = served.address;
    let provider = &served.provider;

    provider.misbehave(Misbehaviour::Reset);
    assert_eq!(get(address, "/google/jwks").await, Default::default());
    provider.misbehave(Misbehaviour::TooLong);
    assert!(get(address, "/google/jwks").await.1.len() > 5 << 20);
    provider.misbehave(Misbehaviour::Redirect);
    let (head, _) = get(address, "/google/jwks").await;
    assert!(head.starts_with("HTTP/1.1 307 "), "{head}");

    let span = Duration::from_secs(60);
    provider.misbehave(Misbehaviour::Slow(span));
    let waiting = tokio::spawn(get(address, "/google/jwks"));
    while test.clock.sleepers() == 0 {
        assert!(!waiting.is_finished());
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    let before = test.clock.now();
    test.clock.advance(span);
    let (head, _) = waiting.await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(test.clock.now().since(before), span);

    provider.behave();
    let long = "x".repeat(64 * 1024 + 1);
    let (head, _) = post(address, "/google/token", &long).await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}

#[tokio::test]
async fn who_stops_serving_ends_every_connection() {
    let served = serve(&TestAmbient::default()).await;
    let mut open = TcpStream::connect(served.address).await.unwrap();
    let request = b"GET /google/jwks HTTP/1.1\r\nHost: x\r\n\r\n";
    open.write_all(request).await.unwrap();
    let mut start = [0; 12];
    open.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    served.serving.abort();
    assert!(served.serving.await.unwrap_err().is_cancelled());
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(10), open.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
    assert!(TcpStream::connect(served.address).await.is_err());
}
