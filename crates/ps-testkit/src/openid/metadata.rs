//! What the provider says of itself: its metadata and its keys.

use serde_json::{Value, json};

use super::{Algorithm, FakeProvider, Misbehaviour, Pkce, keys, state::State};

impl FakeProvider {
    /// OpenID Connect Discovery §3.
    pub(super) fn metadata(&self) -> Value {
        let state = self.state();
        let endpoints = self.endpoints();
        let place = |url: &str| match state.misbehaviour {
            Some(Misbehaviour::PlainEndpoints) => url.replacen("https:", "http:", 1),
            _ => url.to_owned(),
        };
        let issuer = match state.misbehaviour {
            Some(Misbehaviour::WrongDiscoveryIssuer) => &endpoints.stranger,
            _ => self.issuer(),
        };
        let authentication = state.quirks.client_authentication.iter();
        let authentication: Vec<_> = authentication.map(|one| one.name()).collect();
        let mut metadata = json!({
            "authorization_endpoint": place(&endpoints.authorize),
            "claims_supported": ["sub", "email", "email_verified", "name"],
            "grant_types_supported": ["authorization_code"],
            "id_token_signing_alg_values_supported":
                [Algorithm::Rs256.name(), Algorithm::Es256.name()],
            "issuer": issuer,
            "jwks_uri": place(&endpoints.jwks),
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "email", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint": place(&endpoints.token),
            "token_endpoint_auth_methods_supported": authentication,
            "userinfo_endpoint": place(&endpoints.userinfo),
        });
        if state.quirks.pkce != Pkce::Refused {
            metadata["code_challenge_methods_supported"] = json!(["S256"]);
        }
        if state.quirks.callback_issuer {
            metadata["authorization_response_iss_parameter_supported"] = true.into();
        }
        metadata
    }

    /// RFC 7517 §5.
    pub(super) fn jwks(&self) -> Value {
        let state = self.state();
        let keys = match state.misbehaviour {
            Some(Misbehaviour::EmptyJwks) => Vec::new(),
            _ => published(&state),
        };
        json!({ "keys": keys })
    }

    /// A stranger is an issuer like any other, but for whom it belongs to.
    pub(super) fn strangers_metadata(&self) -> Value {
        let stranger = &self.endpoints().stranger;
        let mut metadata = self.metadata();
        metadata["issuer"] = stranger.as_str().into();
        metadata["jwks_uri"] = format!("{stranger}/jwks").into();
        metadata
    }
}

pub(super) fn strangers_jwks() -> Value {
    let keys = keys::strangers();
    json!({ "keys": [keys.jwk(Algorithm::Rs256), keys.jwk(Algorithm::Es256)] })
}

fn published(state: &State) -> Vec<Value> {
    let both = [Algorithm::Rs256, Algorithm::Es256];
    let keys = state.published_keys();
    keys.flat_map(|keys| both.map(|algorithm| keys.jwk(algorithm)))
        .collect()
}
