//! Answers, good and bad, in the document's form.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Components,
    description::{Content, Success},
};
use crate::{Code, Edge, problem};

/// A body by its kind.
pub(super) fn content(kind: &str, content: &Content, components: &mut Components) -> Value {
    for (name, part) in &content.parts {
        components.keep("schemas", name, part.clone());
    }
    let mut media = json!({ "schema": content.schema });
    if !content.example.is_null() {
        media["example"] = content.example.clone();
    }
    json!({ kind: media })
}

/// How it goes well.
pub(super) fn success(it: &Success, edge: &Edge, components: &mut Components) -> Value {
    let mut answer = json!({ "description": it.meaning });
    if let Some((kind, body)) = &it.content {
        answer["content"] = content(kind, body, components);
    }
    let mut headers = Map::new();
    for (name, meaning, example) in &it.headers {
        headers.insert((*name).to_owned(), header(meaning, example));
    }
    set_cookies(it, edge, &mut headers);
    if !headers.is_empty() {
        answer["headers"] = headers.into();
    }
    answer
}

fn header(meaning: &str, example: &Value) -> Value {
    json!({
        "description": meaning,
        "required": true,
        "schema": { "type": "string" },
        "example": example,
    })
}

/// The very header that the handler sends, but for the value.
#[cfg(feature = "session")]
fn set_cookies(it: &Success, edge: &Edge, headers: &mut Map<String, Value>) {
    use std::time::Duration;

    let secure = !edge.is_development();
    let lines: Vec<String> = it
        .cookies
        .iter()
        .map(|(cookie, seconds)| {
            let line = match seconds {
                Some(seconds) => cookie.set(secure, "…", Duration::from_secs(*seconds)),
                None => cookie.clear(secure),
            };
            String::from_utf8_lossy(line.as_bytes()).into_owned()
        })
        .collect();
    if let Some(first) = lines.first() {
        let meaning = format!("In headers of their own: `{}`", lines.join("`, `"));
        headers.insert("Set-Cookie".to_owned(), header(&meaning, &json!(first)));
    }
}

#[cfg(not(feature = "session"))]
fn set_cookies(_: &Success, _: &Edge, _: &mut Map<String, Value>) {}

/// The answers of these codes by status; codes of one status share an answer.
pub(super) fn refusals(codes: &[Code], components: &mut Components) -> Vec<(String, Value)> {
    let of_one_status = codes.chunk_by(|one, other| one.status() == other.status());
    of_one_status
        .map(|codes| {
            let answer = match codes {
                [code] => keep_alone(*code, components),
                _ => refusal(codes, components),
            };
            (codes[0].status().as_str().to_owned(), answer)
        })
        .collect()
}

/// Keeps the answer of one code, which many rows share, and answers the reference to it.
pub(super) fn keep_alone(code: Code, components: &mut Components) -> Value {
    let answer = refusal(&[code], components);
    components.keep("responses", &format!("{code:?}"), answer)
}

fn refusal(codes: &[Code], components: &mut Components) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let sentences = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.as_str(), code.sentence()));
    let sentences: Vec<String> = sentences.collect();
    let examples = codes
        .iter()
        .map(|code| (code.as_str().to_owned(), example(*code)));
    let examples: Map<String, Value> = examples.collect();
    let shape = Content::of::<problem::Body<'static>>(Value::Null);
    for (name, part) in &shape.parts {
        components.keep("schemas", name, part.clone());
    }
    let mut answer = json!({
        "description": sentences.join("\n"),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [shape.schema],
                    "properties": { "code": { "enum": names } },
                },
                "examples": examples,
            },
        },
    });
    let headers = headers(codes, components);
    if !headers.is_empty() {
        answer["headers"] = headers.into();
    }
    answer
}

fn example(code: Code) -> Value {
    let mut value = json!({ "error": code.sentence(), "code": code.as_str() });
    if code == Code::ValidationFailed {
        value["details"] = json!([{ "field": "email", "message": "is required" }]);
    }
    json!({ "value": value })
}

fn headers(codes: &[Code], components: &mut Components) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, meaning, example) in of_status(codes[0].status()) {
        let whole = header(meaning, &json!(example));
        let reference = components.keep("headers", &name.replace('-', ""), whole);
        headers.insert((*name).to_owned(), reference);
    }
    headers
}

/// What every answer of a status carries: name, meaning, example.
fn of_status(status: StatusCode) -> &'static [(&'static str, &'static str, &'static str)] {
    const RETRY: (&str, &str, &str) = ("Retry-After", "After how many seconds to try again.", "60");
    match status {
        StatusCode::UNAUTHORIZED => &[(
            "WWW-Authenticate",
            "What is taken here; with `error` where a credential was sent and refused (RFC 6750 §3).",
            r#"Bearer realm="api", error="invalid_token""#,
        )],
        StatusCode::METHOD_NOT_ALLOWED => {
            &[("Allow", "The methods that the path knows.", "GET, HEAD")]
        }
        StatusCode::TOO_MANY_REQUESTS => &[
            RETRY,
            (
                "RateLimit",
                "The limit that refused: what is left of it, and when it is whole again.",
                r#""requests";r=0;t=60"#,
            ),
            (
                "RateLimit-Policy",
                "That limit: how many in how many seconds.",
                r#""requests";q=300;w=3600"#,
            ),
        ],
        StatusCode::SERVICE_UNAVAILABLE => &[RETRY],
        _ => &[],
    }
}
