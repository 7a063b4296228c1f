//! What every answer must be like, whatever was asked.

use crate::{Answer, Asked, Place, World};

/// What is wrong with the form of an answer.
pub(super) fn fault(asked: &Asked, answer: &Answer, place: Place) -> Option<String> {
    let wrong = |what: &str| Some(what.to_owned());
    if answer.first("x-request-id").len() < 16 {
        return wrong("no request id");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        if answer.all(name) != [value] {
            return Some(format!("no {name}"));
        }
    }
    if answer.all("content-security-policy").len() != 1 {
        return wrong("no content-security-policy");
    }
    let is_document = asked.path() == "/api/openapi.json" && answer.status == 200;
    let may_be_kept = is_document || !asked.path().starts_with("/api/");
    if !may_be_kept && answer.all("cache-control") != ["no-store"] {
        return wrong("it may be stored");
    }
    if !place.is_secure() && !answer.all("strict-transport-security").is_empty() {
        return wrong("HSTS over plain HTTP");
    }
    // HT9
    if answer.headers.iter().any(|(name, _)| name == "x-injected") {
        return wrong("a header that the client made");
    }
    // HT8
    if answer.status >= 500 && asked.path() != "/api/panic" {
        return wrong("it broke");
    }
    let has = |name: &str| !answer.first(name).is_empty();
    match answer.status {
        401 if !answer
            .first("www-authenticate")
            .starts_with("Bearer realm=") =>
        {
            return wrong("401 without WWW-Authenticate");
        }
        405 if !has("allow") => return wrong("405 without Allow"),
        429 if !(has("retry-after") && has("ratelimit") && has("ratelimit-policy")) => {
            return wrong("429 without when to come again");
        }
        _ => {}
    }
    if answer.status < 400 || asked.method() == "HEAD" {
        return None;
    }
    is_problem(answer)
        .then_some(())
        .map_or_else(|| wrong("not a problem of ours"), |()| None)
}

/// `{"error", "code"}`, and `details` for input that failed validation.
fn is_problem(answer: &Answer) -> bool {
    let json = answer.json();
    let Some(object) = json.as_object() else {
        return false;
    };
    let text = |name: &str| object.get(name).and_then(|value| value.as_str());
    let known = |name: &String| ["error", "code", "details"].contains(&name.as_str());
    let detailed = text("code") == Some("validation_failed");
    answer.first("content-type") == "application/json"
        && text("error").is_some_and(|sentence| sentence.ends_with('.'))
        && text("code").is_some()
        && object.keys().all(known)
        && object.contains_key("details") == detailed
}

/// Which of the prepared secrets an error repeats.
pub(super) fn leak(answer: &Answer, world: &World) -> Option<String> {
    const SECRETS: [&str; 7] = [
        "attempt",
        "challenge",
        "code",
        "key",
        "password",
        "refresh",
        "token",
    ];
    if answer.status < 400 {
        return None;
    }
    let holds = |bytes: &[u8], secret: &str| {
        !secret.is_empty()
            && bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
    };
    let told = |name: &&&str| {
        let secret = world.value(name);
        holds(&answer.body, secret) || answer.headers.iter().any(|(_, value)| holds(value, secret))
    };
    SECRETS
        .iter()
        .find(told)
        .map(|name| format!("it repeats the {name}"))
}
