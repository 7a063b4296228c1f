//! The OpenAPI document as one page without any script.

use std::fmt::Write;

use http::{Method, StatusCode};
use ps_http::{
    Route,
    openapi::{Description, Success},
};
use serde_json::Value;

use crate::pages::{escape, page};

/// The page `/api/docs`, of a document.
pub(crate) fn route(document: &str) -> Route {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let shown = page("API", &body(&document));
    let answer = Success::new(StatusCode::OK, "The page.").with_content("text/html; charset=utf-8");
    Route::public(Method::GET, "/api/docs", move |_| {
        let shown = shown.clone();
        async move { Ok(shown) }
    })
    .described(
        Description::new("readDocs", "The OpenAPI document as a page")
            .under("Public")
            .answers(answer),
    )
}

fn body(document: &Value) -> String {
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let mut html = String::from("<h1>API</h1>");
    for paragraph in about.split("\n\n") {
        let _ = write!(html, "<p>{}</p>", prose(paragraph));
    }
    html +=
        "<p>For programs: <a href=\"/api/openapi.json\">/api/openapi.json</a>, OpenAPI 3.1.</p>";
    let tags = each(&document["tags"]).filter_map(|tag| tag["name"].as_str());
    for tag in tags.map(Some).chain([None]) {
        let operations = operations(document).filter(|(_, _, it)| it["tags"][0].as_str() == tag);
        let operations: String = operations
            .map(|(method, path, it)| operation(document, method, path, it))
            .collect();
        if !operations.is_empty() {
            let title = escape(tag.unwrap_or("Others"));
            let _ = write!(
                html,
                "<h2>{title}</h2><div class=\"reference\">{operations}</div>"
            );
        }
    }
    html += "<h2>Bodies</h2>";
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let _ = write!(
            html,
            "<h3 id=\"{0}\"><code>{0}</code></h3>{1}",
            escape(name),
            shape(schema)
        );
    }
    html
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = fields(&document["paths"]);
    paths.flat_map(|(path, item)| fields(item).map(move |(method, it)| (method, path, it)))
}

fn operation(document: &Value, method: &str, path: &str, it: &Value) -> String {
    let summary = it["summary"]
        .as_str()
        .unwrap_or("A page of the application");
    let mut html = format!(
        "<details><summary><span class=\"method {method}\">{}</span> <code>{}</code> \
         <span class=\"quiet\">{}</span></summary>",
        method.to_uppercase(),
        escape(path),
        escape(summary),
    );
    if let Some(text) = it["description"].as_str() {
        let _ = write!(html, "<p>{}</p>", prose(text));
    }
    let _ = write!(html, "<p>Credential: {}.</p>", credential(&it["security"]));
    let parameters = each(&it["parameters"]).map(|it| {
        let (name, place) = (text(&it["name"]), text(&it["in"]));
        let meaning = it["description"].as_str().unwrap_or_default();
        let meaning = format!("{} {}", prose(meaning), kind(&it["schema"]));
        row(&[format!("<code>{name}</code>"), place, meaning])
    });
    html += &table(&["Parameter", "In", ""], parameters);
    if !it["requestBody"].is_null() {
        let needed = if it["requestBody"]["required"] == true {
            ""
        } else {
            ", or none"
        };
        let _ = write!(
            html,
            "<p>Body: {}{needed}.</p>",
            media(&it["requestBody"]["content"])
        );
    }
    let answers = fields(&it["responses"]).map(|(status, answer)| {
        let answer = resolved(document, answer);
        let meaning = answer["description"].as_str().unwrap_or_default();
        let lines: Vec<String> = meaning.lines().map(prose).collect();
        let headers: Vec<String> = fields(&answer["headers"])
            .map(|(name, _)| format!("<code>{}</code>", escape(name)))
            .collect();
        row(&[
            status.clone(),
            lines.join("<br>"),
            media(&answer["content"]),
            headers.join(", "),
        ])
    });
    html += &table(&["Status", "Meaning", "Body", "Headers"], answers);
    html + "</details>"
}

/// The ways in: all of one entry together, or another entry.
fn credential(security: &Value) -> String {
    let ways = each(security).map(|way| {
        let all = fields(way).map(|(scheme, scopes)| {
            let scopes = each(scopes).map(|scope| format!(" with <code>{}</code>", text(scope)));
            format!(
                "<code>{}</code>{}",
                escape(scheme),
                scopes.collect::<String>()
            )
        });
        let all: Vec<String> = all.collect();
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(" and ")
        }
    });
    ways.collect::<Vec<_>>().join(", or ")
}

