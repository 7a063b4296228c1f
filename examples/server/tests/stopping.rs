//! A server that is told to stop finishes what is in flight.

#![allow(clippy::unwrap_used)]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::Duration,
};

use common::{FRAMEWORKS, Server};

// OP6
#[test]
fn who_is_halfway_through_a_request_gets_an_answer_and_nobody_else_is_let_in() {
    for framework in FRAMEWORKS {
        let server = Server::start_on(framework);
        let address = server.address.clone();
        let body = r#"{"email":"alice@example.com"}"#;
        let mut halfway = TcpStream::connect(&address).unwrap();
        halfway
            .set_read_timeout(Some(Duration::from_secs(8)))
            .unwrap();
        let head = format!(
            "POST /api/auth/magic-code HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        halfway.write_all(head.as_bytes()).unwrap();
        halfway.write_all(&body.as_bytes()[..10]).unwrap();
        // Until the server has read the head.
        thread::sleep(Duration::from_millis(300));
        let told = Command::new("kill")
            .args(["-TERM", &server.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        // It takes nobody any more, and goes on with what it has.
        let mut refused = false;
        for _ in 0..100 {
            refused = TcpStream::connect(&address).is_err();
            if refused {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        assert!(refused, "{framework} takes connections while it stops");
        halfway.write_all(&body.as_bytes()[10..]).unwrap();
        let mut answer = String::new();
        halfway.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 202"),
            "{framework}: {answer:?}"
        );
        let (folder, code) = server.stop();
        assert_eq!(code, Some(0), "{framework}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
