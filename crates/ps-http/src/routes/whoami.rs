//! What a key is told about itself.

use http::{Method, StatusCode};
use ps_apikey::KeyCaller;
use serde::Serialize;

use crate::{Answer, Route, answer::rfc3339, json};

pub(crate) fn whoami() -> [Route; 1] {
    [Route::api_key(
        Method::GET,
        "/api/v1/whoami",
        None,
        |_, caller| who(caller),
    )]
}

async fn who(caller: KeyCaller) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        account_id: &'a str,
        key: Key<'a>,
    }
    #[derive(Serialize)]
    struct Key<'a> {
        id: &'a str,
        name: &'a str,
        scopes: Vec<&'a str>,
        expires_at: Option<String>,
    }
    let record = caller.key();
    let key = Key {
        id: record.id.as_str(),
        name: record.name.as_str(),
        scopes: record.scopes.iter().collect(),
        expires_at: record.expires_at.map(rfc3339),
    };
    let body = Body {
        account_id: caller.account().as_str(),
        key,
    };
    Ok(json(StatusCode::OK, &body))
}
