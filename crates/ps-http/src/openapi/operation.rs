//! One row in the document's form.

use serde_json::{Map, Value, json};

use super::{
    Components, Parameter,
    codes::codes,
    responses::{content, refusals, success},
    security::security,
};
use crate::{Edge, Route, route::Body};

pub(super) fn operation(row: &Route, edge: &Edge, components: &mut Components) -> Value {
    let mut operation = json!({
        "operationId": row.description().map_or_else(|| id(row), |it| it.id.to_owned()),
        "responses": responses(row, edge, components),
        "security": security(row, edge, components),
    });
    if let Some(it) = row.description() {
        operation["summary"] = it.summary.into();
        if let Some(tag) = it.tag {
            operation["tags"] = json!([tag]);
        }
        if let Some(details) = it.details {
            operation["description"] = details.into();
        }
    }
    let parameters = parameters(row);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = body(row, components) {
        operation["requestBody"] = body;
    }
    operation
}

/// For a row that does not name itself: its method and its path.
fn id(row: &Route) -> String {
    let words = row.path().split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.fold(row.method().as_str().to_ascii_lowercase(), |id, word| {
        id + "_" + word
    })
}

fn parameters(row: &Route) -> Vec<Value> {
    let declared = row.description().map_or(&[][..], |it| &it.parameters);
    let in_path = row.path().split('{').skip(1);
    let in_path = in_path.filter_map(|rest| Some(rest.split_once('}')?.0));
    let others = in_path
        .filter(|name| !declared.iter().any(|it| it.place == "path" && it.name == *name))
        .map(|name| {
            json!({ "in": "path", "name": name, "required": true, "schema": { "type": "string" } })
        });
    declared.iter().map(parameter).chain(others).collect()
}

fn parameter(it: &Parameter) -> Value {
    let mut parameter = json!({
        "in": it.place,
        "name": it.name,
        "description": it.meaning,
        "required": it.place == "path",
        "schema": it.schema,
    });
    if !it.example.is_null() {
        parameter["example"] = it.example.clone();
    }
    parameter
}

fn body(row: &Route, components: &mut Components) -> Option<Value> {
    let required = match row.body {
        Body::Ignored => return None,
        Body::Json => true,
        Body::OptionalJson => false,
    };
    let declared = row.description().and_then(|it| it.body.as_ref());
    let content = match declared {
        Some(body) => content("application/json", body, components),
        None => json!({ "application/json": { "schema": { "type": "object" } } }),
    };
    Some(json!({ "required": required, "content": content }))
}

/// A row that declares no good answer may answer anything.
fn responses(row: &Route, edge: &Edge, components: &mut Components) -> Value {
    let mut responses: Map<String, Value> = refusals(&codes(row, edge), components)
        .into_iter()
        .collect();
    let successes = row.description().map_or(&[][..], |it| &it.successes);
    for it in successes {
        let status = it.status.as_str().to_owned();
        responses.insert(status, success(it, edge, components));
    }
    if successes.is_empty() {
        let default = json!({ "description": "What the application answers." });
        responses.insert("default".to_owned(), default);
    }
    responses.into()
}
