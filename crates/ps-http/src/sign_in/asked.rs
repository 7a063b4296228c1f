//! Requests that name the address: who asks, and what is remembered of the answer.

use bytes::Bytes;
use http::{Response, header};
use ps_core::{EmailAddress, Requester, StoreResult, User};
use ps_session::OpenSession;

use super::SignIn;
use crate::{Call, edge::Cookie};

impl SignIn {
    /// Who asks, as known as the browser is for `address`. The account is looked up only where the
    /// cookie is of that address, so nobody learns by it who has one.
    pub(crate) async fn requester(
        &self,
        call: &Call,
        address: &EmailAddress,
    ) -> StoreResult<Requester> {
        let (cookie, requester) = (call.cookie(Cookie::Device), call.requester().clone());
        if self.since(cookie, address).is_none() {
            return Ok(requester);
        }
        let candidate = self.candidate(address).await?;
        let standing = candidate.map(|candidate| candidate.standing);
        Ok(self.known(cookie, requester, address, standing.as_ref()))
    }

    /// Counts an attempt at `address` that failed.
    pub(crate) async fn note_failure(&self, address: &EmailAddress) {
        if let Some(browsers) = &self.browsers {
            let now = self.ambient.clock.now();
            browsers.note_failure(address, now).await;
        }
    }

    /// Makes the browser known that gets this answer, since it is given this session.
    pub(crate) fn remember(
        &self,
        call: &Call,
        open: &OpenSession,
        user: &User,
        answer: &mut Response<Bytes>,
    ) {
        let before = call.cookie(Cookie::Device);
        if let Some(cookie) = self.device_cookie(before, open, user, call.is_secure()) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}
