//! In which browser somebody signs in.

use http::HeaderValue;
use ps_core::{EmailAddress, Requester, Standing, Timestamp, User};
use ps_session::OpenSession;

use super::SignIn;
use crate::{browsers::LIFE, edge::Cookie};

impl SignIn {
    /// The requester, as known as the browser with this cookie is for the account of `address` with this
    /// standing, if there are such.
    ///
    /// A claim makes every cookie worthless that is older: whoever signed in before it is not who has
    /// the mailbox now.
    pub(crate) fn known(
        &self,
        cookie: Option<&str>,
        requester: Requester,
        address: &EmailAddress,
        standing: Option<&Standing>,
    ) -> Requester {
        let proven_at = standing.and_then(|standing| standing.proven_at);
        match (proven_at, self.since(cookie, address)) {
            (Some(proven_at), Some(since)) if proven_at <= since => {
                requester.with_known_browser(address.clone())
            }
            _ => requester,
        }
    }

    /// Tells the owner of a sign-in that is not like the others.
    pub(crate) async fn note_success(&self, user: &User, requester: &Requester) {
        if let Some(browsers) = &self.browsers {
            let (known, now) = (
                requester.lane(&user.email).is_known(),
                self.ambient.clock.now(),
            );
            browsers.note_success(user, known, requester, now).await;
        }
    }

    /// The cookie of a browser that is given this session, and had this one before. It is dated by the
    /// session, so that an answer that is repeated is the same.
    pub(crate) fn device_cookie(
        &self,
        before: Option<&str>,
        open: &OpenSession,
        user: &User,
        secure: bool,
    ) -> Option<HeaderValue> {
        let cookies = self.browsers.as_ref()?.cookies();
        let since = open.record.authenticated_at;
        let value = cookies.renewed(before.unwrap_or_default(), &user.email, since);
        Some(Cookie::Device.set(secure, &value, LIFE))
    }

    /// What of the browser's cookie is worth going along where the cookie itself does not.
    #[cfg(feature = "oauth")]
    pub(crate) fn kept(&self, call: &crate::Call) -> Option<String> {
        let cookies = self.browsers.as_ref()?.cookies();
        let cookie = call.cookie(Cookie::Device)?;
        Some(cookies.kept(cookie, self.ambient.clock.now()))
    }

    /// When the browser with this cookie last signed in to `address`, whoever has it now.
    pub(super) fn since(&self, cookie: Option<&str>, address: &EmailAddress) -> Option<Timestamp> {
        let cookies = self.browsers.as_ref()?.cookies();
        cookies.since(cookie?, address, self.ambient.clock.now())
    }
}
