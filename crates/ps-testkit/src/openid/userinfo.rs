//! Userinfo: the claims of a person against an access token (OpenID Connect Core §5.3).

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{FakeProvider, answer::json_answer, claims};

impl FakeProvider {
    pub(super) fn userinfo(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match self.person_of(request) {
            Some(claims) => json_answer(StatusCode::OK, &claims),
            None => {
                let error = json!({ "error": "invalid_token" });
                let mut answer = json_answer(StatusCode::UNAUTHORIZED, &error);
                let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
                answer
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
                answer
            }
        }
    }

    fn person_of(&self, request: &Request<Bytes>) -> Option<Value> {
        let now = self.clock().now();
        let presented = request.headers().get(header::AUTHORIZATION)?;
        let (scheme, token) = presented.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let state = self.state();
        let access = state.tokens.get(token)?;
        let person = state.person(&access.subject)?;
        (now < access.expires_at)
            .then(|| Value::Object(claims::of_person(&state, person, access.scopes)))
    }
}
