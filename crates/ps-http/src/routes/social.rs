//! Social sign-in: leave for a provider, come back, link, unlink.

mod callback;
#[cfg(feature = "openapi")]
mod described;

use std::{collections::HashMap, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use ps_core::{AccountId, Requester, StoreResult};
use ps_oauth::{Carried, Intent, ReturnTo, SocialError, SocialLogins, UnlinkError};
use ps_session::SessionCaller;
use serde::{Deserialize, Serialize};

use crate::{
    Answer, Call, Code, NetworkLimits, Notices, Occurrence, Origin, Problem, Route,
    answer::rfc3339,
    auth::{Lane, Place},
    edge::Cookie,
    json, no_content,
    sign_in::SignIn,
};
pub(crate) use callback::Flights;

/// How often an unlinking judges again because the account changed meanwhile.
const TRIES: usize = 3;

type Acting<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What these routes work with.
#[derive(Debug)]
pub(crate) struct SocialDesk {
    pub(crate) logins: Arc<SocialLogins>,
    pub(crate) sign_in: SignIn,
    pub(crate) notices: Notices,
    pub(crate) site: Origin,
    pub(crate) limits: Option<NetworkLimits>,
    pub(crate) flights: Flights,
    /// By the names of the providers.
    pub(crate) lanes: HashMap<String, Arc<Lane>>,
    #[cfg(feature = "password")]
    pub(crate) passwords: Option<Arc<ps_password::Passwords>>,
}

pub(crate) fn social(desk: SocialDesk) -> [Route; 5] {
    let desk = Arc::new(desk);
    let public = |path, act: for<'a> fn(&'a Arc<SocialDesk>, &'a Call) -> Acting<'a>| {
        let desk = Arc::clone(&desk);
        Route::public(Method::GET, path, move |call| {
            let desk = Arc::clone(&desk);
            async move { act(&desk, &call).await }
        })
        .placing_itself()
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
    let rows = [
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
    ];
    #[cfg(feature = "openapi")]
    let rows = described::social(rows);
    rows
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LinkWish))]
#[serde(deny_unknown_fields)]
struct LinkBody {
    /// A path of this site.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<described::ReturnPath>))]
    return_to: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LinkBegun))]
struct BegunBody<'a> {
    /// Where to send the browser.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    authorize_url: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = IdentityList))]
struct ListBody {
    identities: Vec<Listed>,
    has_password: bool,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ListedIdentity))]
struct Listed {
    provider: String,
    #[cfg_attr(feature = "openapi", schema(format = Email, required = true))]
    email: Option<String>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    linked_at: String,
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
        let carries = self.sign_in.kept(call);
        let carries = carries.and_then(|text| Carried::new(&text));
        let _place = self.require_place(provider)?;
        let begun = self
            .logins
            .begin(provider, Intent::SignIn { replaces, carries }, return_to)
            .await
            .map_err(|error| unavailable(&error))?;
        let mut response = see_other(&begun.authorize_url);
        let value = begun.cookie.expose();
        let cookie = Cookie::Attempt(provider).set(call.is_secure(), value, begun.life);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    async fn begin_link(&self, call: &Call, caller: &SessionCaller) -> Answer {
        let provider = self.provider(call)?;
        let body = if call.body().is_empty() {
            LinkBody::default()
        } else {
            call.json()?
        };
        let return_to = read_return_to(body.return_to.as_deref())?;
        let _place = self.require_place(provider)?;
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
        let body = BegunBody {
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
        known.ok_or_else(|| Problem::new(Code::ProviderUnknown))
    }

    /// A place among those who may have to wait for this provider.
    fn place(&self, provider: &str) -> Option<Place<'_>> {
        self.lanes.get(provider)?.take()
    }

    fn require_place(&self, provider: &str) -> Result<Place<'_>, Problem> {
        let place = self.place(provider);
        place.ok_or_else(|| Problem::new(Code::ProviderUnavailable))
    }
}

/// What is linked.
impl SocialDesk {
    async fn list(&self, caller: &SessionCaller) -> Answer {
        let has_password = self.has_password(&caller.account).await?;
        let identities = self.logins.list(&caller.account).await?;
        let listed = identities.into_iter().map(|linked| Listed {
            provider: linked.identity.provider,
            email: linked.email.map(|email| email.to_string()),
            linked_at: rfc3339(linked.linked_at),
        });
        let body = ListBody {
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
                    self.tell(account, occurrence, requester).await;
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

    /// Tells the owner what is done already: a store that does not answer now undoes nothing.
    async fn tell(&self, account: &AccountId, occurrence: Occurrence, requester: &Requester) {
        match self.sign_in.users.find(account).await {
            Ok(Some(user)) => self.notices.tell(&user, occurrence, requester),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %crate::answer::chain(&error), "an owner was not told");
            }
        }
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
