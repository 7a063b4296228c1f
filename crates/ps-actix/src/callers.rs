//! Who calls, as extractors of distinct types: a handler that takes the one cannot be reached with
//! the credential of the other.

use std::{ops::Deref, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use ps_http::{Code, Connection, Problem};

use crate::{AuthState, Rejection, convert};

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Rejection>>>>;

/// A caller with an API key: `async fn list(caller: ApiKeyCaller) { caller.require("programs:read")?; … }`.
#[cfg(feature = "apikey")]
#[derive(Clone, Debug)]
pub struct ApiKeyCaller(pub ps_apikey::KeyCaller);

#[cfg(feature = "apikey")]
impl FromRequest for ApiKeyCaller {
    type Error = Rejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (state, on) = arrived(&request)?;
            let head = convert::judged(request.head());
            Ok(Self(state.auth.api_key(head, on).await?))
        })
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
impl FromRequest for SessionCaller {
    type Error = Rejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (state, on) = arrived(&request)?;
            let head = convert::judged(request.head());
            Ok(Self(state.auth.session(head, on).await?))
        })
    }
}

#[cfg(feature = "session")]
impl Deref for SessionCaller {
    type Target = ps_session::SessionCaller;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn arrived(request: &HttpRequest) -> Result<(&AuthState, Connection), Problem> {
    let Some(state) = request.app_data::<AuthState>() else {
        tracing::error!("no AuthState: the app must be given one as app data");
        return Err(Problem::new(Code::InternalError));
    };
    Ok((state, state.connection(request)?))
}
