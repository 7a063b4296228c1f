//! A resource of the example's own behind scopes, so that a missing one can be seen. It is kept in
//! memory and gone with the process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, StatusCode};
use ps_apikey::KeyCaller;
use ps_core::{AccountId, Ambient, random_base62};
use ps_http::{
    Answer, Call, Problem, Route, json as answer,
    openapi::{Description, Success},
    rfc3339,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

#[derive(Clone, Debug)]
pub(crate) struct Programs {
    by_account: Arc<Mutex<HashMap<AccountId, Vec<Program>>>>,
    ambient: Ambient,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Program {
    id: String,
    name: String,
    #[schema(format = DateTime)]
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ProgramList)]
struct ListBody {
    programs: Vec<Program>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProgram {
    /// None of its characters may be one of control.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
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
        let [list, create] = self.rows();
        [
            list.described(
                Description::new("listPrograms", "List the programs")
                    .under(TAG)
                    .answers(
                        Success::new(StatusCode::OK, "All of them.")
                            .with_json::<ListBody>(json!({ "programs": [example()] })),
                    ),
            ),
            create.described(
                Description::new("createProgram", "Make a program")
                    .under(TAG)
                    .with_body::<NewProgram>(json!({ "name": "Newsletter" }))
                    .answers(
                        Success::new(StatusCode::CREATED, "It is made.")
                            .with_json::<Program>(example()),
                    ),
            ),
        ]
    }

    fn rows(self) -> [Route; 2] {
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
        let kept = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let programs = kept.get(caller.account()).cloned().unwrap_or_default();
        answer(StatusCode::OK, &ListBody { programs })
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
        Ok(answer(StatusCode::CREATED, &program))
    }
}

const TAG: &str = "Programs";

fn example() -> Value {
    json!({
        "id": "x7Kc2TqPz0Lm",
        "name": "Newsletter",
        "created_at": "2026-11-22T10:00:00Z",
    })
}
