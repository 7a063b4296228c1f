//! API keys and sessions on hyper alone: what an adapter does, written out.

mod compose;

use std::{convert::Infallible, env, error::Error, io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ps_http::{Auth, BODY_LIMIT, Connection};
use tokio::{net::TcpListener, time::timeout};

/// How long a client may take to send the head of a request, and then its body.
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8083")).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let auth = Arc::new(compose::compose(&url)?);
    let background = Arc::clone(&auth);
    tokio::spawn(async move { background.run().await });
    println!("curl {url}/api/auth/register-magic --json '{{\"email\": \"you@example.com\"}}'");
    Ok(serve(listener, auth).await?)
}

async fn serve(listener: TcpListener, auth: Arc<Auth>) -> io::Result<()> {
    let mut server = http1::Builder::new();
    let server = server.timer(TokioTimer::new());
    let server = server.header_read_timeout(DEADLINE);
    loop {
        let (stream, peer) = listener.accept().await?;
        let (auth, on) = (Arc::clone(&auth), Connection { peer, tls: false });
        let service = service_fn(move |request| answer(Arc::clone(&auth), request, on));
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    auth: Arc<Auth>,
    request: Request<Incoming>,
    on: Connection,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = timeout(DEADLINE, read(body)).await.ok().flatten();
    let response = auth.handle_parts(head, body, on).await;
    Ok(response.map(Full::new))
}

/// A body, or as much of one as it takes to refuse it; none if it broke off.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while read.len() <= BODY_LIMIT
        && let Some(frame) = body.frame().await
    {
        let data = frame.ok()?.into_data();
        read.extend_from_slice(&data.unwrap_or_default());
    }
    read.truncate(BODY_LIMIT + 1);
    Some(read.freeze())
}
