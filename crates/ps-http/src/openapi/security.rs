//! What a caller presents.

use serde_json::{Value, json};

use super::Components;
use crate::{Edge, Route, Takes};

/// What the row takes, in the document's form: each entry of the list is one way in.
pub(super) fn security(row: &Route, edge: &Edge, components: &mut Components) -> Value {
    match row.takes() {
        Takes::Anybody => cookies(row, edge, components),
        Takes::ApiKey { scope } => {
            let scopes: Vec<&str> = scope.into_iter().collect();
            components.keep(
                "securitySchemes",
                "apiKeyHeader",
                json!({
                    "type": "apiKey", "in": "header", "name": "x-api-key",
                    "description": "An API key. The scopes that it needs are named.",
                }),
            );
            components.keep(
                "securitySchemes",
                "apiKeyBearer",
                json!({
                    "type": "http", "scheme": "bearer",
                    "description": "The same key as a bearer token.",
                }),
            );
            json!([{ "apiKeyHeader": scopes }, { "apiKeyBearer": scopes }])
        }
        Takes::Session => {
            keep_session(components);
            json!([{ "session": [] }])
        }
    }
}

fn keep_session(components: &mut Components) {
    components.keep("securitySchemes", "session", json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "The access token of a session answer, for as long as `expires_in` says.",
    }));
}

/// A cookie that need not be there is one way in, and nothing at all is another.
#[cfg(feature = "session")]
fn cookies(row: &Route, edge: &Edge, components: &mut Components) -> Value {
    use crate::edge::Cookie;

    let cookies = row.description().map_or(&[][..], |it| &it.cookies);
    let mut ways = Vec::new();
    for presented in cookies {
        let (scheme, meaning) = match presented.cookie {
            Cookie::Attempt(_) => ("attemptCookie", "The attempt to sign in by that provider."),
            Cookie::Challenge => ("challengeCookie", "The challenge that a code was sent for."),
            Cookie::Device => continue, // it opens nothing
            Cookie::Refresh => ("refreshCookie", "The refresh token of a session."),
        };
        let name = presented.cookie.name(!edge.is_development());
        components.keep(
            "securitySchemes",
            scheme,
            json!({
                "type": "apiKey", "in": "cookie", "name": name, "description": meaning,
            }),
        );
        ways.push(json!({ scheme: [] }));
    }
    if row.description().is_some_and(|it| it.reads_session) {
        keep_session(components);
        ways.push(json!({ "session": [] }));
    }
    if !cookies.iter().any(|presented| presented.required) {
        ways.push(json!({}));
    }
    ways.into()
}

#[cfg(not(feature = "session"))]
fn cookies(_: &Route, _: &Edge, _: &mut Components) -> Value {
    json!([{}])
}
