//! What one connection may take of the server: real sockets that say little or nothing.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use common::Server;

/// Says `said` and nothing more, and waits until the server has closed the connection: what it
/// answered by then. Ten seconds are allowed; what is kept for twenty-five is a failure.
fn until_closed(server: &Server, said: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(25)))
        .unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(
            error.kind(),
            ErrorKind::ConnectionReset,
            "kept open after {said:?}: {error}"
        );
    }
    String::from_utf8_lossy(&answer).into_owned()
}

// HT5
#[test]
fn whoever_sends_too_slowly_or_too_much_is_let_go() {
    let server = Server::start();
    let host = &server.address;
    let body =
        format!("POST /api/auth/logout HTTP/1.1\r\nhost: {host}\r\ncontent-length: 10\r\n\r\n12");
    let large = format!(
        "GET /healthz HTTP/1.1\r\nhost: {host}\r\nx: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    let many = format!(
        "GET /healthz HTTP/1.1\r\nhost: {host}\r\n{}\r\n",
        "x: y\r\n".repeat(150)
    );
    std::thread::scope(|scope| {
        for slow in [
            "",
            "P",
            "GET / HTTP/1.1\r\nhost:",
            body.as_str(),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let server = &server;
            scope.spawn(move || until_closed(server, slow));
        }
        for refused in [&large, &many] {
            let answer = until_closed(&server, refused);
            assert!(answer.starts_with("HTTP/1.1 431"), "{answer:?}");
        }
        // Everybody else is answered meanwhile.
        assert_eq!(server.client().send("GET", "/healthz", &[], "").status, 200);
    });
}
