//! API keys, as their owner keeps them in Settings → API.

#[cfg(feature = "openapi")]
mod described;

use std::{pin::Pin, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use ps_apikey::{ApiKeyError, ApiKeys, Issued, NewKey};
use ps_core::{Ambient, KeyId};
use ps_session::{SessionCaller, Sessions};

use super::key_bodies::{
    KeyPage, KeyView, NewKeyBody, PatchBody, RotateBody, Shown, cursor, limit,
};
use crate::{Answer, Call, Code, Problem, Route, json, no_content};

/// How often making a key judges again because the account changed meanwhile.
const TRIES: usize = 3;

type Acting = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub(crate) fn key_settings(
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    ambient: Ambient,
) -> [Route; 6] {
    let desk = Desk {
        keys,
        sessions,
        ambient,
    };
    let on = |method, path, act: fn(Desk, Call, SessionCaller) -> Acting| {
        let desk = desk.clone();
        Route::session(method, path, move |call, caller| {
            act(desk.clone(), call, caller)
        })
    };
    let (all, one, rotate) = ("/api/keys", "/api/keys/{id}", "/api/keys/{id}/rotate");
    let rows = [
        on(Method::POST, all, |d, call, who| {
            Box::pin(d.issue(call, who))
        })
        .with_json(),
        on(Method::GET, all, |d, call, who| Box::pin(d.list(call, who))),
        on(Method::GET, one, |d, call, who| Box::pin(d.read(call, who))),
        on(Method::PATCH, one, |d, call, who| {
            Box::pin(d.update(call, who))
        })
        .with_json(),
        on(Method::DELETE, one, |d, call, who| {
            Box::pin(d.revoke(call, who))
        }),
        on(Method::POST, rotate, |d, call, who| {
            Box::pin(d.rotate(call, who))
        })
        .with_optional_json(),
    ];
    #[cfg(feature = "openapi")]
    let rows = described::keys(rows);
    rows
}

#[derive(Clone, Debug)]
struct Desk {
    keys: Arc<ApiKeys>,
    sessions: Arc<Sessions>,
    ambient: Ambient,
}

/// Which key to make.
enum Making {
    InPlaceOf(KeyId, Duration),
    New(NewKey),
}

impl Desk {
    async fn issue(self, call: Call, caller: SessionCaller) -> Answer {
        let new = call.json::<NewKeyBody>()?.check()?;
        self.make(&Making::New(new), &call, &caller).await
    }

    async fn rotate(self, call: Call, caller: SessionCaller) -> Answer {
        let id = key_id(&call)?;
        let body = if call.body().is_empty() {
            RotateBody::default()
        } else {
            call.json()?
        };
        let grace = body.check()?;
        self.make(&Making::InPlaceOf(id, grace), &call, &caller)
            .await
    }

    /// A key is made only under the version at which the session was found alive: where that moved
    /// on in between, the session is looked at again.
    async fn make(&self, what: &Making, call: &Call, caller: &SessionCaller) -> Answer {
        let (account, who) = (&caller.account, call.requester());
        for _ in 0..TRIES {
            let under = self.sessions.confirm(caller).await?.version;
            let made = match what {
                Making::New(new) => self.keys.issue(account, under, new.clone(), who).await,
                Making::InPlaceOf(old, grace) => {
                    self.keys.rotate(account, old, *grace, under, who).await
                }
            };
            match made {
                Err(ApiKeyError::AccountChanged) => {}
                made => return Ok(self.show(&made?)),
            }
        }
        Err(Problem::refused(Code::SessionInvalid))
    }

    /// The one answer that shows a key.
    fn show(&self, issued: &Issued) -> http::Response<bytes::Bytes> {
        let now = self.ambient.clock.now();
        let record = KeyView::of(&issued.record, now);
        json(
            StatusCode::CREATED,
            &Shown {
                key: issued.key.expose(),
                record,
            },
        )
    }

    async fn list(self, call: Call, caller: SessionCaller) -> Answer {
        let (after, limit) = (cursor(&call)?, limit(&call)?);
        let page = self.keys.list(&caller.account, after, limit).await?;
        let now = self.ambient.clock.now();
        Ok(json(StatusCode::OK, &KeyPage::of(&page, now)))
    }

    async fn read(self, call: Call, caller: SessionCaller) -> Answer {
        let id = key_id(&call)?;
        let record = self.keys.read(&caller.account, &id).await?;
        let record = record.ok_or_else(|| Problem::new(Code::NotFound))?;
        let now = self.ambient.clock.now();
        Ok(json(StatusCode::OK, &KeyView::of(&record, now)))
    }

    async fn update(self, call: Call, caller: SessionCaller) -> Answer {
        let id = key_id(&call)?;
        let patch = call.json::<PatchBody>()?.check()?;
        self.sessions.confirm(&caller).await?;
        let updating = self
            .keys
            .update(&caller.account, &id, &patch, call.requester());
        let record = updating.await?;
        let now = self.ambient.clock.now();
        Ok(json(StatusCode::OK, &KeyView::of(&record, now)))
    }

    async fn revoke(self, call: Call, caller: SessionCaller) -> Answer {
        let id = key_id(&call)?;
        self.sessions.confirm(&caller).await?;
        if self
            .keys
            .revoke(&caller.account, &id, call.requester())
            .await?
        {
            Ok(no_content())
        } else {
            Err(Problem::new(Code::NotFound))
        }
    }
}

fn key_id(call: &Call) -> Result<KeyId, Problem> {
    let id = call.parameter().parse();
    id.map_err(|_| Problem::new(Code::NotFound))
}
