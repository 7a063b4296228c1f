//! Sessions: refresh, sign out, look at, end.

#[cfg(feature = "openapi")]
mod described;

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use ps_core::{User, Users};
use ps_session::{IdempotencyKey, RefreshError, SessionCaller, SessionRecord, Sessions};
use serde::Serialize;

use crate::{
    Answer, Call, Code, Problem, Route,
    answer::rfc3339,
    edge::{Cookie, access_token},
    json, no_content,
    session_answer::{AccountView, SessionView, session_answer},
};

type Acting = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub(crate) fn sessions(sessions: Arc<Sessions>, users: Arc<dyn Users>) -> [Route; 7] {
    let desk = Desk { sessions, users };
    let public = |method, path, act: fn(Desk, Call) -> Acting| {
        let desk = desk.clone();
        Route::public(method, path, move |call| act(desk.clone(), call))
    };
    let session = |method, path, act: fn(Desk, Call, SessionCaller) -> Acting| {
        let desk = desk.clone();
        Route::session(method, path, move |call, caller| {
            act(desk.clone(), call, caller)
        })
    };
    let rows = [
        public(Method::POST, "/api/auth/refresh", |d, call| {
            Box::pin(d.refresh(call))
        }),
        public(Method::POST, "/api/auth/logout", |d, call| {
            Box::pin(d.logout(call))
        }),
        public(Method::GET, "/.well-known/jwks.json", |d, _| {
            Box::pin(d.jwks())
        }),
        session(Method::GET, "/api/auth/session", |d, _, caller| {
            Box::pin(d.current(caller))
        }),
        session(Method::GET, "/api/auth/sessions", |d, _, caller| {
            Box::pin(d.list(caller))
        }),
        session(Method::DELETE, "/api/auth/sessions", |d, call, caller| {
            Box::pin(d.end_others(call, caller))
        }),
        session(
            Method::DELETE,
            "/api/auth/sessions/{id}",
            |d, call, caller| Box::pin(d.end(call, caller)),
        ),
    ];
    #[cfg(feature = "openapi")]
    let rows = described::sessions(rows);
    rows
}

#[derive(Clone, Debug)]
struct Desk {
    sessions: Arc<Sessions>,
    users: Arc<dyn Users>,
}

impl Desk {
    /// Only an answer that is sure of it clears the cookie: a race, an unknown root or a store that
    /// does not answer never does.
    async fn refresh(self, call: Call) -> Answer {
        let key = idempotency_key(&call)?;
        let Some(text) = call.cookie(Cookie::Refresh) else {
            return Err(signed_out(&call));
        };
        let token = self.sessions.read_refresh(text)?;
        let refreshing = self
            .sessions
            .refresh(&token, key.as_ref(), call.requester());
        let open = match refreshing.await {
            Err(RefreshError::Denied) => return Err(signed_out(&call)),
            open => open?,
        };
        let Some(user) = self.users.find(&open.record.account).await? else {
            let record = &open.record;
            self.sessions
                .end(&record.account, &record.id, call.requester())
                .await?;
            return Err(signed_out(&call));
        };
        let secure = call.is_secure();
        Ok(session_answer(StatusCode::OK, &open, &user, secure))
    }

    /// Ends whatever is presented, and answers the same whatever that was.
    async fn logout(self, call: Call) -> Answer {
        if call.presents_key() {
            return Err(Problem::refused(Code::SessionRequired));
        }
        let access = access_token(&call.head().into());
        let refresh = call.cookie(Cookie::Refresh);
        let refresh = refresh.and_then(|text| self.sessions.read_refresh(text).ok());
        self.sessions
            .sign_out(refresh.as_ref(), access, call.requester())
            .await?;
        Ok(clearing(no_content(), &call))
    }

    async fn jwks(self) -> Answer {
        let mut response = Response::new(Bytes::from(self.sessions.jwks().to_owned()));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let fresh = HeaderValue::from_static("public, max-age=300");
        headers.insert(header::CACHE_CONTROL, fresh);
        Ok(response)
    }

    async fn current(self, caller: SessionCaller) -> Answer {
        let record = self.sessions.confirm(&caller).await?;
        let user = self.user(&caller).await?;
        let body = CurrentBody {
            session: SessionView::of(&record),
            account: AccountView::of(&user),
        };
        Ok(json(StatusCode::OK, &body))
    }

    async fn list(self, caller: SessionCaller) -> Answer {
        let records = self.sessions.list(&caller.account).await?;
        let listed = records.iter().map(|record| Listed::of(record, &caller));
        let body = ListBody {
            sessions: listed.collect(),
        };
        Ok(json(StatusCode::OK, &body))
    }

    async fn end(self, call: Call, caller: SessionCaller) -> Answer {
        let id = call.parameter().parse();
        let id = id.map_err(|_| Problem::new(Code::NotFound))?;
        self.sessions.confirm(&caller).await?;
        if !self
            .sessions
            .end(&caller.account, &id, call.requester())
            .await?
        {
            return Err(Problem::new(Code::NotFound));
        }
        if id == caller.session {
            Ok(clearing(no_content(), &call))
        } else {
            Ok(no_content())
        }
    }

    async fn end_others(self, call: Call, caller: SessionCaller) -> Answer {
        self.sessions.end_others(&caller, call.requester()).await?;
        Ok(no_content())
    }

    async fn user(&self, caller: &SessionCaller) -> Result<User, Problem> {
        let user = self.users.find(&caller.account).await?;
        user.ok_or_else(|| Problem::refused(Code::SessionInvalid))
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CurrentSession))]
struct CurrentBody<'a> {
    session: SessionView,
    account: AccountView<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SessionList))]
struct ListBody<'a> {
    sessions: Vec<Listed<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ListedSession))]
struct Listed<'a> {
    id: String,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    created_at: String,
    /// When it was last refreshed.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    last_seen_at: String,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    expires_at: String,
    /// The network that it was last used from, coarse: /24, or /48 of IPv6.
    ip: &'a str,
    #[cfg_attr(feature = "openapi", schema(required = true))]
    user_agent: Option<&'a str>,
    /// Whether it is the one that asks.
    current: bool,
}

impl<'a> Listed<'a> {
    fn of(record: &'a SessionRecord, caller: &SessionCaller) -> Self {
        Self {
            id: record.id.to_string(),
            created_at: rfc3339(record.authenticated_at),
            last_seen_at: rfc3339(record.refreshed_at),
            expires_at: rfc3339(record.expires_at()),
            ip: &record.network,
            user_agent: record.user_agent.as_deref(),
            current: record.id == caller.session,
        }
    }
}

/// `Idempotency-Key`, once and well-formed, or not at all.
fn idempotency_key(call: &Call) -> Result<Option<IdempotencyKey>, Problem> {
    let refuse = || Problem::new(Code::IdempotencyKeyInvalid);
    let mut values = call.head().headers.get_all("idempotency-key").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(refuse()),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| refuse())?;
            IdempotencyKey::parse(text).map(Some).map_err(|_| refuse())
        }
    }
}

fn signed_out(call: &Call) -> Problem {
    let cookie = Cookie::Refresh.clear(call.is_secure());
    Problem::new(Code::RefreshInvalid).with(header::SET_COOKIE, cookie)
}

fn clearing(mut response: Response<Bytes>, call: &Call) -> Response<Bytes> {
    let cookie = Cookie::Refresh.clear(call.is_secure());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}
