//! Requests that nobody thought of: everything above, thrown together.

use parity::{Asked, Dice, Group, Place, Sending};

use crate::routes::filled;

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "X",
];

const HEADERS: [(&str, &[&str]); 17] = [
    (
        "x-api-key",
        &[
            "{key}",
            "{bare_key}",
            "{revoked_key}",
            "{expired_key}",
            "{token}",
            "",
            "x",
        ],
    ),
    (
        "authorization",
        &[
            "Bearer {token}",
            "Bearer {key}",
            "bearer {expired_token}",
            "Basic eDp5",
            "Bearer",
            "Bearer {refresh}",
        ],
    ),
    (
        "cookie",
        &[
            "{c}ps_refresh=x",
            "{c}ps_challenge={challenge}",
            "{c}ps_attempt_google={attempt}",
            "a=b; {c}ps_refresh=x",
            "ps_refresh=x",
        ],
    ),
    (
        "content-type",
        &[
            "application/json",
            "text/plain",
            "application/json; charset=utf-8",
        ],
    ),
    (
        "origin",
        &[
            "https://app.example.com",
            "https://pages.example.com",
            "http://127.0.0.1:8080",
            "null",
            "https://evil.example",
        ],
    ),
    ("sec-fetch-site", &["same-origin", "cross-site", "none"]),
    (
        "x-forwarded-for",
        &["203.0.113.9", "1.1.1.1, 203.0.113.9", "x"],
    ),
    ("x-forwarded-proto", &["https", "http"]),
    ("forwarded", &["for=203.0.113.9;proto=https"]),
    (
        "idempotency-key",
        &["a-fresh-key-1", "short", "another-key-22"],
    ),
    ("user-agent", &["curl/8", "Mozilla/5.0 (X11)", "\u{e9}", ""]),
    ("accept-language", &["de, en;q=0.5", "*", "x-\u{e9}"]),
    ("accept", &["text/html", "application/xml", "*/*;q=0"]),
    ("accept-encoding", &["gzip, br", "identity;q=0"]),
    ("access-control-request-method", &["POST", "DELETE"]),
    ("if-none-match", &["*", "\"x\""]),
    ("range", &["bytes=0-1", "bytes=-1"]),
];

const BODIES: [&str; 12] = [
    "",
    "{}",
    r#"{"email": "ada@example.com"}"#,
    r#"{"email": "grace@example.com", "challenge": "{challenge}"}"#,
    r#"{"code": "123456", "challenge": "{challenge}"}"#,
    r#"{"name": "thrown", "scopes": ["a:b"]}"#,
    r#"{"name": "x", "allowed_ips": ["10.0.0.0/8"]}"#,
    r#"{"grace_seconds": 60}"#,
    r#"{"return_to": "/x"}"#,
    r#"{"new_password": "short"}"#,
    "[1, 2",
    "\u{e9}",
];

fn throw(dice: &mut Dice, routes: &[(String, String)]) -> Asked {
    let (own, path) = &routes[dice.below(routes.len())];
    let method = if dice.once_in(6) {
        dice.one_of(&METHODS)
    } else {
        own
    };
    let mut target = path.clone();
    if dice.once_in(4) {
        target = target.replace(
            parity::MISSING,
            dice.one_of(&["{key_id}", "{session}", "{others_key_id}", "x"]),
        );
    }
    if dice.once_in(6) {
        let at = dice.below(target.len()) + 1;
        target.insert_str(
            at,
            dice.one_of(&["/", "%2f", ".", "%00", ";", "x", "..", "%", "~"]),
        );
    }
    if dice.once_in(4) {
        target += dice.one_of(&[
            "?limit=2",
            "?return_to=/a",
            "?api_key={key}",
            "?code=a&state=b",
            "?x=%ff",
            "?",
        ]);
    }
    let mut asked = Asked::new(method, &target);
    for (name, values) in HEADERS {
        let often = if name.starts_with("x-forwarded") || name == "forwarded" {
            12
        } else {
            4
        };
        if dice.once_in(often) {
            asked = asked.with(name, dice.one_of(values));
            if dice.once_in(10) {
                asked = asked.with(name, dice.one_of(values));
            }
        }
    }
    if dice.once_in(2) {
        asked = asked.with_body(dice.one_of(&BODIES));
    }
    match dice.below(6) {
        0 => asked.sent(Sending::Chunked(5)),
        1 if method != "HEAD" && dice.once_in(4) => asked.sent(Sending::Torn),
        _ => asked,
    }
}

// HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thrown_together() {
    for (seed, place) in [
        (1, Place::Development),
        (2, Place::Production),
        (3, Place::Proxied),
    ] {
        let mut group = Group::new("thrown together", place).await;
        let auth = group.ways().world().auth().clone();
        let routes = auth.routes();
        let routes = routes.map(|route| (route.method().to_string(), filled(route.path())));
        let mut routes: Vec<_> = routes.collect();
        routes.sort();
        let mut dice = Dice::new(seed);
        for world in group.ways().worlds() {
            world.keep("c", place.cookie_prefix());
        }
        for round in 0..1_000 {
            if round % 20 == 0 {
                group.ways().renew().await;
            }
            group.ask(&throw(&mut dice, &routes)).await;
        }
        group.done(1_000);
    }
}
