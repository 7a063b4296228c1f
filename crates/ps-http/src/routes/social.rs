//! Social sign-in: leave for a provider, come back, link, unlink.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use ps_core::{AccountId, AccountVersion, Requester, SessionId, StoreResult};
use ps_oauth::{
    Attempt, Callback, Intent, Removed, ReturnTo, SocialError, SocialLogins, UnlinkError,
};
use ps_session::{Once, OpenSession, SessionCaller, SessionError};
use serde::{Deserialize, Serialize};

use super::social_failure::Failure;
use crate::{
    Answer, Call, Code, Notices, Occurrence, Origin, Problem, Route, answer::rfc3339, edge::Cookie,
    json, no_content, session_answer::refresh_cookie, sign_in::SignIn,
};

/// The page of the application that tells why nobody was signed in.
const SIGN_IN: &str = "/sign-in";
/// How often an unlinking judges again because the account changed meanwhile.
const TRIES: usize = 3;
/// How long the second delivery of a callback waits for the first to be done, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(50);

type Acting<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What these routes work with.
#[derive(Debug)]
pub(crate) struct SocialDesk {
    pub(crate) logins: Arc<SocialLogins>,
    pub(crate) sign_in: SignIn,
    pub(crate) notices: Notices,
    pub(crate) site: Origin,
    #[cfg(feature = "password")]
    pub(crate) passwords: Option<Arc<ps_password::Passwords>>,
}

pub(crate) fn social(desk: SocialDesk) -> [Route; 5] {
    let desk = Arc::new(desk);
    let public = |path, act: for<'a> fn(&'a SocialDesk, &'a Call) -> Acting<'a>| {
        let desk = Arc::clone(&desk);
        Route::public(Method::GET, path, move |call| {
            let desk = Arc::clone(&desk);
            async move { act(&desk, &call).await }
        })
    };
    let session =
        |method,
         path,
         act: for<'a> fn(&'a SocialDesk, &'a Call, &'a SessionCaller) -> Acting<'a>| {
            let desk = Arc::clone(&desk);
            Route::session(method, path, move |call, caller| {
                let desk = Arc::clone(&desk);
                async move { act(&desk, &call, &caller).await }
            })
        };
    let one = "/api/auth/social/{provider}";
    [
        public(one, |desk, call| Box::pin(desk.begin(call))),
        public("/api/auth/social/{provider}/callback", |desk, call| {
            Box::pin(desk.callback(call))
        }),
        session(
            Method::POST,
            "/api/auth/social/{provider}/link",
            |desk, call, caller| Box::pin(desk.begin_link(call, caller)),
        )
        .with_optional_json(),
        session(Method::DELETE, one, |desk, call, caller| {
            Box::pin(desk.unlink(call, caller))
        }),
        session(Method::GET, "/api/auth/identities", |desk, _, caller| {
            Box::pin(desk.list(caller))
        }),
    ]
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkBody {
    return_to: Option<String>,
}

/// Leaving.
impl SocialDesk {
    async fn begin(&self, call: &Call) -> Answer {
        let provider = self.provider(call)?;
        let return_to = call
            .query("return_to")
            .map_err(|_| Problem::new(Code::ReturnToInvalid))?;
        let return_to = read_return_to(return_to.as_deref())?;
        // The callback comes to the public URL, so that is where the cookie has to be.
        if let Some(elsewhere) = call.see_public_url() {
            return Ok(elsewhere);
        }
        let old = call.cookie(Cookie::Refresh);
        let old = old.and_then(|text| self.sign_in.sessions.read_refresh(text).ok());
        let replaces = old.map(|token| *token.family().as_bytes());
        let begun = self
            .logins
            .begin(provider, Intent::SignIn { replaces }, return_to)
            .await
            .map_err(|error| unavailable(&error))?;
        let mut response = see_other(&begun.authorize_url);
        let value = begun.cookie.expose();
        let cookie = Cookie::Attempt(provider).set(call.is_secure(), value, begun.life);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    async fn begin_link(&self, call: &Call, caller: &SessionCaller) -> Answer {
        #[derive(Serialize)]
        struct Body<'a> {
            authorize_url: &'a str,
        }
        let provider = self.provider(call)?;
        let body = if call.body().is_empty() {
            LinkBody::default()
        } else {
            call.json()?
        };
        let return_to = read_return_to(body.return_to.as_deref())?;
        let session = self.sign_in.sessions.confirm(caller).await?;
        let intent = Intent::Link {
            account: session.account,
            session: session.id,
            under: session.version,
        };
        let begun = self
            .logins
            .begin(provider, intent, return_to)
            .await
            .map_err(|error| unavailable(&error))?;
        let body = Body {
            authorize_url: &begun.authorize_url,
        };
        let mut response = json(StatusCode::OK, &body);
        let value = begun.cookie.expose();
        let cookie = Cookie::Attempt(provider).set(call.is_secure(), value, begun.life);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    fn provider<'a>(&self, call: &'a Call) -> Result<&'a str, Problem> {
        let provider = call.parameter();
        let known = self.logins.is_known(provider).then_some(provider);
        known.ok_or(Problem::new(Code::ProviderUnknown))
    }
}

