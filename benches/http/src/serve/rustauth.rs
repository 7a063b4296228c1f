//! rustauth 0.3 with its API-key plugin, in front of an axum route of the host's: the plugin's check
//! called in process, as its server-side callers do. Limits are off, and each account has one key,
//! since a check of a key in secondary storage rewrites the list of its account's keys.

mod storage;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Request},
    response::IntoResponse,
    routing::get,
};
use rustauth::{
    api::{AuthRouter, core_auth_async_endpoints},
    context::create_auth_context_with_adapter,
    db::MemoryAdapter,
    options::{DeploymentMode, RateLimitOptions, RustAuthOptions},
};
use rustauth_plugins::api_key::{
    ApiKeyConfiguration, ApiKeyOptions, ApiKeyRateLimitOptions, ApiKeyStorageMode, api_key,
};
use serde::Deserialize;
use serde_json::json;

use self::storage::InMap;
use super::{OWN, SITE, answer, by_axum, listen, ready, runtime};
use crate::Outcome;

const KEYS: usize = 1_000;

#[derive(Deserialize)]
struct Created {
    key: String,
}

#[derive(Deserialize)]
struct Verified {
    valid: bool,
}

pub(super) fn serve(storage: &str, body: &str) -> Outcome<()> {
    let storage = match storage {
        "database" => ApiKeyStorageMode::Database,
        "secondary" => ApiKeyStorageMode::SecondaryStorage,
        _ => return Err("database or secondary".into()),
    };
    let body = Bytes::copy_from_slice(body.as_bytes());
    runtime()?.block_on(async {
        let router = Arc::new(compose(storage)?);
        let mut keys = Vec::with_capacity(KEYS);
        for number in 0..KEYS {
            let asked = json!({"name": "load", "userId": format!("person{number}")});
            let created = call(&router, "create", asked.to_string()).await?;
            let key = serde_json::from_slice::<Created>(&created)?.key;
            keys.push(format!("key {key}"));
        }
        let own = move |headers: HeaderMap| async move {
            let key = headers.get("x-api-key").and_then(|key| key.to_str().ok());
            let asked = json!({"key": key.unwrap_or_default()}).to_string();
            let answered = call(&router, "verify", asked).await;
            let verified = answered.and_then(|said| Ok(serde_json::from_slice(&said)?));
            match verified {
                Ok(Verified { valid: true }) => answer::axum(&body).into_response(),
                _ => answer::axum_refused(),
            }
        };
        let listener = listen()?;
        ready(&listener, &keys)?;
        by_axum(listener, Router::new().route(OWN, get(own))).await
    })
}

fn compose(storage: ApiKeyStorageMode) -> Outcome<AuthRouter> {
    let keys = ApiKeyConfiguration {
        storage,
        custom_storage: Some(Arc::new(InMap::default())),
        rate_limit: ApiKeyRateLimitOptions {
            enabled: false,
            ..ApiKeyRateLimitOptions::default()
        },
        ..ApiKeyConfiguration::default()
    };
    let options = RustAuthOptions {
        plugins: vec![api_key(
            ApiKeyOptions::builder().configuration(keys).build()?,
        )?],
        base_url: Some(SITE.to_owned()),
        secret: Some("a secret of thirty-two bytes, and more".to_owned()),
        rate_limit: RateLimitOptions {
            enabled: Some(false),
            ..RateLimitOptions::default()
        },
        mode: DeploymentMode::Development,
        ..RustAuthOptions::default()
    };
    let context = create_auth_context_with_adapter(options, Arc::new(MemoryAdapter::new()))?;
    let endpoints = core_auth_async_endpoints();
    Ok(AuthRouter::with_async_endpoints(
        context,
        Vec::new(),
        endpoints,
    )?)
}

async fn call(router: &AuthRouter, what: &str, body: String) -> Outcome<Vec<u8>> {
    let request = Request::post(format!("{SITE}/api/auth/api-key/{what}"))
        .header("content-type", "application/json")
        .header("origin", SITE)
        .body(body.into_bytes())?;
    let answer = router.handle_async_server(request).await?;
    if !answer.status().is_success() {
        let said = String::from_utf8_lossy(answer.body()).into_owned();
        return Err(said.into());
    }
    Ok(answer.into_body())
}
