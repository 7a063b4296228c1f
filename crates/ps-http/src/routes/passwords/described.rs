//! What the OpenAPI document says of passwords.

use http::StatusCode;
use serde_json::json;

use super::{ChangeBody, LoginBody};
use crate::{
    Code, Route,
    openapi::{Description, Success},
    session_answer::described_sign_in,
};

pub(super) fn passwords([login, change]: [Route; 2], known_browsers: bool) -> [Route; 2] {
    let about = |id, summary| Description::new(id, summary).under("Passwords");
    [
        login.described(
            about("signInWithPassword", "Sign in with a password")
                .with_body::<LoginBody>(json!({
                    "email": "alice@example.com",
                    "password": "correct horse battery staple",
                }))
                .answers(described_sign_in(
                    StatusCode::OK,
                    "Signed in.",
                    known_browsers,
                ))
                .refuses([
                    Code::CredentialsInvalid,
                    Code::RateLimited,
                    Code::Unavailable,
                ]),
        ),
        change.described(
            about("setPassword", "Set or change the password")
                .explained(
                    "It takes the current password, or a session that was made lately by a code or \
                     a provider. Every other session ends.",
                )
                .with_body::<ChangeBody>(json!({ "new_password": "correct horse battery staple" }))
                .answers(Success::new(StatusCode::NO_CONTENT, "It is set."))
                .refuses([
                    Code::CurrentPasswordWrong,
                    Code::RateLimited,
                    Code::ReauthenticationRequired,
                ]),
        ),
    ]
}
