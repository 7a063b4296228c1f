//! Headers that carry a credential, a cookie or a parameter, in every form that a parser lets
//! through.

use parity::{Asked, Group, Place};

/// What may stand where a key or a token belongs: `None` is no such header.
const IN_X_API_KEY: [Option<&[u8]>; 10] = [
    None,
    Some(b"{key}"),
    Some(b""),
    Some(b" \t "),
    Some(b"\t{key}\t"),
    Some(b"{key},{key}"),
    Some(b"{token}"),
    Some(b"ps_\xff\xfe"),
    Some(b"\xe2\x80\x80{key}"),
    Some(b"ps_00000000000000000000000000000000000000"),
];

const IN_AUTHORIZATION: [Option<&[u8]>; 24] = [
    None,
    Some(b""),
    Some(b"Bearer"),
    Some(b"Bearer "),
    Some(b"Bearer {key}"),
    Some(b"bearer {key}"),
    Some(b"BEARER   {key}  "),
    Some(b"Bearer\t{key}"),
    Some(b"Bearer,{key}"),
    Some(b"Bearer={key}"),
    Some(b"Bearer {token}"),
    Some(b"bEARER {token}"),
    Some(b"Bearer {token} {token}"),
    Some(b"Bearer {token},Bearer {key}"),
    Some(b"Bearer \"{token}\""),
    Some(b"Bearer {refresh}"),
    Some(b"Bearer {expired_token}"),
    Some(b"Bearer \xff\xfe"),
    Some(b"Bearer \xc2\xa0{token}"),
    Some(b"{token}"),
    Some(b"Basic {key}"),
    Some(b"Basic QmVhcmVyOng="),
    Some(b"Token {token}"),
    Some(b"BearerX {token}"),
];

// AK11, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_in_every_form() {
    let mut group = Group::new("credentials", Place::Production).await;
    let routes = [
        ("GET", "/api/v1/whoami"),
        ("GET", "/api/auth/session"),
        ("POST", "/api/auth/refresh"),
        ("GET", "/api/keys/{key_id}"),
    ];
    for (method, target) in routes {
        for key in IN_X_API_KEY {
            for bearer in IN_AUTHORIZATION {
                let mut asked = Asked::new(method, target);
                if let Some(value) = key {
                    asked = asked.with("x-api-key", value);
                }
                if let Some(value) = bearer {
                    asked = asked.with("authorization", value);
                }
                group.ask(&asked).await;
            }
        }
    }
    for length in [255, 256, 257, 4_095, 4_096, 4_097, 8_000] {
        for byte in ["x", "0", "."] {
            let text = format!("ps_{}", byte.repeat(length - 3));
            let key = Asked::new("GET", "/api/v1/whoami").with("x-api-key", &text);
            group.ask(&key).await;
            let bearer = Asked::new("GET", "/api/auth/session").bearing(&text[3..]);
            group.ask(&bearer).await;
        }
    }
    for name in [
        "X-API-KEY",
        "x_api_key",
        "x-api-key2",
        "api-key",
        "x-api--key",
    ] {
        group
            .ask(&Asked::new("GET", "/api/v1/whoami").with(name, "{key}"))
            .await;
    }
    for times in [2, 3, 40] {
        let mut asked = Asked::new("GET", "/api/v1/whoami");
        for _ in 0..times {
            asked = asked.with("x-api-key", "{key}");
        }
        group.ask(&asked).await;
    }
    group.done(1_000);
}

