//! What the OpenAPI document says of the key that asks.

use http::StatusCode;
use serde_json::json;

use super::WhoBody;
use crate::{
    Route,
    openapi::{Description, Success},
};

pub(super) fn whoami([whoami]: [Route; 1]) -> [Route; 1] {
    let example = json!({
        "account_id": "1mD8aQxU5oHgT3vJkC6iNz",
        "key": {
            "id": "7hGv2LsB9pXwE4tRcN0yQk",
            "name": "Nightly export",
            "scopes": ["programs:read"],
            "expires_at": null,
        },
    });
    let answer = Success::new(StatusCode::OK, "The key, and whose it is.")
        .with_json::<WhoBody<'static>>(example);
    let description = Description::new("whoami", "Who asks, by API key")
        .under("By API key")
        .answers(answer);
    [whoami.described(description)]
}
