//! The OpenAPI document: it is one, it tells of everything there is, and the committed copy is it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    sync::Arc,
};

use common::{World, schema};
use ps_core::{Ambient, Follower};
use ps_http::{Auth, Edge, Origin, Route, no_content, openapi};
use ps_memory::MemoryStore;
use serde_json::{Value, json};

const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every operation: path, method, and what is said of it.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(|(method, it)| (path.as_str(), method.as_str(), it))
    });
    each.collect()
}

/// Every value below `value`, with the name that it stands under.
fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => {
            for (name, value) in fields {
                visit(name, value);
                walk(value, visit);
            }
        }
        _ => {}
    }
}

/// The document of every flow, without the rows that the tests add.
async fn ours() -> Value {
    let mut document = World::production().await.document.clone();
    let paths = document["paths"].as_object_mut().unwrap();
    assert!(paths.remove("/api/v1/scoped").is_some());
    assert!(paths.remove("/api/panic").is_some());
    document
}

#[tokio::test]
async fn the_committed_copy_is_the_document() {
    let document = ours().await;
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(
            COPY,
            serde_json::to_string_pretty(&document).unwrap() + "\n",
        )
        .unwrap();
    }
    let copy: Value = serde_json::from_str(&fs::read_to_string(COPY).unwrap()).unwrap();
    assert!(
        copy == document,
        "openapi.json is not what the code says: UPDATE_OPENAPI=1 cargo test -p ps-http \
         --all-features --test openapi writes it anew"
    );
}

#[tokio::test]
async fn it_is_an_openapi_document() {
    let world = World::production().await;
    let document = &world.document;
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    assert_eq!(document["servers"][0]["url"], common::PRODUCTION);
    let mut references = BTreeSet::new();
    walk(document, &mut |name, value| {
        if name == "$ref" {
            references.insert(value.as_str().unwrap());
        }
    });
    for reference in &references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
    // What nothing refers to, but the answers to what is no operation, is left over.
    for kind in ["schemas", "responses", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            let alone = matches!(name.as_str(), "MethodNotAllowed");
            assert!(
                alone || references.contains(reference.as_str()),
                "{reference}"
            );
        }
    }
    let schemes = &document["components"]["securitySchemes"];
    let mut ids = BTreeSet::new();
    for (path, method, it) in operations(document) {
        assert!(
            path.starts_with('/') && METHODS.contains(&method),
            "{method} {path}"
        );
        let id = it["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        let responses = it["responses"].as_object().unwrap();
        assert!(!responses.is_empty());
        for (status, answer) in responses {
            let number: u16 = status.parse().unwrap_or(200);
            assert!((200..600).contains(&number), "{status}");
            assert!(
                schema::resolved(document, answer)["description"].is_string(),
                "{id} {status}"
            );
        }
        for way in it["security"].as_array().unwrap() {
            for scheme in way.as_object().unwrap().keys() {
                assert!(schemes[scheme]["type"].is_string(), "{id}: {scheme}");
            }
        }
        let parameters = it["parameters"].as_array().into_iter().flatten();
        let in_path = parameters.filter(|it| it["in"] == "path" && it["required"] == true);
        let declared: Vec<&str> = in_path.map(|it| it["name"].as_str().unwrap()).collect();
        let named = path.split('{').skip(1);
        let named: Vec<&str> = named.map(|rest| rest.split_once('}').unwrap().0).collect();
        assert_eq!(declared, named, "{method} {path}");
        let has_body = !it["requestBody"].is_null();
        assert!(
            !has_body || matches!(method, "patch" | "post" | "put"),
            "{id}"
        );
    }
}

#[tokio::test]
async fn it_tells_of_every_route_and_of_nothing_else() {
    let world = World::production().await;
    let routes = world.auth.routes();
    let routes = routes.map(|it| (it.path(), it.method().as_str().to_lowercase()));
    let told = operations(&world.document);
    let told = told
        .iter()
        .map(|(path, method, _)| (*path, (*method).to_owned()));
    assert_eq!(
        told.collect::<BTreeSet<_>>(),
        routes.collect::<BTreeSet<_>>()
    );
    for (path, method, it) in operations(&ours().await) {
        for what in ["summary", "tags"] {
            assert!(!it[what].is_null(), "{method} {path} has no {what}");
        }
        assert!(
            it["responses"]["default"].is_null(),
            "{method} {path} tells no good answer"
        );
    }
}

