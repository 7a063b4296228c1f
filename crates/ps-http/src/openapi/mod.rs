//! The machine-readable form of what is composed: an OpenAPI 3.1 document, generated from the route
//! table and the types of its bodies.
//!
//! A row says what only it can know by [`Route::described`](crate::Route::described). What follows
//! from what the row is (its credential, its body, the edge in front of it) is added here: nobody
//! lists `session_invalid` or `body_too_large` by hand.
//!
//! ```
//! use http::{Method, StatusCode};
//! use ps_http::{Route, json, openapi::{Description, Success}};
//!
//! #[derive(serde::Serialize, utoipa::ToSchema)]
//! struct Weather { degrees: i32 }
//!
//! let example = serde_json::json!({ "degrees": 21 });
//! let answer = Success::new(StatusCode::OK, "Now.").with_json::<Weather>(example);
//! let route = Route::public(Method::GET, "/api/weather", |_| async {
//!     Ok(json(StatusCode::OK, &Weather { degrees: 21 }))
//! })
//! .described(Description::new("readWeather", "How warm it is").under("Weather").answers(answer));
//! ```
//!
//! Schemas have one name each, ours included (`Session`, `Account`, `Key` and so on): a type that would
//! take the name of another is renamed by `#[schema(as = …)]`.

mod codes;
mod description;
mod operation;
mod responses;
mod security;

pub use description::{Description, Parameter, Success};
use operation::operation;
use serde_json::{Map, Value, json};

use crate::{Code, Edge, Route};

/// What stands under `components`, by kind and name.
#[derive(Debug, Default)]
struct Components(Map<String, Value>);

impl Components {
    /// Keeps `part`, and answers the reference to it.
    fn keep(&mut self, kind: &str, name: &str, part: Value) -> Value {
        let parts = self.0.entry(kind).or_insert_with(|| json!({}));
        let known = &mut parts[name];
        if !known.is_null() && *known != part {
            tracing::error!(
                kind,
                name,
                "two parts of the OpenAPI document have one name"
            );
        }
        *known = part;
        json!({ "$ref": format!("#/components/{kind}/{name}") })
    }
}

pub(crate) fn document(rows: &[&Route], edge: &Edge) -> Value {
    let mut components = Components::default();
    let mut paths = json!({});
    for row in rows {
        let method = row.method().as_str().to_ascii_lowercase();
        paths[row.path()][method] = operation(row, edge, &mut components);
    }
    // They answer what is no operation, so that none of these can refer to them.
    responses::keep_alone(Code::MethodNotAllowed, &mut components);
    responses::keep_alone(Code::NotFound, &mut components);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Authentication",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": edge.public_url().to_string() }],
        "tags": tags(rows),
        "paths": paths,
        "components": components.0,
    })
}

fn tags(rows: &[&Route]) -> Vec<Value> {
    let descriptions = rows.iter().filter_map(|row| row.description());
    let mut tags: Vec<&str> = descriptions.filter_map(|it| it.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags.into_iter()
        .map(|name| json!({ "name": name }))
        .collect()
}

const ABOUT: &str = "\
Bodies are JSON in UTF-8, 16 KiB at most; fields that are not known here are refused. Times are \
RFC 3339 in UTC, whole seconds. Ids are opaque.

Every error is `{error, code, details?}`: a sentence for people, a code for programs, and what is \
wrong with which field. Any other path answers 404 `not_found`, any other method 405 \
`method_not_allowed` with `Allow`; HEAD answers as GET.

Every answer carries `x-request-id`, and under `/api` all but this document `Cache-Control: \
no-store`. A request has one credential: an API key as `x-api-key` or `Authorization: Bearer`, or an \
access token as `Authorization: Bearer`. One that may change something and comes from a browser must \
come from a page of this origin.";
