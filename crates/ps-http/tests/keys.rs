//! API keys over HTTP.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Client, Reply, World};
use http::Request;
use serde_json::{Value, json};

async fn create(client: &mut Client, token: &str, body: Value) -> Reply {
    client.post("/api/keys", Some(token), body).await
}

async fn whoami(client: &mut Client, key: &str) -> Reply {
    let request = Request::builder()
        .uri("/api/v1/whoami")
        .header("x-api-key", key);
    client
        .send(request.body(bytes::Bytes::new()).unwrap())
        .await
}

#[tokio::test]
async fn a_key_is_shown_once_works_both_ways_and_is_revoked_at_once() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let body = json!({ "name": "ci", "scopes": ["a:b", "c"], "expires_at": "2027-01-01T01:00:00+01:00", "allowed_ips": ["127.0.0.1", "10.1.2.3/8"] });
    let made = create(&mut client, &token, body).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.headers["cache-control"], "no-store");
    let mut record = made.json();
    let key = record["key"].as_str().unwrap().to_owned();
    let id = record["id"].as_str().unwrap().to_owned();
    assert_eq!(key.len(), 41);
    record.as_object_mut().unwrap().remove("key");
    let expected = json!({
        "id": id, "name": "ci", "hint": format!("ps_…{}", &key[37..]),
        "scopes": ["a:b", "c"], "allowed_ips": ["127.0.0.1", "10.0.0.0/8"],
        "created_at": "2026-11-22T10:00:00Z", "expires_at": "2027-01-01T00:00:00Z",
        "last_used_at": null, "revoked_at": null,
    });
    assert_eq!(record, expected);

    let who = whoami(&mut client, &key).await;
    let account = client.get("/api/auth/session", Some(&token)).await.json();
    let expected = json!({
        "account_id": account["account"]["id"],
        "key": { "id": id, "name": "ci", "scopes": ["a:b", "c"], "expires_at": "2027-01-01T00:00:00Z" },
    });
    assert_eq!((who.status.as_u16(), who.json()), (200, expected.clone()));
    let bearer = client.get("/api/v1/whoami", Some(&key)).await;
    assert_eq!(bearer.json(), expected);

    // AK4: never again. AK10: the use shows.
    let path = format!("/api/keys/{id}");
    let shown = loop {
        let shown = client.get(&path, Some(&token)).await;
        if !shown.json()["last_used_at"].is_null() {
            break shown;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(shown.json()["last_used_at"], "2026-11-22T10:00:00Z");
    let list = client.get("/api/keys", Some(&token)).await;
    assert_eq!(list.json()["keys"][0], shown.json());
    for reply in [shown, list] {
        assert!(!String::from_utf8_lossy(&reply.body).contains(&key[3..37]));
    }

    for _ in 0..2 {
        assert_eq!(client.delete(&path, Some(&token)).await.status, 204);
        assert_eq!(
            whoami(&mut client, &key).await.refusal(),
            (401, "api_key_invalid".to_owned())
        );
    }
    assert_eq!(
        client.get(&path, Some(&token)).await.json()["revoked_at"],
        "2026-11-22T10:00:00Z"
    );
}

// AK13
#[tokio::test]
async fn every_refused_key_gets_the_same_answer() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let revoked = create(&mut client, &token, json!({ "name": "a" }))
        .await
        .json();
    let path = format!("/api/keys/{}", revoked["id"].as_str().unwrap());
    client.delete(&path, Some(&token)).await;
    let expires = json!({ "name": "b", "expires_at": "2026-11-22T10:00:01Z" });
    let expired = create(&mut client, &token, expires).await.json();
    world.test.clock.advance(Duration::from_secs(1));
    let unknown = ps_apikey::KeyPrefix::default().issue(&ps_core::SystemRandom);
    let mut answers = Vec::new();
    for key in [
        revoked["key"].as_str().unwrap(),
        expired["key"].as_str().unwrap(),
        unknown.expose(),
        "ps_malformed",
        "anything",
        &"x".repeat(5_000),
    ] {
        let mut reply = whoami(&mut client, key).await;
        reply.headers.remove("x-request-id");
        answers.push((reply.status, reply.headers, reply.body));
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(
        answers[0].1["www-authenticate"],
        r#"Bearer realm="api", error="invalid_token""#
    );
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}

#[tokio::test]
async fn scopes_and_addresses_are_asked_for() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let plain = create(&mut client, &token, json!({ "name": "a" }))
        .await
        .text("key");
    let scoped = create(
        &mut client,
        &token,
        json!({ "name": "b", "scopes": ["a:b"] }),
    )
    .await
    .text("key");
    let local = json!({ "name": "c", "allowed_ips": ["10.0.0.0/8"] });
    let local = create(&mut client, &token, local).await.text("key");
    let refused = client.get("/api/v1/scoped", Some(&plain)).await;
    assert_eq!(refused.refusal(), (403, "scope_missing".to_owned()));
    assert_eq!(
        refused.headers["www-authenticate"],
        r#"Bearer realm="api", error="insufficient_scope", scope="a:b""#
    );
    assert_eq!(
        client.get("/api/v1/scoped", Some(&scoped)).await.status,
        204
    );
    assert_eq!(
        whoami(&mut client, &local).await.refusal(),
        (403, "address_not_allowed".to_owned())
    );
    client.peer = [10, 9, 9, 9].into();
    assert_eq!(whoami(&mut client, &local).await.status, 200);
}

