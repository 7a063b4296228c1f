//! Clients, good and bad.

use std::{io, net::SocketAddr, time::Duration};

use parity::Wire;
use tokio::time::sleep;

use crate::{Outcome, process::Child};

const HOST: &str = "host: 127.0.0.1:8080\r\n";
/// How many good clients ask at once.
const CLIENTS: usize = 8;

/// Good clients, which keep their connections.
pub(crate) struct Load<'a> {
    server: &'a Child,
    request: String,
}

impl<'a> Load<'a> {
    pub(crate) fn new(server: &'a Child, path: &str) -> Self {
        let key = &server.key;
        let request = format!("GET {path} HTTP/1.1\r\n{HOST}x-api-key: {key}\r\n\r\n");
        Self { server, request }
    }

    pub(crate) fn server(&self) -> &Child {
        self.server
    }

    /// So many requests, each answered with a 200.
    pub(crate) async fn run(&self, requests: usize) -> Outcome<()> {
        let clients = (0..CLIENTS.min(requests)).map(|_| {
            let (address, request) = (self.server.address, self.request.clone());
            let each = requests / CLIENTS.min(requests);
            tokio::spawn(async move {
                let mut wire = Wire::open(address).await?;
                for _ in 0..each {
                    let answer = wire.exchange(request.as_bytes(), false).await?;
                    if answer.status != 200 {
                        return Err(io::Error::other(format!("{answer:?}")));
                    }
                }
                Ok(())
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await??;
        }
        Ok(())
    }
}

/// Sends byte by byte for as long as it is let: a head, or a head at once and then its body.
pub(crate) async fn slow(address: SocketAddr, head: bool) -> io::Result<()> {
    loop {
        let mut wire = Wire::open(address).await?;
        let request = if head {
            format!(
                "GET /healthz HTTP/1.1\r\n{HOST}x-slow: {}",
                "x".repeat(4_000)
            )
        } else {
            let start = format!("POST /healthz HTTP/1.1\r\n{HOST}content-length: 4000\r\n\r\n");
            wire.send(start.as_bytes()).await?;
            "x".repeat(4_000)
        };
        for byte in request.as_bytes().chunks(1) {
            if wire.send(byte).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Connects and says nothing.
pub(crate) async fn idle(address: SocketAddr, count: usize) -> io::Result<Vec<Wire>> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        sockets.push(Wire::open(address).await?);
    }
    Ok(sockets)
}

/// Goes away in the middle of a body.
pub(crate) async fn vanishing(address: SocketAddr, count: usize) -> io::Result<()> {
    for place in 0..count {
        let mut wire = Wire::open(address).await?;
        let framing = if place % 2 == 0 {
            "content-length: 16000\r\n\r\n"
        } else {
            "transfer-encoding: chunked\r\n\r\n3e80\r\n"
        };
        let start = format!("POST /healthz HTTP/1.1\r\n{HOST}{framing}");
        wire.send(&[start.as_bytes(), &[b'x'; 8_000]].concat())
            .await?;
    }
    Ok(())
}