/// Lines of `Cookie`, with `{c}` for the prefix that is in force.
const COOKIES: [&[&[u8]]; 43] = [
    &[],
    &[b""],
    &[b";"],
    &[b";;; ;"],
    &[b"="],
    &[b"=; ="],
    &[b"a"],
    &[b"{c}ps_refresh"],
    &[b"{c}ps_refresh="],
    &[b"{c}ps_refresh=garbage"],
    &[b"{c}ps_refresh={refresh}x"],
    &[b"{c}ps_refresh={refresh}="],
    &[b"{c}ps_refresh=\"garbage\""],
    &[b"{c}ps_refresh=\xff"],
    &[b"\xff={c}; {c}ps_refresh=garbage"],
    &[b"{c}ps_refresh=garbage; {c}ps_refresh=garbage"],
    &[b"{c}ps_refresh=a", b"{c}ps_refresh=b"],
    &[b"{c}ps_refresh=a;{c}ps_refresh"],
    &[b"{c}ps_refresh; {c}ps_refresh=a"],
    &[b"{c}ps_challenge=a; {c}ps_challenge=b"],
    &[b"{c}ps_device=garbage; {c}ps_challenge=0123456789012345678901"],
    &[b"{c}ps_device=a.b.c.d.e; {c}ps_refresh={refresh}x"],
    &[b"{c}ps_device=a; {c}ps_device=a"],
    &[b"{c}ps_attempt_google=a; {c}ps_attempt_google=a"],
    &[b"{c}ps_attempt_google=a; {c}ps_attempt_linkedin=a"],
    &[b"a=1; a=2; a=3"],
    &[b"__%48ost-ps_refresh={refresh}"],
    &[b"%5F%5FHost-ps_refresh={refresh}"],
    &[b"ps%5frefresh={refresh}"],
    &[b"\xe2\x80\x80{c}ps_refresh={refresh}"],
    &[b"\xc2\xa0{c}ps_refresh={refresh}"],
    &[b"\xa0{c}ps_refresh={refresh}"],
    &[b"{c}PS_REFRESH={refresh}"],
    &[b"__host-ps_refresh={refresh}; __HOST-ps_refresh={refresh}"],
    &[b"__Secure-ps_refresh={refresh}"],
    &[b"$Version=1; $Path=/; {c}ps_refresh=garbage; $Domain=evil.example"],
    &[b"{c}ps_refresh=a,{c}ps_refresh=b"],
    &[b"\"{c}ps_refresh\"=garbage"],
    &[b"x=\"; {c}ps_refresh=garbage; \""],
    &[b" \t{c}ps_refresh\t=\tgarbage\t"],
    &[b"{c}ps_refresh==garbage"],
    &[b"{c}ps_refresh=garbage;"],
    &[b"__Host-ps_refresh={refresh}; ps_refresh=garbage"],
];

// SE13, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_in_every_form() {
    for (place, at_least) in [(Place::Production, 225), (Place::Development, 225)] {
        let mut group = Group::new("cookies", place).await;
        for world in group.ways().worlds() {
            world.keep("c", place.cookie_prefix());
        }
        let many = "x=0123456789; ".repeat(200);
        let behind = format!("{many}{{c}}ps_refresh=garbage");
        let before = format!("{{c}}ps_refresh=garbage; {many}");
        let ours: String = (0..200)
            .map(|n| format!("{{c}}ps_attempt_{n}=x; "))
            .collect();
        let more: [&[&[u8]]; 3] = [
            &[behind.as_bytes()],
            &[before.as_bytes()],
            &[ours.as_bytes()],
        ];
        for lines in COOKIES.iter().chain(&more) {
            for (method, target, body) in [
                ("POST", "/api/auth/refresh", ""),
                ("POST", "/api/auth/logout", ""),
                ("POST", "/api/auth/magic-code/verify", r#"{"code": "1"}"#),
                ("GET", "/api/auth/social/google/callback?code=a&state=b", ""),
                ("GET", "/api/auth/social/linkedin", ""),
            ] {
                let mut asked = Asked::new(method, target).with_json(body);
                for line in *lines {
                    asked = asked.with("cookie", line);
                }
                group.ask(&asked).await;
            }
        }
        group.done(at_least);
    }
}

