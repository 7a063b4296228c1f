//! The port.

use std::{
    fmt, mem,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use ps_oauth::{HttpClient, HttpError};
use reqwest::{Certificate, Client, Request, Response, redirect, retry};
use tokio::time::timeout;
use url::{Host, Url};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::{
    CallPolicy, InvalidClient,
    error::{Failure, broken},
    room::Rooms,
};

/// An [`HttpClient`] over https (RFC 9110 §4.2.2), in HTTP/1.1.
///
/// It sends on tokio's runtime, with I/O and time enabled; making one needs none.
pub struct ReqwestClient {
    client: Client,
    policy: CallPolicy,
    plain_loopback: bool,
    private_roots: Vec<Certificate>,
    rooms: Rooms,
}

impl ReqwestClient {
    /// A client that speaks https and nothing else.
    ///
    /// # Errors
    /// [`InvalidClient::Tls`] where TLS cannot be set up with the cryptography that this process has
    /// chosen.
    pub fn new(policy: CallPolicy) -> Result<Self, InvalidClient> {
        Ok(Self {
            client: build(&policy, &[]).map_err(|_| InvalidClient::Tls)?,
            plain_loopback: false,
            private_roots: Vec::new(),
            rooms: Rooms::new(policy.at_once),
            policy,
        })
    }

    /// A client that also speaks plain http, to `127.0.0.0/8`, `[::1]` and `localhost`: for
    /// development and tests. Whatever a resolver says, `localhost` is this machine.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn danger_plain_loopback(policy: CallPolicy) -> Result<Self, InvalidClient> {
        let client = Self::new(policy)?;
        Ok(Self {
            plain_loopback: true,
            ..client
        })
    }

    /// Trusts these certificate authorities, besides the public ones: one or more certificates in
    /// PEM form.
    ///
    /// # Errors
    /// [`InvalidClient::Certificate`] where there is none in it, or one that cannot be read.
    pub fn with_root_certificate(mut self, pem: &[u8]) -> Result<Self, InvalidClient> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|_| InvalidClient::Certificate)?;
        if roots.is_empty() {
            return Err(InvalidClient::Certificate);
        }
        self.private_roots.extend(roots);
        self.client =
            build(&self.policy, &self.private_roots).map_err(|_| InvalidClient::Certificate)?;
        Ok(self)
    }

    fn may_go_to(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.plain_loopback && is_loopback(url),
            _ => false,
        }
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        at_most: usize,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let request = Request::try_from(request).map_err(broken)?;
        if !self.may_go_to(request.url()) {
            return Err(Failure::Insecure.into());
        }
        let room = self.rooms.of(request.url());
        let call = async {
            let _turn = room.acquire().await;
            let answer = self.client.execute(request).await.map_err(broken)?;
            read(answer, at_most).await
        };
        let answer = timeout(self.policy.total, call).await;
        answer.unwrap_or(Err(Failure::Late.into()))
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient")
            .field("policy", &self.policy)
            .field("plain_loopback", &self.plain_loopback)
            .field("private_roots", &self.private_roots.len())
            .finish_non_exhaustive()
    }
}

/// Every default that a feature of reqwest might change is set here, because another crate in the
/// same program may have turned that feature on.
fn build(policy: &CallPolicy, private_roots: &[Certificate]) -> reqwest::Result<Client> {
    let roots = TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|root| Certificate::from_der(root))
        .chain(private_roots.iter().cloned().map(Ok))
        .collect::<reqwest::Result<Vec<_>>>()?;
    // The port is the URL's.
    let loopback = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    ];
    Client::builder()
        .connect_timeout(policy.connect)
        .http1_only()
        .no_brotli()
        .no_deflate()
        .no_gzip()
        .no_hickory_dns()
        .no_proxy()
        .no_zstd()
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::none())
        .resolve_to_addrs("localhost", &loopback)
        .retry(retry::never())
        .tls_backend_rustls()
        .tls_certs_only(roots)
        .build()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

async fn read(mut answer: Response, at_most: usize) -> Result<http::Response<Bytes>, HttpError> {
    if answer.content_length() > Some(at_most as u64) {
        return Err(HttpError::TooLong);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if chunk.len() > at_most - body.len() {
            return Err(HttpError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(body.freeze());
    *whole.status_mut() = answer.status();
    *whole.version_mut() = answer.version();
    *whole.headers_mut() = mem::take(answer.headers_mut());
    Ok(whole)
}
