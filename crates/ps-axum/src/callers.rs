//! Who calls, as extractors of distinct types: a handler that takes the one cannot be reached with
//! the credential of the other.

use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::{AuthState, Rejection, connected};

/// A caller with an API key: `async fn list(caller: ApiKeyCaller) { caller.require("programs:read")?; … }`.
#[cfg(feature = "apikey")]
#[derive(Clone, Debug)]
pub struct ApiKeyCaller(pub ps_apikey::KeyCaller);

#[cfg(feature = "apikey")]
impl<S: Send + Sync> FromRequestParts<S> for ApiKeyCaller
where
    AuthState: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let state = AuthState::from_ref(state);
        let on = connected(&state, head)?;
        Ok(Self(state.auth.api_key(&*head, on).await?))
    }
}

#[cfg(feature = "apikey")]
impl Deref for ApiKeyCaller {
    type Target = ps_apikey::KeyCaller;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A caller with an access token of a live session.
#[cfg(feature = "session")]
#[derive(Clone, Debug)]
pub struct SessionCaller(pub ps_session::SessionCaller);

#[cfg(feature = "session")]
impl<S: Send + Sync> FromRequestParts<S> for SessionCaller
where
    AuthState: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let state = AuthState::from_ref(state);
        let on = connected(&state, head)?;
        Ok(Self(state.auth.session(&*head, on).await?))
    }
}

#[cfg(feature = "session")]
impl Deref for SessionCaller {
    type Target = ps_session::SessionCaller;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