/// What a row is decides what it can be refused with.
#[tokio::test]
async fn codes_follow_from_the_row() {
    let world = World::production().await;
    let codes = |path: &str, method: &str| {
        let mut codes = BTreeSet::new();
        let responses = &world.document["paths"][path][method]["responses"];
        for answer in responses.as_object().unwrap().values() {
            let answer = schema::resolved(&world.document, answer);
            let code = &answer["content"]["application/json"]["schema"]["properties"]["code"];
            let each = code["enum"].as_array().into_iter().flatten();
            codes.extend(each.map(|code| code.as_str().unwrap().to_owned()));
        }
        codes
    };
    let set = |codes: &[&str]| -> BTreeSet<String> {
        codes.iter().map(|code| (*code).to_owned()).collect()
    };
    let bare = ["body_too_large", "internal_error", "malformed_json"];
    assert_eq!(codes("/healthz", "get"), set(&bare));
    let anywhere = [&bare[..], &["https_required", "misdirected_request"]].concat();
    assert_eq!(codes("/.well-known/jwks.json", "get"), set(&anywhere));
    let api = [&anywhere[..], &["ambiguous_credentials", "header_invalid"]].concat();
    assert_eq!(codes("/api/openapi.json", "get"), set(&api));
    let session = ["session_invalid", "session_required", "unavailable"];
    let listing = [&api[..], &session].concat();
    assert_eq!(codes("/api/auth/sessions", "get"), set(&listing));
    let ending = [&listing[..], &["origin_forbidden"]].concat();
    assert_eq!(codes("/api/auth/sessions", "delete"), set(&ending));
    let json = ["unsupported_media_type", "validation_failed"];
    let making = [&ending[..], &json, &["too_many_keys"]].concat();
    assert_eq!(codes("/api/keys", "post"), set(&making));
    let key = [
        "address_not_allowed",
        "api_key_invalid",
        "api_key_missing",
        "api_key_required",
        "unavailable",
    ];
    let asking = [&api[..], &key].concat();
    assert_eq!(codes("/api/v1/whoami", "get"), set(&asking));
    let scoped = [&asking[..], &["scope_missing", "validation_failed"]].concat();
    assert_eq!(codes("/api/v1/scoped", "get"), set(&scoped));
    let writing = [&scoped[..], &json, &["origin_forbidden"]].concat();
    assert_eq!(codes("/api/v1/scoped", "post"), set(&writing));
    let scope = &world.document["paths"]["/api/v1/scoped"]["get"]["security"];
    assert_eq!(
        *scope,
        json!([{ "apiKeyHeader": ["a:b"] }, { "apiKeyBearer": ["a:b"] }])
    );
}

#[tokio::test]
async fn every_code_is_told_of() {
    let source = include_str!("../src/code.rs");
    let rows = source.split("Self::").skip(1).filter_map(|row| {
        let name = row.split('"').nth(1)?;
        row.contains("S::").then(|| name.to_owned())
    });
    let codes: BTreeSet<String> = rows.collect();
    assert!(codes.len() > 35 && codes.contains("not_found"), "{codes:?}");
    let mut told = BTreeSet::new();
    for world in [World::production().await, World::development().await] {
        walk(&world.document, &mut |name, value| {
            if name == "enum" {
                let values = value.as_array().unwrap().iter();
                told.extend(values.map(|code| code.as_str().unwrap().to_owned()));
            }
        });
    }
    // That one is told to a page, in the query of where a callback ends.
    let ours = ours().await;
    let callback = &ours["paths"]["/api/auth/social/{provider}/callback"]["get"]["description"];
    let to_a_page = ["identity_in_use"].map(str::to_owned);
    for code in &to_a_page {
        assert!(callback.as_str().unwrap().contains(&format!("`{code}`")));
    }
    told.extend(to_a_page);
    assert_eq!(told, codes);
}

