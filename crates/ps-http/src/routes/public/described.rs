//! What the OpenAPI document says of probes.

use http::StatusCode;
use serde_json::json;

use super::StatusBody;
use crate::{
    Code, Route,
    openapi::{Description, Success},
};

pub(super) fn probes([lives, ready]: [Route; 2]) -> [Route; 2] {
    let about = |id, summary| Description::new(id, summary).under("Public");
    [
        lives.described(about("isAlive", "Whether the process lives").answers(fine("It lives."))),
        ready.described(
            about("isReady", "Whether its stores answer")
                .explained("And whether their clock and its own are less than two seconds apart.")
                .answers(fine("It is ready."))
                .refuses([Code::Unavailable]),
        ),
    ]
}

fn fine(meaning: &'static str) -> Success {
    Success::new(StatusCode::OK, meaning).with_json::<StatusBody>(json!({ "status": "ok" }))
}
