//! An SMTP server that keeps what it is given and breaks where it is told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::certificates::Authority;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Handshake,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Text,
    Rset,
}

pub(crate) enum Act {
    Go,
    /// Answers this, and does not do what was asked.
    Reply(&'static str),
    /// Answers this, and does what was asked.
    Say(&'static str),
    Hang,
    Drop,
}

#[derive(Clone)]
pub(crate) enum Security {
    Plain,
    StartTls(Arc<ServerConfig>),
    Tls(Arc<ServerConfig>),
}

impl Authority {
    /// A TLS server whose certificate is for this name or address.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(name);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

/// A mail as it came over the wire: dots are still doubled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) encrypted: bool,
    pub(crate) login: Option<String>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) wire: String,
}

#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    security: Security,
    fault: Arc<dyn Fn(Stage, usize) -> Act + Send + Sync>,
    received: Arc<Mutex<Vec<Received>>>,
    commands: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
type Io = BufReader<Box<dyn Stream>>;

impl Sink {
    /// `fault` is asked at each stage, with the number of the connection: 1 is the first.
    pub(crate) async fn start(
        security: Security,
        fault: impl Fn(Stage, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(anywhere, security, fault).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        security: Security,
        fault: impl Fn(Stage, usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            security,
            fault: Arc::new(fault),
            received: Arc::default(),
            commands: Arc::default(),
            connections: Arc::default(),
            open: Arc::default(),
            most_open: Arc::default(),
        };
        let server = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, number) =
                    (server.clone(), server.connections.fetch_add(1, SeqCst) + 1);
                tokio::spawn(async move {
                    let open = server.open.fetch_add(1, SeqCst) + 1;
                    server.most_open.fetch_max(open, SeqCst);
                    server.serve(stream, number).await;
                    server.open.fetch_sub(1, SeqCst);
                });
            }
        });
        sink
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The commands of all connections, each with the number of its own before it.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(crate) fn most_open(&self) -> usize {
        self.most_open.load(SeqCst)
    }

    /// `None` is the end of the connection, for whatever reason.
    async fn serve(&self, stream: TcpStream, number: usize) -> Option<()> {
        let mut mail = Received::default();
        let mut io: Io = BufReader::new(Box::new(stream));
        if let Security::Tls(config) = &self.security {
            io = self.handshake(io, config, number).await?;
            mail.encrypted = true;
        }
        self.answer(&mut io, Stage::Greeting, number, "220 sink")
            .await?;
        loop {
            let line = read_line(&mut io).await?;
            let command = line.trim_end().to_owned();
            self.commands
                .lock()
                .unwrap()
                .push(format!("{number} {command}"));
            let verb = command.split(' ').next()?.to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let greeting = self.capabilities(mail.encrypted);
                    self.answer(&mut io, Stage::Ehlo, number, greeting).await?;
                }
                "STARTTLS" => {
                    if self
                        .answer(&mut io, Stage::StartTls, number, "220 go")
                        .await?
                    {
                        let Security::StartTls(config) = &self.security else {
                            return None;
                        };
                        io = self.handshake(io, config, number).await?;
                        mail.encrypted = true;
                    }
                }
                "AUTH" => {
                    self.answer(&mut io, Stage::Auth, number, "235 welcome")
                        .await?;
                    mail.login = Some(command);
                }
                "MAIL" => {
                    self.answer(&mut io, Stage::Mail, number, "250 ok").await?;
                    (mail.from, mail.to) = (command, Vec::new());
                }
                "RCPT" => {
                    if self.answer(&mut io, Stage::Rcpt, number, "250 ok").await? {
                        mail.to.push(command);
                    }
                }
                "DATA" => {
                    if self
                        .answer(&mut io, Stage::Data, number, "354 go on")
                        .await?
                    {
                        mail.wire = read_text(&mut io).await?;
                        self.received.lock().unwrap().push(mail.clone());
                        self.answer(&mut io, Stage::Text, number, "250 taken")
                            .await?;
                    }
                }
                "RSET" => {
                    self.answer(&mut io, Stage::Rset, number, "250 ok").await?;
                }
                "QUIT" => {
                    say(&mut io, "221 bye").await?;
                    return None;
                }
                _ => say(&mut io, "500 what").await?,
            }
        }
    }

    fn capabilities(&self, encrypted: bool) -> &'static str {
        match (&self.security, encrypted) {
            (Security::StartTls(_), false) => "250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            _ => "250-sink\r\n250 AUTH PLAIN LOGIN",
        }
    }

    /// Whether to do what was asked.
    async fn answer(&self, io: &mut Io, stage: Stage, number: usize, usual: &str) -> Option<bool> {
        match (self.fault)(stage, number) {
            Act::Go => say(io, usual).await.map(|()| true),
            Act::Say(text) => say(io, text).await.map(|()| true),
            Act::Reply(text) => say(io, text).await.map(|()| false),
            Act::Hang => std::future::pending().await,
            Act::Drop => None,
        }
    }

    async fn handshake(&self, io: Io, config: &Arc<ServerConfig>, number: usize) -> Option<Io> {
        if let Act::Hang = (self.fault)(Stage::Handshake, number) {
            std::future::pending::<()>().await;
        }
        let acceptor = TlsAcceptor::from(config.clone());
        let stream = acceptor.accept(io.into_inner()).await.ok()?;
        Some(BufReader::new(Box::new(stream)))
    }
}

async fn say(io: &mut Io, text: &str) -> Option<()> {
    io.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    io.flush().await.ok()
}

async fn read_line(io: &mut Io) -> Option<String> {
    let mut line = String::new();
    (io.read_line(&mut line).await.ok()? > 0).then_some(line)
}

async fn read_text(io: &mut Io) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = read_line(io).await?;
        if line == ".\r\n" {
            return Some(text);
        }
        text += &line;
    }
}
