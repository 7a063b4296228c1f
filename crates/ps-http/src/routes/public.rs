//! What a load balancer asks.

#[cfg(feature = "openapi")]
mod described;

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use ps_core::{Ambient, Follower};
use serde::Serialize;

use crate::{Answer, Code, Problem, Route, json};

/// How far this node's clock and the store's may be apart.
const APART: Duration = Duration::from_secs(2);

pub(crate) fn probes(follower: Arc<Follower>, ambient: Ambient) -> [Route; 2] {
    let rows = [
        Route::public(Method::GET, "/healthz", |_| async { Ok(fine()) }),
        Route::public(Method::GET, "/readyz", move |_| {
            ready(Arc::clone(&follower), ambient.clone())
        }),
    ];
    #[cfg(feature = "openapi")]
    let rows = described::probes(rows);
    rows
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
    json(StatusCode::OK, &StatusBody { status: "ok" })
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Status))]
struct StatusBody {
    status: &'static str,
}
