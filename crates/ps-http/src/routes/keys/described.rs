//! What the OpenAPI document says of API keys.

use http::StatusCode;
use serde_json::{Value, json};

use super::{KeyPage, KeyView, NewKeyBody, PatchBody, RotateBody, Shown};
use crate::{
    Code, Route,
    openapi::{Description, Parameter, Success},
};

pub(super) fn keys([issue, list, read, update, revoke, rotate]: [Route; 6]) -> [Route; 6] {
    let name = "Nightly export";
    let about = |id, summary| Description::new(id, summary).under("API keys");
    [
        issue.described(
            about("createKey", "Make an API key")
                .with_body::<NewKeyBody>(json!({ "name": name, "scopes": ["programs:read"] }))
                .answers(shown())
                .refuses([Code::TooManyKeys]),
        ),
        list.described(
            about("listKeys", "List the account's API keys")
                .explained("Newest first, revoked ones included.")
                .with_parameter(Parameter::query(
                    "cursor",
                    "The `next_cursor` of the page before.",
                    json!({ "type": "string", "pattern": "^(0|[1-9][0-9]{0,14})-[0-9A-Za-z]{22}$" }),
                ))
                .with_parameter(
                    Parameter::query(
                        "limit",
                        "How many at most.",
                        json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }),
                    )
                    .such_as(20),
                )
                .answers(page())
                .refuses([Code::ValidationFailed]),
        ),
        read.described(
            about("readKey", "Look at an API key")
                .with_parameter(id())
                .answers(one())
                .refuses([Code::NotFound]),
        ),
        update.described(
            about("updateKey", "Change an API key")
                .explained("What is left out stays as it is.")
                .with_parameter(id())
                .with_body::<PatchBody>(json!({ "name": name, "expires_at": null }))
                .answers(one())
                .refuses([Code::KeyRevoked, Code::NotFound]),
        ),
        revoke.described(
            about("revokeKey", "Revoke an API key")
                .explained("Repeating it answers the same.")
                .with_parameter(id())
                .answers(Success::new(StatusCode::NO_CONTENT, "It is revoked."))
                .refuses([Code::NotFound]),
        ),
        rotate.described(
            about("rotateKey", "Put a new key in the place of an API key")
                .explained("The old key works on for the grace, and never past its own expiry.")
                .with_parameter(id())
                .with_body::<RotateBody>(json!({ "grace_seconds": 3600 }))
                .answers(shown())
                .refuses([Code::KeyRevoked, Code::NotFound]),
        ),
    ]
}

fn id() -> Parameter {
    Parameter::path("id", "The key.", json!({ "type": "string" })).such_as("7hGv2LsB9pXwE4tRcN0yQk")
}

fn shown() -> Success {
    let mut example = record();
    example["key"] = json!("ps_2VxYb8Kq0ZtR7cLw9nEpXs4fDgHmJ5aU3oTk1A");
    Success::new(StatusCode::CREATED, "The only time that the key is shown.")
        .with_json::<Shown<'static>>(example)
}

fn page() -> Success {
    Success::new(StatusCode::OK, "One page.")
        .with_json::<KeyPage<'static>>(json!({ "keys": [record()], "next_cursor": null }))
}

fn one() -> Success {
    Success::new(StatusCode::OK, "The key, without its secret.")
        .with_json::<KeyView<'static>>(record())
}

fn record() -> Value {
    json!({
        "id": "7hGv2LsB9pXwE4tRcN0yQk",
        "name": "Nightly export",
        "hint": "ps_…Tk1A",
        "scopes": ["programs:read"],
        "allowed_ips": ["203.0.113.0/24"],
        "created_at": "2026-11-22T10:00:00Z",
        "expires_at": null,
        "last_used_at": "2026-11-22T12:30:00Z",
        "revoked_at": null,
    })
}
