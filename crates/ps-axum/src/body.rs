//! Bodies, read as far as they are wanted.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use ps_http::BODY_LIMIT;

/// How long a client may take to send a body.
const DEADLINE: Duration = Duration::from_secs(10);

/// The body, or its first [`BODY_LIMIT`] + 1 bytes, which is enough to refuse it in its turn; `None`
/// where the client broke off or took longer than ten seconds. A body that comes in one piece is not
/// copied.
pub(crate) async fn read(body: Body) -> Option<Bytes> {
    // Most requests have none, and for those no timer is set.
    if body.is_end_stream() {
        return Some(Bytes::new());
    }
    tokio::time::timeout(DEADLINE, read_all(body)).await.ok()?
}

async fn read_all(mut body: Body) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while first.len() + more.len() <= BODY_LIMIT {
        let Some(frame) = body.frame().await else {
            break;
        };
        let Ok(data) = frame.ok()?.into_data() else {
            continue; // trailers
        };
        if first.is_empty() {
            first = data;
        } else {
            more.extend_from_slice(&data);
        }
    }
    if more.is_empty() {
        first.truncate(BODY_LIMIT + 1);
        return Some(first);
    }
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&more);
    whole.truncate(BODY_LIMIT + 1);
    Some(whole.freeze())
}