/// A body: what it looks like, and an example.
fn media(content: &Value) -> String {
    let each = fields(content).map(|(kind_of, media)| {
        let example = match &media["example"] {
            Value::Null => String::new(),
            example => format!("<pre>{}</pre>", escape(&format!("{example:#}"))),
        };
        match (kind(&media["schema"]), kind_of.as_str()) {
            (schema, _) if !schema.is_empty() => schema + &example,
            _ => escape(kind_of),
        }
    });
    each.collect()
}

/// The fields of a schema, those of its parts included.
fn shape(schema: &Value) -> String {
    let mut html = String::new();
    if let Some(text) = schema["description"].as_str() {
        let _ = write!(html, "<p>{}</p>", prose(text));
    }
    if schema["properties"].is_null() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    }
    let required: Vec<&str> = each(&schema["required"])
        .filter_map(Value::as_str)
        .collect();
    let rows = fields(&schema["properties"]).map(|(name, it)| {
        let needed = if required.contains(&name.as_str()) {
            ""
        } else {
            "may be left out"
        };
        let meaning = it["description"].as_str().map(prose).unwrap_or_default();
        row(&[
            format!("<code>{}</code>", escape(name)),
            kind(it),
            needed.to_owned(),
            meaning,
        ])
    });
    html += &table(&["Field", "", "", ""], rows);
    html + &each(&schema["allOf"]).map(shape).collect::<String>()
}

/// What a value is, in a few words; a link where that is told elsewhere.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return format!("<a href=\"#{0}\"><code>{0}</code></a>", escape(name));
    }
    let choices = each(&schema["oneOf"])
        .chain(each(&schema["allOf"]))
        .map(kind);
    let names = each(&schema["type"]).chain(Some(&schema["type"]).filter(|it| it.is_string()));
    let names = names.map(|name| match text(name).as_str() {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" => String::new(),
        name => name.to_owned(),
    });
    let words: Vec<String> = choices
        .chain(names)
        .filter(|word| !word.is_empty())
        .collect();
    let mut html = words.join(" or ");
    if let Some(format) = schema["format"]
        .as_str()
        .filter(|it| !it.starts_with("int"))
    {
        let _ = write!(html, " ({})", escape(format));
    }
    html
}

fn table(heads: &[&str], rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    let heads: String = heads
        .iter()
        .map(|head| format!("<th>{head}</th>"))
        .collect();
    format!("<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
}

fn row(cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{cell}</td>"))
        .collect();
    format!("<tr>{cells}</tr>")
}

/// Sentences, what stands between backticks set as code.
fn prose(text: &str) -> String {
    let parts = text.trim_start_matches("- ").split('`').enumerate();
    parts
        .map(|(place, part)| match place % 2 {
            0 => escape(part),
            _ => format!("<code>{}</code>", escape(part)),
        })
        .collect()
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let place = part["$ref"].as_str().map(|it| it.trim_start_matches('#'));
    place
        .and_then(|place| document.pointer(place))
        .unwrap_or(part)
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_document_says_is_shown_and_never_as_markup() {
        let document = json!({
            "info": { "description": "First.\n\nA `code`." },
            "tags": [{ "name": "Keys" }],
            "paths": {
                "/a/{id}": { "get": {
                    "summary": "<script>",
                    "tags": ["Keys"],
                    "security": [{ "session": [] }, {}],
                    "parameters": [{ "in": "path", "name": "id", "schema": { "type": "string" } }],
                    "responses": { "404": { "$ref": "#/components/responses/NotFound" } },
                } },
                "/b": { "get": { "responses": {} } },
            },
            "components": {
                "responses": { "NotFound": { "description": "- `not_found`: no <such> thing" } },
                "schemas": { "Key": { "type": "object", "properties": { "at": {
                    "type": ["string", "null"], "format": "date-time",
                } } } },
            },
        });
        let html = body(&document);
        for part in [
            "<p>A <code>code</code>.</p>",
            "<h2>Keys</h2><div class=\"reference\"><details><summary>",
            "<code>/a/{id}</code> <span class=\"quiet\">&lt;script&gt;</span></summary>",
            "<p>Credential: <code>session</code>, or none.</p>",
            "<td><code>id</code></td><td>path</td>",
            "<td>404</td><td><code>not_found</code>: no &lt;such&gt; thing</td>",
            "<h2>Others</h2><div class=\"reference\"><details><summary>",
            "<span class=\"method get\">GET</span> <code>/b</code>",
            "<td><code>at</code></td><td>string or null (date-time)</td><td>may be left out</td>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<script"));
    }
}
