//! A host's own route behind rustauth's API keys, on axum: `rustauth-load STORE ANSWER KEYS`.
//!
//! It prints its address, a line for every key, then an empty line, as the servers of `http-load` do.

mod map;

use std::{
    env,
    error::Error,
    io::{Write, stdout},
    net::TcpListener,
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rustauth::{
    RustAuthOptions,
    api::{ApiRequest, AuthRouter},
    context::create_auth_context_with_adapter,
    db::MemoryAdapter,
    options::RateLimitOptions,
};
use rustauth_plugins::api_key::{
    ApiKeyConfiguration, ApiKeyOptions, ApiKeyRateLimitOptions, ApiKeyStorageMode, api_key,
};
use serde::Deserialize;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SITE: &str = "http://127.0.0.1:8080";
/// As many as ours lets an account have.
const KEYS_A_USER: usize = 25;

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [store, answer, keys] = &words[..] else {
        return Err("usage: rustauth-load memory|map ANSWER KEYS".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(store, answer, keys.parse()?))
}

async fn serve(store: &str, answer: &str, keys: usize) -> Outcome<()> {
    let router = Arc::new(router(store)?);
    let body = Bytes::copy_from_slice(answer.as_bytes());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let mut lines = format!("{}\n", listener.local_addr()?);
    for number in 0..keys {
        lines += &format!("key {}\n", issue(&router, number).await?);
    }
    writeln!(stdout().lock(), "{lines}")?;
    let own = move |headers: HeaderMap| async move {
        match is_valid(&router, &headers).await {
            Ok(true) => answered(&body),
            Ok(false) => StatusCode::UNAUTHORIZED.into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    let app = Router::new().route("/hello", get(own));
    let listener = tokio::net::TcpListener::from_std(listener)?;
    Ok(axum::serve(listener, app).await?)
}

/// rustauth at its best: only the plugin's own routes, and no limit on how often a key is used.
fn router(store: &str) -> Outcome<AuthRouter> {
    let rate_limit = ApiKeyRateLimitOptions {
        enabled: false,
        ..Default::default()
    };
    let mut keys = ApiKeyConfiguration {
        rate_limit,
        ..Default::default()
    };
    match store {
        "memory" => {}
        "map" => {
            keys.storage = ApiKeyStorageMode::SecondaryStorage;
            keys.custom_storage = Some(Arc::new(map::Map::default()));
        }
        _ => return Err("memory or map".into()),
    }
    let keys = ApiKeyOptions::builder().configuration(keys).build()?;
    let options = RustAuthOptions::new()
        .base_url(SITE)
        .secret("one of thirty-two bytes, all odd")
        .rate_limit(RateLimitOptions::new().enabled(false))
        .plugin(api_key(keys)?);
    let context = create_auth_context_with_adapter(options, Arc::new(MemoryAdapter::new()))?;
    Ok(AuthRouter::with_async_endpoints(context, vec![], vec![])?)
}

async fn issue(router: &AuthRouter, number: usize) -> Outcome<String> {
    let user = format!("{:022}", number / KEYS_A_USER);
    let new = json!({"name": format!("load {number}"), "userId": user,
        "permissions": {"programs": ["read", "write"]}});
    let request = request("/api/auth/api-key/create", &new)?;
    let made = router.handle_async_server(request).await?;
    let made: Value = serde_json::from_slice(made.body())?;
    let key = made["key"].as_str().ok_or_else(|| made.to_string())?;
    Ok(key.to_owned())
}

#[derive(Deserialize)]
struct Verified {
    valid: bool,
}

/// What a host does with the plugin: its function that checks a key is its route, nothing else of it
/// is public.
async fn is_valid(router: &AuthRouter, headers: &HeaderMap) -> Outcome<bool> {
    let key = headers.get("x-api-key").map(HeaderValue::to_str);
    let Some(key) = key.transpose()? else {
        return Ok(false);
    };
    let request = request("/api/auth/api-key/verify", &json!({"key": key}))?;
    let answer = router.handle_async_server(request).await?;
    Ok(serde_json::from_slice::<Verified>(answer.body())?.valid)
}

fn request(path: &str, body: &Value) -> Outcome<ApiRequest> {
    let request = axum::http::Request::post(path).header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(serde_json::to_vec(body)?)?)
}

/// What the bare route answers, too.
fn answered(body: &Bytes) -> Response {
    let json = HeaderValue::from_static("application/json");
    let fresh = HeaderValue::from_static("no-store");
    let headers = [(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, fresh)];
    (headers, body.clone()).into_response()
}