/// Coming back.
impl SocialDesk {
    /// Whatever happens ends on a page: a person is looking.
    async fn callback(&self, call: &Call) -> Answer {
        let provider = self.provider(call)?;
        let cookie = call.cookie(Cookie::Attempt(provider));
        let query = call.head().uri.query().unwrap_or_default();
        let requester = call.requester();
        let callback = match self.logins.read(provider, cookie, query, requester) {
            Ok(callback) => callback,
            Err(error) => {
                let failure = Failure::of(&error.why);
                let mut response = self.failed(error.attempt.as_deref(), failure);
                if error.attempt.is_some() {
                    let over = Cookie::Attempt(provider).clear(call.is_secure());
                    response.headers_mut().append(header::SET_COOKIE, over);
                }
                return Ok(response);
            }
        };
        let attempt = callback.attempt();
        let landing = match attempt.intent() {
            Intent::Link {
                account,
                session,
                under,
            } => {
                let wish = Wish {
                    provider,
                    account,
                    session,
                    under: *under,
                };
                self.land_link(&callback, &wish, requester).await
            }
            Intent::SignIn { .. } => self.land_sign_in(&callback, provider, call).await,
        };
        Ok(landing.unwrap_or_else(|failure| self.failed(Some(attempt), failure)))
    }

    /// The attempt's cookie stays where it is: a second delivery of the callback is answered by it.
    async fn land_sign_in(
        &self,
        callback: &Callback,
        provider: &str,
        call: &Call,
    ) -> Result<Response<Bytes>, Failure> {
        let (attempt, requester) = (callback.attempt(), call.requester());
        if let Some(once) = self.before(attempt, requester).await? {
            return self.landed(attempt, once, call);
        }
        let profile = match self.logins.complete(callback, requester).await {
            Err(SocialError::InvalidGrant) => {
                let first = self.first_delivery(attempt, requester).await?;
                return self.landed(attempt, first, call);
            }
            profile => profile?,
        };
        let landed = self
            .sign_in
            .by_provider(&self.logins, &profile, attempt, requester)
            .await?;
        if let Some(user) = landed.linked {
            let occurrence = Occurrence::Linked(self.title(provider));
            self.notices.tell(&user, occurrence, requester);
        }
        self.landed(attempt, landed.once, call)
    }

    fn landed(
        &self,
        attempt: &Attempt,
        once: Once,
        call: &Call,
    ) -> Result<Response<Bytes>, Failure> {
        let open: OpenSession = match once {
            Once::Again(open) | Once::Opened(open) => open,
            Once::Spent => return Err(Failure::AttemptUsed),
        };
        let mut response = see_other(&self.site.url(attempt.return_to().as_str()));
        let cookie = refresh_cookie(&open, call.is_secure());
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    async fn before(
        &self,
        attempt: &Attempt,
        requester: &Requester,
    ) -> Result<Option<Once>, SessionError> {
        let sessions = &self.sign_in.sessions;
        sessions.opened_before(attempt.reference(), requester).await
    }

    /// What the first delivery of the same callback comes to, which took the code.
    async fn first_delivery(
        &self,
        attempt: &Attempt,
        requester: &Requester,
    ) -> Result<Once, Failure> {
        let clock = &self.sign_in.ambient.clock;
        let until = clock.now().plus(PATIENCE);
        loop {
            if let Some(once) = self.before(attempt, requester).await? {
                return Ok(once);
            }
            if clock.now() >= until {
                return Err(Failure::ProviderError);
            }
            clock.sleep(GLANCE).await;
        }
    }

    async fn land_link(
        &self,
        callback: &Callback,
        wish: &Wish<'_>,
        requester: &Requester,
    ) -> Result<Response<Bytes>, Failure> {
        let attempt = callback.attempt();
        let confirming = self.sign_in.sessions.confirm_id(wish.account, wish.session);
        let session = confirming.await.map_err(Failure::of_session)?;
        if session.version != wish.under {
            return Err(Failure::SessionInvalid);
        }
        let back = see_other(&self.site.url(attempt.return_to().as_str()));
        let profile = match self.logins.complete(callback, requester).await {
            Err(SocialError::InvalidGrant) if self.was_linked(attempt, wish).await? => {
                return Ok(back);
            }
            profile => profile?,
        };
        let linking = self.logins.link(
            wish.account,
            &profile,
            Removed::IsLifted,
            wish.under,
            requester,
        );
        let linked = linking.await.map_err(|error| match error {
            SocialError::AccountChanged => Failure::SessionInvalid,
            other => Failure::of(&other),
        })?;
        if linked {
            self.tell(
                wish.account,
                Occurrence::Linked(self.title(wish.provider)),
                requester,
            )
            .await?;
        }
        Ok(back)
    }

    /// Whether another delivery of the same callback, which took the code, has linked by now.
    async fn was_linked(&self, attempt: &Attempt, wish: &Wish<'_>) -> Result<bool, Failure> {
        let clock = &self.sign_in.ambient.clock;
        let until = clock.now().plus(PATIENCE);
        loop {
            let identities = self.logins.list(wish.account).await?;
            let fresh = identities.iter().any(|linked| {
                linked.identity.provider == wish.provider && linked.linked_at >= attempt.begun_at()
            });
            if fresh || clock.now() >= until {
                return Ok(fresh);
            }
            clock.sleep(GLANCE).await;
        }
    }

    /// Where a failure is told: a link's on the page that it was begun on, a sign-in's on its own.
    fn failed(&self, attempt: Option<&Attempt>, failure: Failure) -> Response<Bytes> {
        let page = match attempt {
            Some(attempt) if matches!(attempt.intent(), Intent::Link { .. }) => {
                attempt.return_to().as_str()
            }
            _ => SIGN_IN,
        };
        let joint = if page.contains('?') { '&' } else { '?' };
        let code = failure.code();
        see_other(&self.site.url(&format!("{page}{joint}error={code}")))
    }
}

/// A wish to link, and where it was said.
struct Wish<'a> {
    provider: &'a str,
    account: &'a AccountId,
    session: &'a SessionId,
    under: AccountVersion,
}

