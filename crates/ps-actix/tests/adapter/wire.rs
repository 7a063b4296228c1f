//! A server on a real socket, and a client that writes requests byte by byte.

use std::{net::SocketAddr, sync::mpsc, thread, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    rt::{System, time::timeout},
    web::ServiceConfig,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

/// Far longer than anything here takes, and shorter than a body is waited for.
const PATIENCE: Duration = Duration::from_secs(8);

pub struct Server {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    pub fn start(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = move || App::new().configure(configure.clone());
        let server = move || HttpServer::new(app).workers(1).disable_signals();
        let handle = run(move || server().listen(listener).unwrap().run());
        Self { address, handle }
    }

    pub async fn connect(&self) -> Wire {
        Wire(BufStream::new(
            TcpStream::connect(self.address).await.unwrap(),
        ))
    }

    /// One request on a connection of its own.
    pub async fn answer(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.answer().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Runs a server on a thread of its own, as actix-web wants it.
pub fn run(server: impl FnOnce() -> actix_web::dev::Server + Send + 'static) -> ServerHandle {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        System::new().block_on(async move {
            let server = server();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    told.recv().unwrap()
}

pub struct Wire(BufStream<TcpStream>);

impl Wire {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Sends until the other side takes no more.
    pub async fn flood(&mut self, piece: &[u8]) {
        let flooding = async {
            while self.0.write_all(piece).await.is_ok() && self.0.flush().await.is_ok() {}
        };
        timeout(PATIENCE, flooding).await.unwrap();
    }

    pub async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    pub async fn answer_to(&mut self, method: &str) -> Answer {
        read_answer(&mut self.0, method).await
    }

    /// Whether nothing more comes, because the other side has closed the connection.
    pub async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let reading = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        reading.unwrap().unwrap_or(0) == 0 && rest.is_empty()
    }

    pub async fn shut_down(&mut self) {
        self.0.shutdown().await.unwrap();
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status, and the code where the answer is a problem of ours.
    pub fn refusal(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }
}

pub async fn read_answer(from: &mut (impl AsyncBufRead + Unpin), method: &str) -> Answer {
    timeout(PATIENCE, reading(from, method)).await.unwrap()
}

async fn reading(from: &mut (impl AsyncBufRead + Unpin), method: &str) -> Answer {
    let line = line(from).await;
    let status = line.split(' ').nth(1).expect("a status line");
    let mut answer = Answer {
        status: status.parse().unwrap(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = self::line(from).await;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = answer.all("content-length");
    let length = length.first().map_or(0, |length| length.parse().unwrap());
    if method != "HEAD" {
        answer.body = vec![0; length];
        from.read_exact(&mut answer.body).await.unwrap();
    }
    answer
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> String {
    let mut line = String::new();
    from.read_line(&mut line).await.unwrap();
    assert!(line.ends_with("\r\n"), "cut off: {line:?}");
    line.trim_end().to_owned()
}
