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
pub(crate) struct SessionView {
    id: String,
    created_at: String,
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
pub(crate) struct AccountView<'a> {
    id: &'a str,
    email: &'a str,
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

/// The session answer: the access token in the body, the refresh token in its cookie and nowhere
/// else.
pub(crate) fn session_answer(
    status: StatusCode,
    open: &OpenSession,
    user: &User,
    secure: bool,
) -> Response<Bytes> {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
        token_type: &'static str,
        expires_in: u64,
        session: SessionView,
        account: AccountView<'a>,
    }
    let mut response = answer::json(
        status,
        &Body {
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
