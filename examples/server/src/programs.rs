//! A resource of the example's own behind scopes, so that a missing one can be seen. It is kept in
//! memory and gone with the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, StatusCode};
use ps_apikey::KeyCaller;
use ps_core::{AccountId, Ambient, random_base62};
use ps_http::{Answer, Call, Problem, Route, json, rfc3339};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub(crate) struct Programs {
    by_account: Arc<Mutex<HashMap<AccountId, Vec<Program>>>>,
    ambient: Ambient,
}

#[derive(Clone, Debug, Serialize)]
struct Program {
    id: String,
    name: String,
    created_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProgram {
    name: String,
}

impl Programs {
    pub(crate) fn new(ambient: Ambient) -> Self {
        Self {
            by_account: Arc::default(),
            ambient,
        }
    }

    pub(crate) fn routes(self) -> [Route; 2] {
        let path = "/api/v1/programs";
        let (reading, writing) = (self.clone(), self);
        [
            Route::api_key(
                Method::GET,
                path,
                Some("programs:read"),
                move |_, caller| {
                    let programs = reading.clone();
                    async move { Ok(programs.list(&caller)) }
                },
            ),
            Route::api_key(
                Method::POST,
                path,
                Some("programs:write"),
                move |call, caller| {
                    let programs = writing.clone();
                    async move { programs.create(&call, &caller) }
                },
            )
            .with_json(),
        ]
    }

    fn list(&self, caller: &KeyCaller) -> http::Response<bytes::Bytes> {
        #[derive(Serialize)]
        struct Body {
            programs: Vec<Program>,
        }
        let kept = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let programs = kept.get(caller.account()).cloned().unwrap_or_default();
        json(StatusCode::OK, &Body { programs })
    }

    fn create(&self, call: &Call, caller: &KeyCaller) -> Answer {
        let NewProgram { name } = call.json()?;
        if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            let message = "must be 1 to 100 characters, none of them a control character";
            return Err(Problem::invalid_field("name", message));
        }
        let mut id = vec![0; 12];
        random_base62(&*self.ambient.random, &mut id);
        let program = Program {
            id: String::from_utf8(id).unwrap_or_default(),
            name,
            created_at: rfc3339(self.ambient.clock.now()),
        };
        let mut kept = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.entry(caller.account().clone())
            .or_default()
            .push(program.clone());
        Ok(json(StatusCode::CREATED, &program))
    }
}
