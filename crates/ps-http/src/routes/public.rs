//! What a load balancer asks.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use ps_core::{Ambient, Follower};
use serde::Serialize;

use crate::{Answer, Code, Problem, Route, json};

/// How far this node's clock and the store's may be apart.
const APART: Duration = Duration::from_secs(2);

pub(crate) fn probes(follower: Arc<Follower>, ambient: Ambient) -> [Route; 2] {
    [
        Route::public(Method::GET, "/healthz", |_| async { Ok(fine()) }),
        Route::public(Method::GET, "/readyz", move |_| {
            ready(Arc::clone(&follower), ambient.clone())
        }),
    ]
}

/// Ready while the store answers and tells about the same time: every expiry is judged by this
/// node's clock.
async fn ready(follower: Arc<Follower>, ambient: Ambient) -> Answer {
    let theirs = follower.store_time().await?;
    let ours = ambient.clock.now();
    if ours.since(theirs) > APART || theirs.since(ours) > APART {
        tracing::error!(
            ?ours,
            ?theirs,
            "this node's clock and the store's are apart"
        );
        return Err(Problem::new(Code::Unavailable));
    }
    Ok(fine())
}

fn fine() -> http::Response<bytes::Bytes> {
    #[derive(Serialize)]
    struct Body {
        status: &'static str,
    }
    json(StatusCode::OK, &Body { status: "ok" })
}
