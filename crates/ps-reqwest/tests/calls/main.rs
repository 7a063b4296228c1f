//! The client against servers in this process, over real sockets.
#![allow(clippy::unwrap_used, missing_docs)]

mod answers;
mod certificates;
mod deadlines;
mod loopback;
mod proxies;
mod room;
mod server;
mod sizes;
mod tls;

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use ps_oauth::{HttpClient, HttpError};
use ps_reqwest::{CallPolicy, ReqwestClient};

use server::{NOTHING, Peer, Server};

const KIB_64: usize = 64 * 1024;

fn client() -> ReqwestClient {
    ReqwestClient::danger_plain_loopback(CallPolicy::default()).unwrap()
}

/// A client that loses patience soon.
fn hasty() -> ReqwestClient {
    let policy = CallPolicy::default().with_total(Duration::from_millis(300));
    ReqwestClient::danger_plain_loopback(policy).unwrap()
}

/// What a call ends with, which it must within five seconds.
async fn send(
    client: &ReqwestClient,
    request: Request<Bytes>,
    at_most: usize,
) -> Result<Response<Bytes>, HttpError> {
    let sending = tokio::time::timeout(Duration::from_secs(5), client.send(request, at_most));
    sending.await.expect("a call has a deadline")
}

async fn get(client: &ReqwestClient, url: &str) -> Result<Response<Bytes>, HttpError> {
    send(client, request(url), KIB_64).await
}

fn request(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

/// An error with all its sources, as a careful log would show it.
fn whole(error: &dyn Error) -> String {
    let own = format!("{error} / {error:?}");
    match error.source() {
        Some(source) => own + "; " + &whole(source),
        None => own,
    }
}
