//! The provider behind a socket.

use std::io;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, yield_now},
};

use super::{FakeProvider, Misbehaviour};

const LONGEST_REQUEST: usize = 64 * 1024;

impl FakeProvider {
    /// Serves HTTP/1.1, without TLS, to whoever connects. It never ends; dropping the future ends
    /// every connection.
    pub async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(connections.spawn(self.clone().connection(stream))),
                // The next one may succeed: what is refused here is a single connection.
                Err(_) => yield_now().await,
            }
            while connections.try_join_next().is_some() {}
        }
    }

    async fn connection(self, stream: TcpStream) {
        let answer = service_fn(|request| self.clone().answer_over(request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
        // How a connection ends is the client's business, or was asked for.
        let _ = connection.await;
    }

    /// An error closes the connection without an answer.
    async fn answer_over(self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        self.count(request.uri());
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LONGEST_REQUEST).collect().await else {
            let mut refused = Response::new(Full::default());
            *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(refused);
        };
        let misbehaviour = self.state().misbehaviour;
        match misbehaviour {
            Some(Misbehaviour::Slow(span)) => self.clock().sleep(span).await,
            Some(Misbehaviour::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        let request = Request::from_parts(head, body.to_bytes());
        Ok(self.answer(&request).map(Full::new))
    }
}