#[tokio::test]
async fn examples_are_what_their_schemas_say() {
    let world = World::production().await;
    let document = &world.document;
    let mut seen = 0;
    walk(document, &mut |name, value| {
        if name != "content" {
            return;
        }
        for (kind, media) in value.as_object().unwrap() {
            let one = [&media["example"]].into_iter().filter(|it| !it.is_null());
            let many = media["examples"].as_object().into_iter().flatten();
            for example in one.chain(many.map(|(_, it)| &it["value"])) {
                let faults = schema::faults(document, &media["schema"], example);
                assert!(faults.is_empty(), "{kind}: {example}: {faults:?}");
                seen += 1;
            }
        }
    });
    for (path, method, it) in operations(document) {
        for parameter in it["parameters"].as_array().into_iter().flatten() {
            if !parameter["example"].is_null() {
                let faults = schema::faults(document, &parameter["schema"], &parameter["example"]);
                assert!(faults.is_empty(), "{method} {path}: {faults:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

/// The checks of these tests see what is wrong.
#[test]
fn a_wrong_value_is_seen() {
    let document = json!({
        "Whole": { "allOf": [{ "$ref": "#/Part" }], "properties": { "b": { "enum": ["x"] } } },
        "Part": {
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": { "type": ["string", "null"], "maxLength": 2 },
                "at": { "type": "string", "format": "date-time" },
            },
        },
    });
    let judge = |value: Value| schema::faults(&document, &json!({ "$ref": "#/Whole" }), &value);
    for good in [
        json!({ "a": "é2", "b": "x" }),
        json!({ "a": null, "at": "2026-11-22T10:00:00Z" }),
    ] {
        assert_eq!(judge(good.clone()), Vec::<String>::new(), "{good}");
    }
    for bad in [
        json!([]),
        json!({}),
        json!({ "a": 1 }),
        json!({ "a": "abc" }),
        json!({ "a": "", "b": "y" }),
        json!({ "a": "", "c": 1 }),
        json!({ "a": "", "at": "2026-11-22T10:00:00.5Z" }),
    ] {
        assert!(!judge(bad.clone()).is_empty(), "{bad}");
    }
}

#[tokio::test]
async fn it_is_served_and_may_be_kept() {
    let world = World::production().await;
    let mut client = world.client();
    let reply = client.get("/api/openapi.json", None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["cache-control"], "public, max-age=300");
    assert_eq!(reply.json(), world.document);
    let wrong = client.post("/api/openapi.json", None, json!({})).await;
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".to_owned()));
}

/// Of a bare service only what it serves is told, whenever the document was asked for.
#[tokio::test]
async fn it_grows_with_the_composition() {
    let (store, ambient) = (Arc::new(MemoryStore::new()), Ambient::default());
    let follower = Arc::new(Follower::new(store.clone(), ambient.clock.clone()));
    let edge = Edge::development(Origin::parse(common::DEVELOPMENT).unwrap()).unwrap();
    let auth = Auth::new(edge, store, follower, ambient).with_openapi();
    let served = async |auth: &Auth| -> BTreeMap<String, Value> {
        let request = http::Request::get("/api/openapi.json").header("host", "127.0.0.1:8080");
        let on = ps_http::Connection {
            peer: ([127, 0, 0, 1], 40_000).into(),
            tls: false,
        };
        let answer = auth
            .handle(request.body(bytes::Bytes::new()).unwrap(), on)
            .await;
        let document: Value = serde_json::from_slice(answer.body()).unwrap();
        serde_json::from_value(document["paths"].clone()).unwrap()
    };
    let paths = served(&auth).await;
    assert_eq!(
        paths.keys().collect::<Vec<_>>(),
        ["/api/openapi.json", "/healthz", "/readyz"]
    );
    let page = openapi::Description::new("front", "The front page").answers(
        openapi::Success::new(http::StatusCode::OK, "It.").with_content("text/html; charset=utf-8"),
    );
    let row = Route::public(http::Method::GET, "/", |_| async { Ok(no_content()) });
    let auth = auth.with_routes([row.described(page)]);
    let front = &served(&auth).await["/"]["get"];
    assert_eq!(front["operationId"], "front");
    assert!(
        front["responses"]["403"]
            .to_string()
            .contains("development_only")
    );
    assert!(front["responses"]["421"].is_null() && front["responses"]["default"].is_null());
}
