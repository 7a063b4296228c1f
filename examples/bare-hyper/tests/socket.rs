//! The example as it runs, over its socket.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Longer than a body is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bare-hyper"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        Self {
            process,
            output,
            address,
        }
    }

    /// The next line of a mail that is a code and nothing else.
    fn code(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "no code");
            let found = line.split(|c: char| !c.is_ascii_digit());
            if let Some(code) = found.into_iter().find(|run| (6..=8).contains(&run.len())) {
                return code.to_owned();
            }
        }
    }

    fn send(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("{head}\r\nhost: {}\r\nconnection: close\r\n", self.address);
        stream.write_all(head.as_bytes()).unwrap();
        stream
            .write_all(b"content-type: application/json\r\n")
            .unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    fn ask(&self, head: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let length = body.len();
        answer(self.send(
            head,
            format!("content-length: {length}\r\n\r\n{body}").as_bytes(),
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answer(mut stream: TcpStream) -> (u16, Value) {
    let mut text = Vec::new();
    // What was never read of a request resets the connection behind the answer.
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn code_of((status, body): (u16, Value)) -> (u16, String) {
    let code = body["code"].as_str().unwrap_or_default();
    (status, code.to_owned())
}

#[test]
fn a_newcomer_signs_up_and_makes_a_key() {
    let mut server = Server::start();
    let asked = server.ask(
        "POST /api/auth/register-magic HTTP/1.1",
        &json!({ "email": "you@example.com" }),
    );
    assert_eq!(asked.0, 202);
    let proof = json!({ "code": server.code(), "challenge": asked.1["challenge"] });
    let (status, session) = server.ask("POST /api/auth/register-magic/verify HTTP/1.1", &proof);
    assert_eq!(status, 201, "{session}");
    let token = session["access_token"].as_str().unwrap();

    let head = format!("POST /api/keys HTTP/1.1\r\nauthorization: Bearer {token}");
    let (status, made) = server.ask(&head, &json!({ "name": "first" }));
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().unwrap();
    let head = format!("GET /api/v1/whoami HTTP/1.1\r\nx-api-key: {key}");
    let (status, who) = server.ask(&head, &Value::Null);
    assert_eq!(
        (status, &who["account_id"]),
        (200, &session["account"]["id"])
    );
    let unknown = server.ask("GET /elsewhere HTTP/1.1", &Value::Null);
    assert_eq!(code_of(unknown), (404, "not_found".to_owned()));
}

#[test]
fn a_body_too_large_or_torn_is_refused() {
    let server = Server::start();
    let asked = "POST /api/auth/register-magic HTTP/1.1";
    let large = json!({ "email": "x".repeat(16 * 1024) });
    let large = server.ask(asked, &large);
    assert_eq!(code_of(large), (413, "body_too_large".to_owned()));
    let torn = b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nno length\r\n";
    let torn = answer(server.send(asked, torn));
    assert_eq!(code_of(torn), (400, "malformed_json".to_owned()));

    let vanished = server.send(asked, b"content-length: 10\r\n\r\n{}");
    vanished.shutdown(Shutdown::Both).unwrap();
    assert_eq!(server.ask("GET /healthz HTTP/1.1", &Value::Null).0, 200);
}

// HT5
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "another process waits, by its own clock"
)]
fn a_body_is_waited_for_ten_seconds_and_a_head_too() {
    let server = Server::start();
    let started = Instant::now();
    let slow = server.send(
        "POST /api/auth/register-magic HTTP/1.1",
        b"content-length: 10\r\n\r\n{}",
    );
    let mut slower = server.send("POST /api/auth/register-magic HTTP/1.1", b"x-half");
    assert_eq!(code_of(answer(slow)), (400, "malformed_json".to_owned()));
    let waited = started.elapsed().as_secs();
    assert!((9..15).contains(&waited), "{waited}");
    assert!(slower.read_to_end(&mut Vec::new()).is_ok(), "closed");
}
