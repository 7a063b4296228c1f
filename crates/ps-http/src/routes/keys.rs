//! API keys: what a key is told about itself, and what its owner does in Settings → API.

#[cfg(feature = "session")]
pub(crate) use settings::key_settings;

use http::{Method, StatusCode};
use ps_apikey::KeyCaller;
use serde::Serialize;

use crate::{Answer, Route, answer::rfc3339, json};

pub(crate) fn whoami() -> [Route; 1] {
    [Route::api_key(
        Method::GET,
        "/api/v1/whoami",
        None,
        |_, caller| who(caller),
    )]
}

async fn who(caller: KeyCaller) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        account_id: &'a str,
        key: Key<'a>,
    }
    #[derive(Serialize)]
    struct Key<'a> {
        id: &'a str,
        name: &'a str,
        scopes: Vec<&'a str>,
        expires_at: Option<String>,
    }
    let record = caller.key();
    let key = Key {
        id: record.id.as_str(),
        name: record.name.as_str(),
        scopes: record.scopes.iter().collect(),
        expires_at: record.expires_at.map(rfc3339),
    };
    let body = Body {
        account_id: caller.account().as_str(),
        key,
    };
    Ok(json(StatusCode::OK, &body))
}

#[cfg(feature = "session")]
mod settings {
    use std::sync::Arc;

    use http::{Method, StatusCode};
    use ps_apikey::{
        AllowedAddresses, ApiKeyError, ApiKeyRecord, ApiKeys, Issued, KeyCursor, KeyName, NewKey,
        Scopes,
    };
    use ps_core::{KeyId, Timestamp};
    use ps_session::{SessionCaller, Sessions};
    use serde::{Deserialize, Serialize};

    use crate::{
        Answer, Call, Code, Detail, Problem, Route,
        answer::{read_rfc3339, rfc3339},
        json, no_content,
    };

    /// How often making a key judges again because the account changed meanwhile.
    const TRIES: usize = 3;

    pub(crate) fn key_settings(keys: Arc<ApiKeys>, sessions: Arc<Sessions>) -> [Route; 4] {
        let settings = Settings { keys, sessions };
        let on = |method, path, act: fn(Settings, Call, SessionCaller) -> _| {
            let settings = settings.clone();
            Route::session(method, path, move |call, caller| {
                act(settings.clone(), call, caller)
            })
        };
        [
            on(Method::POST, "/api/keys", |s, call, caller| {
                Box::pin(s.issue(call, caller)) as Acting
            })
            .with_json(),
            on(Method::GET, "/api/keys", |s, call, caller| {
                Box::pin(s.list(call, caller))
            }),
            on(Method::GET, "/api/keys/{id}", |s, call, caller| {
                Box::pin(s.read(call, caller))
            }),
            on(Method::DELETE, "/api/keys/{id}", |s, call, caller| {
                Box::pin(s.revoke(call, caller))
            }),
        ]
    }

    type Acting = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

    #[derive(Clone, Debug)]
    struct Settings {
        keys: Arc<ApiKeys>,
        sessions: Arc<Sessions>,
    }

    impl Settings {
        /// The one answer that shows the key.
        async fn issue(self, call: Call, caller: SessionCaller) -> Answer {
            let new = call.json::<NewKeyBody>()?.check()?;
            let Issued { key, record } = self.issue_under_session(new, &call, &caller).await?;
            let body = Shown {
                key: key.expose(),
                record: KeyView::of(&record),
            };
            Ok(json(StatusCode::CREATED, &body))
        }

        /// A key is made only under the version at which the session was found alive: where that
        /// moved on in between, the session is looked at again.
        async fn issue_under_session(
            &self,
            new: NewKey,
            call: &Call,
            caller: &SessionCaller,
        ) -> Result<Issued, Problem> {
            for _ in 0..TRIES {
                let version = self.sessions.confirm(caller).await?.version;
                let issuing =
                    self.keys
                        .issue(&caller.account, version, new.clone(), call.requester());
                match issuing.await {
                    Err(ApiKeyError::AccountChanged) => {}
                    issued => return Ok(issued?),
                }
            }
            Err(Problem::refused(Code::SessionInvalid))
        }

