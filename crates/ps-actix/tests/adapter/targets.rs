//! Targets and headers reach the service as they were sent, however they are spelt.

use serde_json::{Value, json};

use crate::{
    ask, request,
    wire::Server,
    world::{HOST, World},
};

#[tokio::test]
async fn our_paths_have_one_spelling_and_every_other_is_the_hosts() {
    let server = Server::start(World::new().merged());
    let theirs = [
        "//api/nothing",
        "/api//nothing",
        "/api/nothing/",
        "/api/%6eothing",
        "/api%2Fnothing",
        "/%61pi/nothing",
        "/api/./nothing",
        "/api/x/../nothing",
        "/API/nothing",
        "/api/items/",
        "/api/items/a/b",
        "/api/%69tems/a",
        "/api/nothing;x",
        "/api/nothing%00",
        "/api/nothing%0a",
    ];
    for target in theirs {
        let answer = ask(&server, "GET", target).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{target}");
    }
    let all = ask(&server, "OPTIONS", "*").await;
    assert_eq!((all.status, all.body.len()), (404, 0));
}

#[tokio::test]
async fn a_parameter_is_not_decoded() {
    let server = Server::start(World::new().merged());
    for parameter in [
        "a", "%61", "a%2Fb", "a%2fb", "%2e%2e", "..", ".", "%", "%zz", "%00", "%0a", "%0A%0d",
        "a+b", "%C3%A9", "%FF", "{id}", "a;b", "a@b:c", "*",
    ] {
        let answer = ask(&server, "GET", &format!("/api/items/{parameter}")).await;
        assert_eq!(answer.status, 200, "{parameter}");
        assert_eq!(answer.json(), Value::from(parameter));
    }
    let asked = ask(&server, "GET", "/api/items/a?b=/c").await;
    assert_eq!(asked.json(), Value::from("a"));
}

#[tokio::test]
async fn the_whole_target_arrives() {
    let server = Server::start(World::new().merged());
    let own = |target: &str| request("GET", target, &[]);
    for (asked, authority, target) in [
        ("/api/head", None, "/api/head"),
        ("/api/head?", None, "/api/head?"),
        ("/api/head?a=%2e&b=//c?d", None, "/api/head?a=%2e&b=//c?d"),
        ("/api/head#x", None, "/api/head"),
        (
            "http://app.example.com/api/head?x",
            Some(HOST),
            "/api/head?x",
        ),
        ("HTTPS://app.example.com/api/head", Some(HOST), "/api/head"),
    ] {
        let answer = server.answer(own(asked)).await;
        assert_eq!(answer.status, 200, "{asked}");
        let head = answer.json();
        assert_eq!(head["target"], target, "{asked}");
        assert_eq!(head["authority"], json!(authority), "{asked}");
        assert_eq!(head["version"], "HTTP/1.1");
    }
    let old = format!("GET /api/head HTTP/1.0\r\nhost: {HOST}\r\n\r\n");
    assert_eq!(server.answer(old).await.json()["version"], "HTTP/1.0");
}

// HT3
#[tokio::test]
async fn a_target_that_names_another_host_is_refused() {
    let server = Server::start(World::new().merged());
    for target in [
        "http://evil.example/api/head",
        "http://app.example.com.evil.example/api/head",
        "http://app.example.com:80/api/head",
        "http://user@app.example.com/api/head",
    ] {
        let answer = ask(&server, "GET", target).await;
        assert_eq!(answer.status, 421, "{target}");
    }
}

#[tokio::test]
async fn every_value_of_a_header_arrives_in_order_and_to_the_byte() {
    let server = Server::start(World::new().merged());
    let mut asked = format!("GET /api/head HTTP/1.1\r\nHost: {HOST}\r\n").into_bytes();
    asked.extend(b"X-One: 1\r\nx-two: \xff\xfe\r\nX-ONE: \r\nx-one: 3, 4\r\n");
    asked.extend(b"x-two: caf\xc3\xa9\tau lait\r\ncookie: a=1\r\ncookie: b=2\r\n\r\n");
    let head = server.answer(asked).await.json();
    let all = |name: &str| -> Vec<Value> {
        let headers = head["headers"].as_array().unwrap().iter();
        let named = headers.filter(|header| header[0] == name);
        named.map(|header| header[1].clone()).collect()
    };
    let bytes = |value: &[u8]| json!(value);
    assert_eq!(all("x-one"), [bytes(b"1"), bytes(b""), bytes(b"3, 4")]);
    let two = [bytes(b"\xff\xfe"), bytes(b"caf\xc3\xa9\tau lait")];
    assert_eq!(all("x-two"), two);
    assert_eq!(all("cookie"), [bytes(b"a=1"), bytes(b"b=2")]);
    assert_eq!(all("host"), [bytes(HOST.as_bytes())]);
    assert_eq!(head["headers"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn two_credentials_are_seen_as_two() {
    let server = Server::start(World::new().merged());
    let twice = [("x-api-key", "ps_a"), ("X-Api-Key", "ps_a")];
    let answer = server
        .answer(request("GET", "/api/v1/whoami", &twice))
        .await;
    assert_eq!(answer.refusal(), crate::code(400, "ambiguous_credentials"));
}
