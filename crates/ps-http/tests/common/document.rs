//! Every answer that a test is given is one that the OpenAPI document tells of.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::{
    Reply,
    schema::{faults, resolved},
};

/// What may be answered where no route is found, or before one is looked for.
const NOWHERE: [&str; 5] = [
    "development_only",
    "https_required",
    "method_not_allowed",
    "misdirected_request",
    "not_found",
];

/// # Panics
/// Where the document does not tell of the answer.
pub fn check(document: &Value, method: &Method, path: &str, reply: &Reply) {
    let status = reply.status.as_str();
    let Some(operation) = operation(document, method, path) else {
        let bare = match *method {
            Method::HEAD => ["403", "404", "405", "421"].contains(&status),
            Method::OPTIONS => status == "204",
            _ => false,
        };
        let code = reply.text("code");
        assert!(
            bare || NOWHERE.contains(&code.as_str()),
            "{method} {path} is no operation, and answers {status} {code}"
        );
        return;
    };
    let responses = &operation["responses"];
    let answer = match &responses[status] {
        Value::Null => &responses["default"],
        answer => answer,
    };
    assert!(
        !answer.is_null(),
        "{method} {path}: {status} is not told of: {reply:?}"
    );
    let answer = resolved(document, answer);
    check_headers(document, answer, &reply.headers);
    if let Some((_, code)) = reply.location().split_once("error=") {
        let told = operation["description"].as_str().unwrap_or_default();
        assert!(
            told.contains(&format!("`{code}`")),
            "{path}: error={code} is not told of"
        );
    }
    if *method == Method::HEAD {
        return;
    }
    let kind = reply.headers.get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap());
    let content = &answer["content"];
    if content.is_null() {
        let undescribed = responses[status].is_null();
        assert!(
            undescribed || reply.body.is_empty(),
            "{method} {path}: {status} has a body"
        );
        return;
    }
    let media = &content[kind];
    assert!(
        !media.is_null(),
        "{method} {path}: {status} as {kind:?} is not told of"
    );
    let faults = faults(document, &media["schema"], &reply.json());
    assert!(
        faults.is_empty(),
        "{method} {path}: {status}: {faults:#?} in {reply:?}"
    );
}

/// The operation that a request comes to; HEAD to that of GET.
fn operation<'a>(document: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let method = match method.as_str() {
        "HEAD" => "get".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let paths = document["paths"].as_object().unwrap();
    let exact = paths.get_key_value(path);
    let found = exact.or_else(|| paths.iter().find(|(pattern, _)| fits(pattern, path)));
    let operation = &found?.1[method];
    (!operation.is_null()).then_some(operation)
}

fn fits(pattern: &str, path: &str) -> bool {
    let (wanted, given) = (pattern.split('/'), path.split('/'));
    wanted.clone().count() == given.clone().count()
        && wanted.zip(given).all(|(wanted, given)| {
            wanted == given || (wanted.starts_with('{') && !given.is_empty())
        })
}

fn check_headers(document: &Value, answer: &Value, sent: &HeaderMap) {
    for (name, header) in answer["headers"].as_object().into_iter().flatten() {
        let header = resolved(document, header);
        assert!(
            header["required"] != true || sent.contains_key(name.as_str()),
            "{name} is promised and missing in {sent:?}"
        );
    }
}