        async fn list(self, call: Call, caller: SessionCaller) -> Answer {
            let after = match call.query("cursor")? {
                None => None,
                Some(text) => Some(read_cursor(&text).ok_or_else(|| {
                    Problem::invalid_field("cursor", "must be a next_cursor of this list")
                })?),
            };
            let limit = match call.query("limit")? {
                None => 50,
                Some(text) => read_limit(&text).ok_or_else(|| {
                    Problem::invalid_field("limit", "must be a number from 1 to 100")
                })?,
            };
            let page = self.keys.list(&caller.account, after, limit).await?;
            let body = Page {
                keys: page.keys.iter().map(KeyView::of).collect(),
                next_cursor: page.next.map(write_cursor),
            };
            Ok(json(StatusCode::OK, &body))
        }

        async fn read(self, call: Call, caller: SessionCaller) -> Answer {
            let id = key_id(&call)?;
            let record = self.keys.read(&caller.account, &id).await?;
            let record = record.ok_or(Problem::new(Code::NotFound))?;
            Ok(json(StatusCode::OK, &KeyView::of(&record)))
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

    /// An owner is not among the fields: it is the session's account and nothing else.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NewKeyBody {
        name: String,
        scopes: Option<Vec<String>>,
        expires_at: Option<String>,
        allowed_ips: Option<Vec<String>>,
    }

    impl NewKeyBody {
        /// Every field is looked at, so that the client learns of all that is wrong at once.
        fn check(self) -> Result<NewKey, Problem> {
            let mut details = Vec::new();
            let mut note = |field: &str, message: String| {
                details.push(Detail {
                    field: field.to_owned(),
                    message,
                });
            };
            let name = KeyName::new(self.name).map_err(|e| note("name", e.to_string()));
            let scopes = Scopes::new(self.scopes.unwrap_or_default())
                .map_err(|e| note("scopes", e.to_string()));
            let allowed_addresses = AllowedAddresses::parse(self.allowed_ips.unwrap_or_default())
                .map_err(|e| note("allowed_ips", e.to_string()));
            let expires_at =
                self.expires_at
                    .map(|text| read_rfc3339(&text))
                    .map_or(Ok(None), |at| {
                        at.map(Some).ok_or_else(|| {
                            note(
                                "expires_at",
                                "must be an RFC 3339 time such as 2027-01-31T00:00:00Z".to_owned(),
                            );
                        })
                    });
            match (name, scopes, allowed_addresses, expires_at) {
                (Ok(name), Ok(scopes), Ok(allowed_addresses), Ok(expires_at)) => Ok(NewKey {
                    name,
                    scopes,
                    allowed_addresses,
                    expires_at,
                }),
                _ => Err(Problem::invalid(details)),
            }
        }
    }

    #[derive(Serialize)]
    struct Shown<'a> {
        key: &'a str,
        #[serde(flatten)]
        record: KeyView<'a>,
    }

    #[derive(Serialize)]
    struct Page<'a> {
        keys: Vec<KeyView<'a>>,
        next_cursor: Option<String>,
    }

    #[derive(Serialize)]
    struct KeyView<'a> {
        id: &'a str,
        name: &'a str,
        hint: &'a str,
        scopes: Vec<&'a str>,
        allowed_ips: Vec<String>,
        created_at: String,
        expires_at: Option<String>,
        last_used_at: Option<String>,
        revoked_at: Option<String>,
    }

    impl<'a> KeyView<'a> {
        fn of(record: &'a ApiKeyRecord) -> Self {
            Self {
                id: record.id.as_str(),
                name: record.name.as_str(),
                hint: &record.hint,
                scopes: record.scopes.iter().collect(),
                allowed_ips: record.allowed_addresses.iter().collect(),
                created_at: rfc3339(record.created_at),
                expires_at: record.expires_at.map(rfc3339),
                last_used_at: record.last_used_at.map(rfc3339),
                revoked_at: record.revoked_at.map(rfc3339),
            }
        }
    }

    fn write_cursor(cursor: KeyCursor) -> String {
        format!("{}-{}", cursor.created_at.as_millis(), cursor.id)
    }

    fn read_cursor(text: &str) -> Option<KeyCursor> {
        let (millis, id) = text.rsplit_once('-')?;
        let created_at = Timestamp::from_millis(millis.parse().ok()?);
        Some(KeyCursor {
            created_at,
            id: id.parse().ok()?,
        })
    }

    /// A plain number: `+5` and `05` are none.
    fn read_limit(text: &str) -> Option<u32> {
        let number: u32 = text.parse().ok()?;
        ((1..=100).contains(&number) && number.to_string() == text).then_some(number)
    }
}