/// What is linked.
impl SocialDesk {
    async fn list(&self, caller: &SessionCaller) -> Answer {
        #[derive(Serialize)]
        struct Listed {
            provider: String,
            email: Option<String>,
            linked_at: String,
        }
        #[derive(Serialize)]
        struct Body {
            identities: Vec<Listed>,
            has_password: bool,
        }
        let has_password = self.has_password(&caller.account).await?;
        let identities = self.logins.list(&caller.account).await?;
        let listed = identities.into_iter().map(|linked| Listed {
            provider: linked.identity.provider,
            email: linked.email.map(|email| email.to_string()),
            linked_at: rfc3339(linked.linked_at),
        });
        let body = Body {
            identities: listed.collect(),
            has_password,
        };
        Ok(json(StatusCode::OK, &body))
    }

    async fn unlink(&self, call: &Call, caller: &SessionCaller) -> Answer {
        let (provider, requester) = (call.parameter(), call.requester());
        for _ in 0..TRIES {
            let session = self.sign_in.sessions.confirm(caller).await?;
            let account = &session.account;
            let has_password = self.has_password(account).await?;
            let under = session.version;
            let unlinking = self
                .logins
                .unlink(account, provider, has_password, under, requester);
            match unlinking.await {
                Err(UnlinkError::AccountChanged) => {}
                Err(UnlinkError::Last) => return Err(Problem::new(Code::LastSignInMethod)),
                Err(UnlinkError::NotLinked) => return Err(Problem::new(Code::ProviderNotLinked)),
                Err(UnlinkError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(Problem::new(Code::InternalError)),
                Ok(()) => {
                    let occurrence = Occurrence::Unlinked(self.title(provider));
                    self.tell(account, occurrence, requester).await?;
                    return Ok(no_content());
                }
            }
        }
        Err(Problem::refused(Code::SessionInvalid))
    }

    #[cfg(feature = "password")]
    async fn has_password(&self, account: &AccountId) -> StoreResult<bool> {
        match &self.passwords {
            Some(passwords) => passwords.exists(account).await,
            None => Ok(false),
        }
    }

    #[cfg(not(feature = "password"))]
    #[expect(clippy::unused_async, reason = "as with passwords")]
    async fn has_password(&self, _: &AccountId) -> StoreResult<bool> {
        Ok(false)
    }

    async fn tell(
        &self,
        account: &AccountId,
        occurrence: Occurrence,
        requester: &Requester,
    ) -> StoreResult<()> {
        if let Some(user) = self.sign_in.users.find(account).await? {
            self.notices.tell(&user, occurrence, requester);
        }
        Ok(())
    }

    fn title(&self, provider: &str) -> String {
        let known = self
            .logins
            .providers()
            .find(|known| known.name() == provider);
        known.map_or(provider, |known| known.title()).to_owned()
    }
}

fn read_return_to(text: Option<&str>) -> Result<ReturnTo, Problem> {
    match text {
        Some(text) => ReturnTo::parse(text).map_err(|_| Problem::new(Code::ReturnToInvalid)),
        None => Ok(ReturnTo::default()),
    }
}

fn unavailable(error: &SocialError) -> Problem {
    match error {
        SocialError::Store(_) => Problem::new(Code::Unavailable),
        SocialError::UnknownProvider => Problem::new(Code::ProviderUnknown),
        other => {
            tracing::warn!(error = %crate::answer::chain(other), "a provider cannot be used");
            Problem::new(Code::ProviderUnavailable)
        }
    }
}

/// 303, so that whatever the request was, the browser asks with GET.
fn see_other(url: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    match HeaderValue::try_from(url) {
        Ok(location) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => Problem::new(Code::InternalError).into_response(),
    }
}
