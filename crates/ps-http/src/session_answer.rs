//! What a client is told of its session.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use ps_core::User;
use ps_session::{OpenSession, SessionRecord};
use serde::Serialize;

use crate::{answer, edge::Cookie};

/// A session as a client sees it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Session))]
pub(crate) struct SessionView {
    id: String,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    created_at: String,
    /// The sooner of its idle and its absolute end.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    expires_at: String,
}

impl SessionView {
    pub(crate) fn of(record: &SessionRecord) -> Self {
        Self {
            id: record.id.to_string(),
            created_at: answer::rfc3339(record.authenticated_at),
            expires_at: answer::rfc3339(record.expires_at()),
        }
    }
}

/// An account as its owner sees it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Account))]
pub(crate) struct AccountView<'a> {
    id: &'a str,
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    email: &'a str,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    created_at: String,
}

impl<'a> AccountView<'a> {
    pub(crate) fn of(user: &'a User) -> Self {
        Self {
            id: user.id.as_str(),
            email: user.email.as_str(),
            created_at: answer::rfc3339(user.created_at),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SessionAnswer))]
pub(crate) struct SessionBody<'a> {
    /// A JWT: send it as `Authorization: Bearer`.
    access_token: &'a str,
    token_type: &'static str,
    /// Seconds that the access token lives.
    expires_in: u64,
    session: SessionView,
    account: AccountView<'a>,
}

/// The session answer: the access token in the body, the refresh token in its cookie and nowhere
/// else.
pub(crate) fn session_answer(
    status: StatusCode,
    open: &OpenSession,
    user: &User,
    secure: bool,
) -> Response<Bytes> {
    let mut response = answer::json(
        status,
        &SessionBody {
            access_token: open.access.expose(),
            token_type: "Bearer",
            expires_in: open.access_expires_in.as_secs(),
            session: SessionView::of(&open.record),
            account: AccountView::of(user),
        },
    );
    let cookie = refresh_cookie(open, secure);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// The `Set-Cookie` that gives the browser the refresh token of its session.
pub(crate) fn refresh_cookie(open: &OpenSession, secure: bool) -> HeaderValue {
    Cookie::Refresh.set(secure, open.refresh.expose(), life(&open.record))
}

/// How long the cookie lives: counted from the rotation, as the row has it, so that an answer that is
/// repeated is the same.
fn life(record: &SessionRecord) -> Duration {
    record.expires_at().since(record.refreshed_at)
}

/// The session answer in the OpenAPI document.
#[cfg(feature = "openapi")]
pub(crate) fn described(status: StatusCode, meaning: &'static str) -> crate::openapi::Success {
    let (session, account) = described_parts();
    crate::openapi::Success::new(status, meaning)
        .with_json::<SessionBody<'static>>(serde_json::json!({
            "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.…",
            "token_type": "Bearer",
            "expires_in": 900,
            "session": session,
            "account": account,
        }))
        .sets(Cookie::Refresh, 604_800)
}

/// The session answer of a sign-in, which makes the browser known where browsers are.
#[cfg(all(feature = "openapi", any(feature = "magiccode", feature = "password")))]
pub(crate) fn described_sign_in(
    status: StatusCode,
    meaning: &'static str,
    known_browsers: bool,
) -> crate::openapi::Success {
    let answer = described(status, meaning);
    if !known_browsers {
        return answer;
    }
    answer.sets(Cookie::Device, crate::browsers::LIFE.as_secs())
}

/// A session and its account, as examples.
#[cfg(feature = "openapi")]
pub(crate) fn described_parts() -> (serde_json::Value, serde_json::Value) {
    let session = serde_json::json!({
        "id": "4fKq0Zt7cVb2XnLw9RsYpE",
        "created_at": "2026-11-22T10:00:00Z",
        "expires_at": "2026-11-29T10:00:00Z",
    });
    let account = serde_json::json!({
        "id": "1mD8aQxU5oHgT3vJkC6iNz",
        "email": "alice@example.com",
        "created_at": "2026-11-22T10:00:00Z",
    });
    (session, account)
}