// HT9, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_in_every_form() {
    let mut group = Group::new("parameters", Place::Production).await;
    let long = "x".repeat(255);
    let too_long = "x".repeat(256);
    for key in [
        "",
        "short",
        "eight-88",
        &long,
        &too_long,
        "with a space",
        "tab\there-it-is",
        "caf\u{e9}-caf\u{e9}",
        "\"quoted-key\"",
        "a,b,c,d,e,f",
        "0000000000",
    ] {
        let asked = Asked::new("POST", "/api/auth/refresh").with("idempotency-key", key);
        group.ask(&asked).await;
        group.ask(&asked.with("idempotency-key", key)).await;
    }
    for page in [
        "/",
        "/a",
        "/a?b=c",
        "/a/../b",
        "",
        "a",
        "//a",
        "/\\a",
        "/%5ca",
        "/%2fa",
        "/%252fa",
        "/a%0d%0ab",
        "/a%00",
        "/a%20b",
        "/a+b",
        "/%C3%A9",
        "/a%23b",
        "/%2561",
        "https:%2f%2fevil.example",
        "/a&return_to=/b",
        "/a%",
        "/a%zz",
        "/.",
        "/;a",
        "/%09a",
        "/@evil.example",
        "%2f",
        "/a%3fb%3dc",
    ] {
        let target = format!("/api/auth/social/google?return_to={page}");
        group.ask(&Asked::new("GET", &target)).await;
        group
            .ask(&Asked::new(
                "GET",
                target.replace("return_to", "return%5fto"),
            ))
            .await;
    }
    for query in [
        "",
        "limit=1",
        "limit=100",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=+5",
        "limit=05",
        "limit=1&limit=1",
        "limit=",
        "limit=%31",
        "limit=1e1",
        "limit=18446744073709551616",
        "cursor=",
        "cursor=x",
        "cursor=1-{key_id}",
        "cursor=x-{key_id}",
        "cursor=1-{missing}",
        "cursor=-1-{missing}",
        "cursor=9223372036854775807-{missing}",
        "cursor=99999999999999999999-{missing}",
        "cursor=1-{key_id}&cursor=1-{key_id}",
        "cursor=1-%00",
        "cursor=1-%ff",
        "unknown=1",
        "&&&",
        "=",
        "limit",
        "%ff=%fe",
        "limit=2&cursor=1795342800000-{key_id}",
    ] {
        let asked = Asked::new("GET", format!("/api/keys?{query}")).bearing("{token}");
        group.ask(&asked).await;
    }
    for query in [
        "",
        "code=a",
        "state=b",
        "code=a&state=b",
        "code=a&code=b&state=c",
        "error=access_denied",
        "error=access_denied&state=b",
        "error=%0d%0aX-Injected:1&state=b",
        "code=%00&state=%ff",
        "iss=https://evil.example&code=a&state=b",
        "code=a&state=b#x",
    ] {
        for cookie in ["", "{attempt}", "garbage", "{attempt}x"] {
            let target = format!("/api/auth/social/google/callback?{query}");
            let cookie = format!("__Host-ps_attempt_google={cookie}");
            group
                .ask(&Asked::new("GET", target).with("cookie", cookie))
                .await;
        }
    }
    for id in [
        "a",
        "%61",
        "..",
        "%2e%2e",
        "a%2fb",
        "%00",
        "%0d%0a",
        "%ff",
        "{missing}x",
        "{key_id}%00",
        "{others_key_id}",
        "{session}",
        "*",
        "a;b",
        "a:b",
        "a@b",
        "null",
        "-1",
        "%E2%80%80",
        "0000000000000000000O00",
    ] {
        for (method, before, behind) in [
            ("GET", "/api/keys/", ""),
            ("DELETE", "/api/keys/", ""),
            ("POST", "/api/keys/", "/rotate"),
            ("DELETE", "/api/auth/sessions/", ""),
            ("DELETE", "/api/auth/social/", ""),
        ] {
            if id == "{session}" && before.ends_with("sessions/") {
                continue; // it would end
            }
            let target = format!("{before}{id}{behind}");
            group
                .ask(&Asked::new(method, target).bearing("{token}"))
                .await;
        }
    }
    group.done(240);
}
