//! As much of JSON Schema (2020-12) as our document uses.

use serde_json::Value;

/// What is wrong with `value` under `schema`; nothing where it holds. A field that the schema does
/// not name is wrong, although the schema lets later versions add some: here both are of one version.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "", &mut faults);
    let mut known = Vec::new();
    names(document, schema, &mut known);
    let unknown = |name: &&String| !known.is_empty() && !known.contains(*name);
    if let Some(fields) = value.as_object() {
        faults.extend(
            fields
                .keys()
                .filter(unknown)
                .map(|name| format!("{name} is not named")),
        );
    }
    faults
}

/// The schema itself, or what it refers to.
pub fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => part,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolved(document, schema);
    for part in list(&schema["allOf"]) {
        check(document, part, value, at, faults);
    }
    let choices: Vec<&Value> = list(&schema["oneOf"])
        .chain(list(&schema["anyOf"]))
        .collect();
    if !choices.is_empty() && !choices.iter().any(|part| holds(document, part, value)) {
        faults.push(format!("{at}: none of the choices"));
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        kind => Vec::from_iter(kind.as_str()),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_a(kind, value)) {
        faults.push(format!("{at}: {value} is none of {types:?}"));
    }
    if schema["enum"].is_array() && !list(&schema["enum"]).any(|known| known == value) {
        faults.push(format!("{at}: {value} is not one of {}", schema["enum"]));
    }
    bounds(schema, value, at, faults);
    if let Some(fields) = value.as_object() {
        for name in list(&schema["required"]).filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                faults.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in fields {
            match &schema["properties"][name] {
                Value::Null if schema["additionalProperties"] == false => {
                    faults.push(format!("{at}: {name} is one too many"));
                }
                Value::Null => {}
                schema => check(document, schema, value, &format!("{at}/{name}"), faults),
            }
        }
    }
    if let Some(items) = value.as_array().filter(|_| !schema["items"].is_null()) {
        for (place, item) in items.iter().enumerate() {
            check(
                document,
                &schema["items"],
                item,
                &format!("{at}/{place}"),
                faults,
            );
        }
    }
}

fn holds(document: &Value, schema: &Value, value: &Value) -> bool {
    let mut faults = Vec::new();
    check(document, schema, value, "", &mut faults);
    faults.is_empty()
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("the type {other} is not known here"),
    }
}

fn bounds(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let size = match value {
        Value::Array(items) => Some(("Items", items.len() as u64)),
        Value::Number(number) => number.as_u64().map(|number| ("imum", number)),
        Value::String(text) => Some(("Length", text.chars().count() as u64)),
        _ => None,
    };
    if let Some((what, size)) = size {
        let bound = |which: &str| schema[format!("{which}{what}")].as_u64();
        if bound("min").is_some_and(|min| size < min) || bound("max").is_some_and(|max| size > max)
        {
            faults.push(format!("{at}: {size} is out of bounds"));
        }
    }
    if let (Some("date-time"), Some(text)) = (schema["format"].as_str(), value.as_str()) {
        let shape: String = text
            .chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c })
            .collect();
        if shape != "9999-99-99T99:99:99Z" {
            faults.push(format!(
                "{at}: {text} is not a time of whole seconds in UTC"
            ));
        }
    }
}

/// The fields that an object may have by its schema.
fn names(document: &Value, schema: &Value, known: &mut Vec<String>) {
    let schema = resolved(document, schema);
    for part in list(&schema["allOf"]) {
        names(document, part, known);
    }
    let properties = schema["properties"].as_object();
    known.extend(
        properties
            .into_iter()
            .flat_map(|fields| fields.keys().cloned()),
    );
}
