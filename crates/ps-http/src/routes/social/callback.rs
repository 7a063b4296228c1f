//! Coming back from a provider. Whatever happens ends on a page: a person is looking.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use http::{HeaderValue, Response, header};
use ps_core::{AccountId, AccountVersion, Requester, SessionId, User};
use ps_oauth::{Attempt, Callback, Carried, Intent, SocialError};
use ps_session::{Once, SessionError};

use super::{SocialDesk, see_other};
use crate::{
    Answer, Call, Occurrence,
    edge::Cookie,
    routes::social_failure::Failure,
    session_answer::refresh_cookie,
    sign_in::{Landed, News},
};

/// The page of the application that tells why nobody was signed in.
const SIGN_IN: &str = "/sign-in";
/// How long a delivery waits for another one, on another node, that took the code, and how often it
/// looks.
const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(200);

/// What a callback comes to: the cookies of a sign-in, nothing more of a link.
type Landing = Result<Vec<HeaderValue>, Failure>;
type Flight = BoxFuture<'static, Landing>;

/// Callbacks that are being completed on this node, by the references of their attempts: one that is
/// delivered several times at once is completed once, and all are answered alike.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<[u8; 32], WeakShared<Flight>>>);

impl Flights {
    fn join(&self, reference: [u8; 32], begin: impl FnOnce() -> Flight) -> Shared<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&reference).and_then(WeakShared::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.upgrade().is_some());
        let flight = begin().shared();
        flights.extend(flight.downgrade().map(|weak| (reference, weak)));
        flight
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flights(…)")
    }
}

