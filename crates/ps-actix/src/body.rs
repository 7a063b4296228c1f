//! Bodies: of requests, read as far as they are wanted, and of answers.

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, MessageBody},
    dev::Payload,
    rt::time::timeout,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Method, header, request::Parts};
use ps_http::BODY_LIMIT;

/// How long a client may take to send a body.
const DEADLINE: Duration = Duration::from_secs(10);

/// The body, or its first [`BODY_LIMIT`] + 1 bytes, which is enough to refuse it in its turn; `None`
/// where the client broke off or took longer than ten seconds. A body that comes in one piece is not
/// copied.
pub(crate) async fn read(head: &Parts, payload: &mut Payload) -> Option<Bytes> {
    // Most requests have none, and for those no timer is set.
    if matches!(payload, Payload::None) {
        return Some(Bytes::new());
    }
    let most = announced(head).map_or(BODY_LIMIT + 1, |length| length.min(BODY_LIMIT + 1));
    timeout(DEADLINE, read_all(payload, most)).await.ok()?
}

/// How long the body is where actix-web takes all that follows for it: where the client wishes for
/// another protocol, which it does not get here.
fn announced(head: &Parts) -> Option<usize> {
    let leaves = head.method == Method::CONNECT || head.headers.contains_key(header::UPGRADE);
    if !leaves || head.headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    let length = head.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Some(length.unwrap_or(0))
}

async fn read_all(payload: &mut Payload, most: usize) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while first.len() + more.len() < most {
        let Some(piece) = payload.next().await else {
            break;
        };
        let piece = piece.ok()?;
        if first.is_empty() {
            first = piece;
        } else {
            more.extend_from_slice(&piece);
        }
    }
    if more.is_empty() {
        first.truncate(most);
        return Some(first);
    }
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&more);
    whole.truncate(most);
    Some(whole.freeze())
}

/// The body of an answer, with what was left unread of the request's. While actix-web sees that, it
/// closes the connection after the answer; else it would read on for as long as the client sends.
pub(crate) struct Answered {
    bytes: Bytes,
    length: u64,
    _unread: Payload,
}

impl Answered {
    /// `length` is what is said of a body that is not sent: of the answer to `HEAD`.
    pub(crate) fn new(bytes: Bytes, length: Option<u64>, unread: Payload) -> Self {
        Self {
            length: length.unwrap_or(bytes.len() as u64),
            bytes,
            _unread: unread,
        }
    }
}

impl MessageBody for Answered {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let bytes = mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}
