//! What a key is told about itself.

#[cfg(feature = "openapi")]
mod described;

use http::{Method, StatusCode};
use ps_apikey::{KeyCaller, Scopes};
use serde::{Serialize, Serializer};

use crate::{Answer, Route, answer::rfc3339, json};

pub(crate) fn whoami() -> [Route; 1] {
    let rows = [Route::api_key(
        Method::GET,
        "/api/v1/whoami",
        None,
        |_, caller| who(caller),
    )];
    #[cfg(feature = "openapi")]
    let rows = described::whoami(rows);
    rows
}

async fn who(caller: KeyCaller) -> Answer {
    let used = caller.key();
    let key = KeyBody {
        id: used.id.as_str(),
        name: used.name.as_str(),
        scopes: &used.scopes,
        expires_at: used.expires_at.map(rfc3339),
    };
    let body = WhoBody {
        account_id: caller.account().as_str(),
        key,
    };
    Ok(json(StatusCode::OK, &body))
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Whoami))]
struct WhoBody<'a> {
    account_id: &'a str,
    key: KeyBody<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyInUse))]
struct KeyBody<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(serialize_with = "listed")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<&str>))]
    scopes: &'a Scopes,
    #[cfg_attr(feature = "openapi", schema(format = DateTime, required = true))]
    expires_at: Option<String>,
}

fn listed<S: Serializer>(scopes: &Scopes, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scopes.iter())
}
