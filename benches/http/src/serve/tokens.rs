//! axum with `jsonwebtoken` in a middleware, its keys and its validation prepared once: what a
//! service without a store behind its sessions does.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Extension, Request, State},
    http::header,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::{OWN, SITE, answer, by_axum, listen, ready, runtime};
use crate::Outcome;

/// As many people as sign in at ours.
const TOKENS: usize = 1_000;
const SECRET: &[u8] = b"a secret of thirty-two bytes ...";
/// Ed25519 (RFC 8032 §7.1, test 1), as PKCS #8 and as the bare public key.
const ED25519: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const ED25519_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// What ours say too.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    auth_time: u64,
    amr: [String; 1],
}

struct Keys {
    key: DecodingKey,
    validation: Validation,
}

pub(super) fn serve(algorithm: &str, body: &str) -> Outcome<()> {
    let (algorithm, made_by, key) = match algorithm {
        "hs256" => (
            Algorithm::HS256,
            EncodingKey::from_secret(SECRET),
            DecodingKey::from_secret(SECRET),
        ),
        "eddsa" => {
            let private = EncodingKey::from_ed_der(ED25519);
            let public = DecodingKey::from_ed_components(ED25519_PUBLIC)?;
            (Algorithm::EdDSA, private, public)
        }
        _ => return Err("hs256 or eddsa".into()),
    };
    let tokens = (0..TOKENS).map(|number| {
        let token = encode(&Header::new(algorithm), &claims(number), &made_by)?;
        Ok(format!("token {token}"))
    });
    let tokens = tokens.collect::<Outcome<Vec<_>>>()?;
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[SITE]);
    validation.set_issuer(&[SITE]);
    let keys = Arc::new(Keys { key, validation });

    let body = Bytes::copy_from_slice(body.as_bytes());
    let own = move |Extension(_caller): Extension<Claims>| async move { answer::axum(&body) };
    let app = Router::new()
        .route(OWN, get(own))
        .layer(from_fn_with_state(keys, guard));
    let listener = listen()?;
    ready(&listener, &tokens)?;
    runtime()?.block_on(by_axum(listener, app))
}

async fn guard(State(keys): State<Arc<Keys>>, mut request: Request, next: Next) -> Response {
    let bearer = request.headers().get(header::AUTHORIZATION);
    let token = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| decode::<Claims>(token, &keys.key, &keys.validation).ok());
    let Some(claims) = claims else {
        return answer::axum_refused();
    };
    request.extensions_mut().insert(claims.claims);
    next.run(request).await
}

fn claims(number: usize) -> Claims {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    Claims {
        iss: SITE.into(),
        aud: SITE.into(),
        sub: format!("{number:022}"),
        sid: format!("{number:022}"),
        jti: format!("{number:022}"),
        iat: now,
        nbf: now,
        exp: now + 3_600,
        auth_time: now,
        amr: ["otp".into()],
    }
}