impl SocialDesk {
    pub(super) async fn callback(self: &Arc<Self>, call: &Call) -> Answer {
        let provider = self.provider(call)?;
        let cookie = call.cookie(Cookie::Attempt(provider));
        let query = call.head().uri.query().unwrap_or_default();
        let requester = call.requester();
        let callback = match self.logins.read(provider, cookie, query, requester) {
            Ok(callback) => callback,
            Err(error) => {
                let failure = Failure::of(&error.why);
                let page = told_on(error.attempt.as_deref());
                let mut response = self.failed(&page, failure);
                if error.attempt.is_some() {
                    let over = Cookie::Attempt(provider).clear(call.is_secure());
                    response.headers_mut().append(header::SET_COOKIE, over);
                }
                return Ok(response);
            }
        };
        let attempt = callback.attempt();
        let page = told_on(Some(attempt));
        let Some(_place) = self.place(provider) else {
            return Ok(self.failed(&page, Failure::ProviderUnavailable));
        };
        let home = self.site.url(attempt.return_to().as_str());
        if !self.admits(requester).await {
            return Ok(self.failed(&page, Failure::ProviderUnavailable));
        }
        let flight = self.flights.join(*attempt.reference(), || {
            let (desk, provider) = (Arc::clone(self), provider.to_owned());
            let (requester, secure) = (requester.clone(), call.is_secure());
            async move { desk.land(&callback, &provider, &requester, secure).await }.boxed()
        });
        Ok(match flight.await {
            Ok(cookies) => {
                let mut response = see_other(&home);
                for cookie in cookies {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(failure) => self.failed(&page, failure),
        })
    }

    /// Whether the network may go on: one that brings codes which no provider takes may not, for each
    /// costs a call. A limiter that cannot answer bars nobody who has an attempt.
    async fn admits(&self, requester: &Requester) -> bool {
        let now = self.sign_in.ambient.clock.now();
        match &self.limits {
            Some(limits) => limits
                .admit_after_failures(requester.address, now)
                .await
                .is_ok(),
            None => true,
        }
    }

    async fn land(
        &self,
        callback: &Callback,
        provider: &str,
        requester: &Requester,
        secure: bool,
    ) -> Landing {
        match callback.attempt().intent() {
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
                self.land_link(callback, &wish, requester).await
            }
            Intent::SignIn { .. } => {
                self.land_sign_in(callback, provider, requester, secure)
                    .await
            }
        }
    }

    /// The attempt's cookie stays where it is: a second delivery of the callback is answered by it.
    async fn land_sign_in(
        &self,
        callback: &Callback,
        provider: &str,
        requester: &Requester,
        secure: bool,
    ) -> Landing {
        let attempt = callback.attempt();
        if let Some(once) = self.before(attempt, requester).await? {
            return self.landed_before(once, attempt, secure).await;
        }
        let profile = match self.logins.complete(callback, requester).await {
            Err(SocialError::InvalidGrant) => {
                let first = self.first_delivery(attempt, requester).await?;
                return self.landed_before(first, attempt, secure).await;
            }
            profile => profile?,
        };
        let signed_in = self
            .sign_in
            .by_provider(&self.logins, &profile, attempt, requester)
            .await?;
        self.tell_news(&signed_in, attempt, provider, requester)
            .await;
        self.landed(signed_in.once, Some(&signed_in.user), attempt, secure)
    }

    /// One mail at most: what is new of the account says that somebody signed in.
    async fn tell_news(
        &self,
        signed_in: &Landed,
        attempt: &Attempt,
        provider: &str,
        requester: &Requester,
    ) {
        let Landed {
            once,
            user,
            standing,
            news,
        } = signed_in;
        let occurrence = match news {
            Some(News::Linked) => Occurrence::Linked(self.title(provider)),
            Some(News::Registered) => Occurrence::Registered(self.title(provider)),
            None => {
                let is_first = standing.proven_at.is_none();
                if matches!(once, Once::Opened(_)) && !is_first {
                    let (cookie, requester) = (carried(attempt), requester.clone());
                    let requester =
                        self.sign_in
                            .known(cookie, requester, &user.email, Some(standing));
                    self.sign_in.note_success(user, &requester).await;
                }
                return;
            }
        };
        self.notices.tell(user, occurrence, requester);
    }

    /// The answer of another delivery once more, which the browser may not have had. Where the user
    /// cannot be looked up now it signs in all the same, and the browser stays as unknown as it was.
    async fn landed_before(&self, once: Once, attempt: &Attempt, secure: bool) -> Landing {
        let user = match &once {
            Once::Again(open) | Once::Opened(open) => {
                let finding = self.sign_in.users.find(&open.record.account);
                finding.await.unwrap_or_default()
            }
            Once::Spent => None,
        };
        self.landed(once, user.as_ref(), attempt, secure)
    }

    fn landed(&self, once: Once, user: Option<&User>, attempt: &Attempt, secure: bool) -> Landing {
        let open = match once {
            Once::Again(open) | Once::Opened(open) => open,
            Once::Spent => return Err(Failure::AttemptUsed),
        };
        let refresh = refresh_cookie(&open, secure);
        let device = user.and_then(|user| {
            let before = carried(attempt);
            self.sign_in.device_cookie(before, &open, user, secure)
        });
        Ok(std::iter::once(refresh).chain(device).collect())
    }

    async fn before(
        &self,
        attempt: &Attempt,
        requester: &Requester,
    ) -> Result<Option<Once>, SessionError> {
        let sessions = &self.sign_in.sessions;
        sessions.opened_before(attempt.reference(), requester).await
    }

    /// What the first delivery of the same callback comes to, which took the code on another node.
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
                self.note_failure(requester).await;
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
    ) -> Landing {
        let attempt = callback.attempt();
        let sessions = &self.sign_in.sessions;
        let session = sessions.confirm_id(wish.account, wish.session).await;
        let session = session.map_err(Failure::of_session)?;
        if session.version != wish.under {
            return Err(Failure::SessionInvalid);
        }
        let profile = match self.logins.complete(callback, requester).await {
            Err(SocialError::InvalidGrant) if self.was_linked(attempt, wish).await? => {
                return Ok(Vec::new());
            }
            Err(error @ SocialError::InvalidGrant) => {
                self.note_failure(requester).await;
                return Err(error.into());
            }
            profile => profile?,
        };
        let (account, asked_at, under) = (wish.account, attempt.begun_at(), wish.under);
        let linked = self
            .logins
            .link_asked(account, &profile, asked_at, under, requester)
            .await
            .map_err(|error| match error {
                SocialError::AccountChanged => Failure::SessionInvalid,
                SocialError::IdentityRemoved => Failure::AttemptUsed,
                other => other.into(),
            })?;
        if linked {
            let occurrence = Occurrence::Linked(self.title(wish.provider));
            self.tell(account, occurrence, requester).await;
        }
        Ok(Vec::new())
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

    /// Counts a code that the provider did not take. One that cannot be counted is let go.
    async fn note_failure(&self, requester: &Requester) {
        let now = self.sign_in.ambient.clock.now();
        if let Some(limits) = &self.limits {
            let _ = limits.note_failure(requester.address, now).await;
        }
    }

    fn failed(&self, page: &str, failure: Failure) -> Response<Bytes> {
        let joint = if page.contains('?') { '&' } else { '?' };
        let code = failure.code();
        see_other(&self.site.url(&format!("{page}{joint}error={code}")))
    }
}

/// The device cookie that the browser had when it left.
fn carried(attempt: &Attempt) -> Option<&str> {
    match attempt.intent() {
        Intent::Link { .. } => None,
        Intent::SignIn { carries, .. } => carries.as_ref().map(Carried::as_str),
    }
}

/// Where a failure is told: a link's on the page that it was begun on, a sign-in's on its own.
fn told_on(attempt: Option<&Attempt>) -> String {
    match attempt {
        Some(attempt) if matches!(attempt.intent(), Intent::Link { .. }) => {
            attempt.return_to().as_str().to_owned()
        }
        _ => SIGN_IN.to_owned(),
    }
}

/// A wish to link, and where it was said.
struct Wish<'a> {
    provider: &'a str,
    account: &'a AccountId,
    session: &'a SessionId,
    under: AccountVersion,
}
