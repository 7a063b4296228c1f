//! A server whose answers are written by hand.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A whole answer with nothing in it.
pub(crate) const NOTHING: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// The other end of one connection, after its request was read.
pub(crate) struct Peer {
    /// Head and body, as they came over the wire.
    pub(crate) request: String,
    stream: Stream,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Server {
    /// Lets `answer` answer the one request of each connection, which then is closed.
    pub(crate) async fn start<F, A>(tls: Option<Arc<ServerConfig>>, answer: F) -> Self
    where
        F: Fn(Peer) -> A + Send + Sync + 'static,
        A: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::default(), Arc::default());
        let server = Self {
            address,
            connections: Arc::clone(&connections),
            requests: Arc::clone(&requests),
        };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, SeqCst);
                let (tls, requests) = (tls.clone(), Arc::clone(&requests));
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let peer = Peer::meet(stream, tls).await?;
                    requests.fetch_add(1, SeqCst);
                    answer(peer).await
                });
            }
        });
        server
    }

    pub(crate) async fn plain<F, A>(answer: F) -> Self
    where
        F: Fn(Peer) -> A + Send + Sync + 'static,
        A: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::start(None, answer).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

impl Peer {
    async fn meet(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let stream = match tls {
            Some(tls) => Stream::Tls(Box::new(TlsAcceptor::from(tls).accept(stream).await?)),
            None => Stream::Plain(stream),
        };
        let mut peer = Self {
            request: String::new(),
            stream,
        };
        while !peer.is_complete() {
            let mut bytes = [0; 4096];
            let length = match &mut peer.stream {
                Stream::Plain(stream) => stream.read(&mut bytes).await?,
                Stream::Tls(stream) => stream.read(&mut bytes).await?,
            };
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            peer.request += std::str::from_utf8(&bytes[..length]).unwrap();
        }
        Ok(peer)
    }

    fn is_complete(&self) -> bool {
        let Some((head, body)) = self.request.split_once("\r\n\r\n") else {
            return false;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        length.is_none_or(|length| length.parse() == Ok(body.len()))
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// One byte every 20 ms, again and again.
    pub(crate) async fn drip(&mut self, bytes: &[u8]) -> io::Result<()> {
        loop {
            for byte in bytes {
                self.say([*byte]).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub(crate) async fn hang(self) -> io::Result<()> {
        std::future::pending().await
    }

    /// Breaks the connection off, instead of closing it (RFC 9293 §3.10.7).
    pub(crate) fn reset(self) -> io::Result<()> {
        match &self.stream {
            Stream::Plain(stream) => stream.set_zero_linger(),
            Stream::Tls(stream) => stream.get_ref().0.set_zero_linger(),
        }
    }
}