// AK3, AK16
#[tokio::test]
async fn what_is_wrong_with_a_new_key_is_said_all_at_once() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let many: Vec<String> = (0..33).map(|i| format!("s{i}")).collect();
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({ "name": "" }), vec!["name"]),
        (json!({ "name": "x".repeat(65) }), vec!["name"]),
        (json!({ "name": "a\u{0}b" }), vec!["name"]),
        (
            json!({ "name": "a\nb", "scopes": ["A"], "expires_at": "soon", "allowed_ips": ["x"] }),
            vec!["name", "scopes", "allowed_ips", "expires_at"],
        ),
        (json!({ "name": "a", "scopes": many }), vec!["scopes"]),
        (json!({ "name": "a", "scopes": "a:b" }), vec!["scopes"]),
        (json!({ "name": "a", "scopes": [1] }), vec!["scopes[0]"]),
        (
            json!({ "name": "a", "expires_at": 1_795_341_600 }),
            vec!["expires_at"],
        ),
        (
            json!({ "name": "a", "expires_at": "2026-11-22T10:00:00Z" }),
            vec!["expires_at"],
        ),
        (json!({ "name": "a", "userId": "victim" }), vec!["userId"]),
        (
            json!({ "name": "a", "account_id": "victim" }),
            vec!["account_id"],
        ),
    ] {
        let reply = create(&mut client, &token, body.clone()).await;
        assert_eq!(
            reply.refusal(),
            (400, "validation_failed".to_owned()),
            "{body}"
        );
        let details = reply.json();
        let details = details["details"].as_array().unwrap().clone();
        let told: Vec<_> = details
            .iter()
            .map(|detail| detail["field"].as_str().unwrap())
            .collect();
        assert_eq!(told, fields, "{body}");
    }
    let raw = [
        (r#"{"name":"a","name":"b"}"#, "validation_failed"),
        (r#"{"name":"a"} {}"#, "malformed_json"),
        (r#"{"name":"a""#, "malformed_json"),
        ("", "malformed_json"),
        (r#"["a",null,null,null]"#, "validation_failed"),
        ("null", "validation_failed"),
        ("{\"name\":\"\u{0}\"}", "malformed_json"),
    ];
    for (body, code) in raw {
        let request = Request::builder()
            .method("POST")
            .uri("/api/keys")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(bytes::Bytes::from_static(body.as_bytes()))
            .unwrap();
        let reply = client.send(request).await;
        assert_eq!(reply.refusal(), (400, code.to_owned()), "{body}");
    }
    let list = client.get("/api/keys", Some(&token)).await.json();
    assert_eq!(list["keys"], json!([]), "nothing was made");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    for name in ["a", "b", "c"] {
        create(&mut client, &token, json!({ "name": name })).await;
        world.test.clock.advance(Duration::from_secs(1));
    }
    let first = client.get("/api/keys?limit=2", Some(&token)).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = client
        .get(&format!("/api/keys?limit=2&cursor={cursor}"), Some(&token))
        .await
        .json();
    assert_eq!(second["next_cursor"], Value::Null);
    let names: Vec<_> = [
        first["keys"].as_array().unwrap().clone(),
        second["keys"].as_array().unwrap().clone(),
    ]
    .concat()
    .iter()
    .map(|key| key["name"].as_str().unwrap().to_owned())
    .collect();
    assert_eq!(names, ["c", "b", "a"]);
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=%2B5",
        "limit=1&limit=2",
        "cursor=",
        "cursor=x",
        "cursor=1-2",
    ] {
        let reply = client
            .get(&format!("/api/keys?{query}"), Some(&token))
            .await;
        assert_eq!(
            reply.refusal(),
            (400, "validation_failed".to_owned()),
            "{query}"
        );
    }
}

// AK6
#[tokio::test]
async fn another_accounts_key_is_as_absent_as_an_unknown_one() {
    let world = World::production().await;
    let mut alice = world.client();
    let mut bob = world.client();
    let (a, b) = (
        alice.token("alice@example.com").await,
        bob.token("bob@example.com").await,
    );
    let made = create(&mut alice, &a, json!({ "name": "a" })).await.json();
    let own = format!("/api/keys/{}", made["id"].as_str().unwrap());
    let unknown = "/api/keys/0123456789012345678901";
    for path in [own.as_str(), unknown, "/api/keys/x", "/api/keys/%2e%2e"] {
        for method in [http::Method::GET, http::Method::DELETE] {
            let reply = bob.call(method, path, Some(&b), Value::Null).await;
            assert_eq!(reply.refusal(), (404, "not_found".to_owned()), "{path}");
        }
    }
    assert_eq!(
        whoami(&mut alice, made["key"].as_str().unwrap())
            .await
            .status,
        200
    );
}

// AK5
#[tokio::test]
async fn an_account_has_25_active_keys() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let mut last = Value::Null;
    for _ in 0..25 {
        last = create(&mut client, &token, json!({ "name": "a" }))
            .await
            .json();
    }
    let full = create(&mut client, &token, json!({ "name": "a" })).await;
    assert_eq!(full.refusal(), (409, "too_many_keys".to_owned()));
    client
        .delete(
            &format!("/api/keys/{}", last["id"].as_str().unwrap()),
            Some(&token),
        )
        .await;
    assert_eq!(
        create(&mut client, &token, json!({ "name": "a" }))
            .await
            .status,
        201
    );
}

// SE22: what makes or changes a credential asks the store whether its session still lives.
#[tokio::test]
async fn an_ended_session_changes_nothing_even_where_nobody_has_heard_of_it() {
    use ps_session::{End, SessionStore};
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let shown = client.get("/api/auth/session", Some(&token)).await.json();
    let key = create(&mut client, &token, json!({ "name": "a" }))
        .await
        .json();
    let account = ps_core::AccountId::new(shown["account"]["id"].as_str().unwrap()).unwrap();
    let session = shown["session"]["id"].as_str().unwrap();
    let now = ps_core::Timestamp::from_seconds(1_795_341_600);
    world.store.end(End::All(&account), now).await.unwrap();
    let key_path = format!("/api/keys/{}", key["id"].as_str().unwrap());
    let other = world.client().token("alice@example.com").await;
    for (method, path, body) in [
        (
            http::Method::POST,
            "/api/keys".to_owned(),
            json!({ "name": "b" }),
        ),
        (
            http::Method::POST,
            format!("{key_path}/rotate"),
            Value::Null,
        ),
        (
            http::Method::PATCH,
            key_path.clone(),
            json!({ "name": "b" }),
        ),
        (http::Method::DELETE, key_path.clone(), Value::Null),
        (
            http::Method::DELETE,
            format!("/api/auth/sessions/{session}"),
            Value::Null,
        ),
        (
            http::Method::DELETE,
            "/api/auth/sessions".to_owned(),
            Value::Null,
        ),
    ] {
        let refused = client.call(method.clone(), &path, Some(&token), body).await;
        assert_eq!(
            refused.refusal(),
            (401, "session_invalid".to_owned()),
            "{method} {path}"
        );
    }
    let list = world.client().get("/api/keys", Some(&other)).await.json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
    assert_eq!(list["keys"][0]["name"], "a");
    assert_eq!(list["keys"][0]["revoked_at"], Value::Null);
    assert_eq!(
        world
            .client()
            .get("/api/auth/sessions", Some(&other))
            .await
            .status,
        200
    );
}

// AK9
#[tokio::test]
async fn a_disabled_accounts_keys_are_refused_at_once() {
    let world = World::production().await;
    let mut client = world.client();
    let made = client.sign_up("alice@example.com").await.json();
    let token = made["access_token"].as_str().unwrap();
    let key = create(&mut client, token, json!({ "name": "a" }))
        .await
        .text("key");
    assert_eq!(whoami(&mut client, &key).await.status, 200);
    let account = ps_core::AccountId::new(made["account"]["id"].as_str().unwrap()).unwrap();
    world.auth.disable(&account).await.unwrap();
    assert_eq!(
        whoami(&mut client, &key).await.refusal(),
        (401, "api_key_invalid".to_owned())
    );
    world.auth.enable(&account).await.unwrap();
    assert_eq!(whoami(&mut client, &key).await.status, 200);
}

#[tokio::test]
async fn a_key_is_changed_field_by_field() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let body = json!({ "name": "a", "scopes": ["a:b"], "expires_at": "2027-01-01T00:00:00Z", "allowed_ips": ["127.0.0.1"] });
    let made = create(&mut client, &token, body).await.json();
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(client.get("/api/v1/scoped", Some(&key)).await.status, 204);
    for (patch, field, value) in [
        (json!({}), "name", json!("a")),
        (json!({ "name": "b" }), "name", json!("b")),
        (json!({ "scopes": [] }), "scopes", json!([])),
        (json!({ "expires_at": null }), "expires_at", json!(null)),
        (
            json!({ "expires_at": "2028-01-01T00:00:00Z" }),
            "expires_at",
            json!("2028-01-01T00:00:00Z"),
        ),
        (json!({ "allowed_ips": null }), "allowed_ips", json!([])),
        (
            json!({ "allowed_ips": ["10.0.0.0/8"] }),
            "allowed_ips",
            json!(["10.0.0.0/8"]),
        ),
    ] {
        let reply = client
            .call(http::Method::PATCH, &path, Some(&token), patch.clone())
            .await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()[field]),
            (200, &value),
            "{patch}"
        );
        assert_eq!(client.get(&path, Some(&token)).await.json(), reply.json());
    }
    // What was remembered of it is judged no more.
    let refused = client.get("/api/v1/scoped", Some(&key)).await;
    assert_eq!(refused.refusal(), (403, "address_not_allowed".to_owned()));
    let anywhere = json!({ "allowed_ips": [] });
    client
        .call(http::Method::PATCH, &path, Some(&token), anywhere)
        .await;
    let refused = client.get("/api/v1/scoped", Some(&key)).await;
    assert_eq!(refused.refusal(), (403, "scope_missing".to_owned()));

    for patch in [
        json!({ "name": null }),
        json!({ "name": "" }),
        json!({ "scopes": null }),
        json!({ "scopes": ["A"] }),
        json!({ "expires_at": "2026-11-22T10:00:00Z" }),
        json!({ "expires_at": "never" }),
        json!({ "allowed_ips": ["x"] }),
        json!({ "account_id": "victim" }),
        json!({ "revoked_at": null }),
    ] {
        let reply = client
            .call(http::Method::PATCH, &path, Some(&token), patch.clone())
            .await;
        assert_eq!(
            reply.refusal(),
            (400, "validation_failed".to_owned()),
            "{patch}"
        );
    }
    client.delete(&path, Some(&token)).await;
    let late = client
        .call(
            http::Method::PATCH,
            &path,
            Some(&token),
            json!({ "name": "c" }),
        )
        .await;
    assert_eq!(late.refusal(), (409, "key_revoked".to_owned()));
    let stranger = world.client().token("bob@example.com").await;
    let foreign = world
        .client()
        .call(http::Method::PATCH, &path, Some(&stranger), json!({}))
        .await;
    assert_eq!(foreign.refusal(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_replaced_key_works_on_for_its_grace() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let made = create(
        &mut client,
        &token,
        json!({ "name": "a", "scopes": ["a:b"] }),
    )
    .await
    .json();
    let old = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(whoami(&mut client, &old).await.status, 200);
    let rotate = format!("{path}/rotate");
    for body in [
        json!({ "grace_seconds": 604_801 }),
        json!({ "grace_seconds": -1 }),
        json!({ "grace_seconds": 1.5 }),
        json!({ "grace_seconds": "1" }),
        json!({ "grace": 1 }),
    ] {
        let reply = client.post(&rotate, Some(&token), body.clone()).await;
        assert_eq!(
            reply.refusal(),
            (400, "validation_failed".to_owned()),
            "{body}"
        );
    }
    let replaced = client
        .post(&rotate, Some(&token), json!({ "grace_seconds": 60.0 }))
        .await;
    assert_eq!(replaced.status, 201);
    let replaced = replaced.json();
    assert_ne!(replaced["id"], made["id"]);
    assert_eq!(
        (&replaced["name"], &replaced["scopes"]),
        (&made["name"], &made["scopes"])
    );
    let new = replaced["key"].as_str().unwrap().to_owned();
    assert_eq!(
        client.get(&path, Some(&token)).await.json()["revoked_at"],
        Value::Null
    );
    for key in [&old, &new] {
        assert_eq!(whoami(&mut client, key).await.status, 200);
    }
    let again = client.post(&rotate, Some(&token), json!(null)).await;
    assert_eq!(again.refusal(), (409, "key_revoked".to_owned()));
    world.test.clock.advance(Duration::from_secs(60));
    assert_eq!(
        whoami(&mut client, &old).await.refusal(),
        (401, "api_key_invalid".to_owned())
    );
    assert_eq!(whoami(&mut client, &new).await.status, 200);
    assert_eq!(
        client.get(&path, Some(&token)).await.json()["revoked_at"],
        "2026-11-22T10:01:00Z"
    );

    // Without a body there is no grace.
    let rotate = format!("/api/keys/{}/rotate", replaced["id"].as_str().unwrap());
    assert_eq!(
        client.post(&rotate, Some(&token), json!(null)).await.status,
        201
    );
    assert_eq!(
        whoami(&mut client, &new).await.refusal(),
        (401, "api_key_invalid".to_owned())
    );
    let missing = client
        .post(
            "/api/keys/0123456789012345678901/rotate",
            Some(&token),
            json!(null),
        )
        .await;
    assert_eq!(missing.refusal(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_key_in_its_grace_does_not_count() {
    let world = World::production().await;
    let mut client = world.client();
    let token = client.token("alice@example.com").await;
    let mut last = Value::Null;
    for _ in 0..25 {
        last = create(&mut client, &token, json!({ "name": "a" }))
            .await
            .json();
    }
    let rotate = format!("/api/keys/{}/rotate", last["id"].as_str().unwrap());
    let replaced = client
        .post(&rotate, Some(&token), json!({ "grace_seconds": 60 }))
        .await;
    assert_eq!(replaced.status, 201);
    let full = create(&mut client, &token, json!({ "name": "a" })).await;
    assert_eq!(full.refusal(), (409, "too_many_keys".to_owned()));
}
