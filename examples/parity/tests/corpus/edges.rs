//! What the edge judges: hosts, origins, and what a client says of its way here.

use parity::{Asked, Group, Place};

const PLACES: [Place; 4] = [
    Place::Development,
    Place::Plain,
    Place::Production,
    Place::Proxied,
];

// HT3, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts() {
    for place in PLACES {
        let mut group = Group::new("hosts", place).await;
        for host in [
            "",
            "app.example.com",
            "APP.EXAMPLE.COM",
            "app.example.com:443",
            "app.example.com:0443",
            "app.example.com:80",
            "app.example.com:",
            "app.example.com.",
            ".app.example.com",
            "app.example.com/",
            "app.example.com/x",
            "app.example.com#x",
            "app.example.com?x",
            "user@app.example.com",
            "app.example.com@evil.example",
            "app.example.com evil.example",
            "app.example.com,evil.example",
            "app.example.com\tevil.example",
            "app%2eexample.com",
            "app.example.com\\evil",
            "evil.example",
            "xapp.example.com",
            "app.example.com.evil.example",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.0.0.1:8081",
            "127.1:8080",
            "0x7f.1:8080",
            "2130706433:8080",
            "0.0.0.0:8080",
            "127.0.0.2:8080",
            "[::1]:8080",
            "[::1]",
            "[::ffff:127.0.0.1]:8080",
            "::1",
            "localhost",
            "localhost:8080",
            "LOCALHOST:8080",
            "localhost.:8080",
            "a.localhost:8080",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "\u{ff4c}ocalhost",
            "*",
            "_",
            "[",
            "app.example.com:99999",
            "app.example.com:44300",
            "xn--app.example.com",
        ] {
            for target in ["/api/v1/whoami", "/healthz"] {
                group
                    .ask(
                        &Asked::new("GET", target)
                            .with("host", host)
                            .with("x-api-key", "{key}"),
                    )
                    .await;
            }
        }
        group.done(98);
    }
}

const ORIGINS: [&[&str]; 19] = [
    &[],
    &["https://app.example.com"],
    &["http://127.0.0.1:8080"],
    &["http://localhost:8080"],
    &["http://[::1]:8080"],
    &["http://localhost:8081"],
    &["https://pages.example.com"],
    &["https://pages.example.com/"],
    &["https://pages.example.com:443"],
    &["http://pages.example.com"],
    &["https://PAGES.example.com"],
    &["https://app.example.com.evil.example"],
    &["https://evil.example"],
    &["null"],
    &[""],
    &["https://app.example.com https://evil.example"],
    &["https://app.example.com", "https://app.example.com"],
    &["https://app.example.com, https://evil.example"],
    &["\u{e9}"],
];

const SITES: [&[&str]; 9] = [
    &[],
    &["same-origin"],
    &["same-site"],
    &["cross-site"],
    &["none"],
    &["Same-Origin"],
    &[""],
    &["same-origin", "same-origin"],
    &["same-origin, cross-site"],
];

// HT6, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn origins_and_sites() {
    for place in [Place::Development, Place::Production, Place::Proxied] {
        let mut group = Group::new("origins", place).await;
        for origins in ORIGINS {
            for sites in SITES {
                for (method, target) in [
                    ("POST", "/api/auth/refresh"),
                    ("DELETE", "/api/keys/{missing}"),
                    ("GET", "/api/auth/session"),
                ] {
                    let mut asked = Asked::new(method, target);
                    for origin in origins {
                        asked = asked.with("origin", origin);
                    }
                    for site in sites {
                        asked = asked.with("sec-fetch-site", site);
                    }
                    group.ask(&asked).await;
                }
            }
            let mut asked = Asked::new("OPTIONS", "/api/keys")
                .with("access-control-request-method", "POST")
                .with(
                    "access-control-request-headers",
                    "authorization, x-injected",
                );
            for origin in origins {
                asked = asked.with("origin", origin);
            }
            group.ask(&asked).await;
            group
                .ask(&asked.with("authorization", "Bearer {token}"))
                .await;
        }
        group.done(500);
    }
}

const SAID: [(&str, &str); 39] = [
    ("x-forwarded-proto", "https"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-proto", "HTTPS"),
    ("x-forwarded-proto", ""),
    ("x-forwarded-proto", "https,https"),
    ("x-forwarded-proto", "http, https"),
    ("x-forwarded-proto", "https\t"),
    ("x-forwarded-proto", "\u{e9}"),
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-for", "198.51.100.7, 203.0.113.9"),
    ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
    ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
    ("x-forwarded-for", "203.0.113.9:4711"),
    ("x-forwarded-for", "[2001:db8::1]:4711"),
    ("x-forwarded-for", "2001:db8::1"),
    ("x-forwarded-for", "::ffff:203.0.113.9"),
    ("x-forwarded-for", "unknown"),
    ("x-forwarded-for", "_hidden"),
    ("x-forwarded-for", ""),
    ("x-forwarded-for", ",,,"),
    ("x-forwarded-for", "203.0.113.9;a=b"),
    ("x-forwarded-for", "203.0.113.9\u{a0}"),
    ("x-forwarded-for", "0xcb.0.113.9"),
    ("x_forwarded_for", "203.0.113.9"),
    ("x-forwarded-host", "app.example.com"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-server", "evil.example"),
    ("x-forwarded-ssl", "on"),
    ("x-original-url", "/healthz"),
    ("x-rewrite-url", "/healthz"),
    ("x-real-ip", "203.0.113.9"),
    (
        "forwarded",
        "for=203.0.113.9;proto=https;host=app.example.com",
    ),
    ("forwarded", "for=\"[2001:db8::1]:1\""),
    ("forwarded", "\"\\"),
    ("forwarded", "proto=https, proto=http"),
    ("via", "1.1 evil.example"),
    ("x-request-id", "chosen-by-whoever-wrote-this"),
    ("x-request-id", "with a space"),
];

// HT1, HT2, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_the_way_here() {
    for place in PLACES {
        let mut group = Group::new("forwarded", place).await;
        for said in SAID {
            for (target, key) in [
                ("/api/v1/whoami", "{key}"),
                ("/api/v1/whoami", "{elsewhere_key}"),
                ("/api/auth/social/google", ""),
                ("/healthz", ""),
            ] {
                let mut asked = Asked::new("GET", target).with(said.0, said.1);
                if !key.is_empty() {
                    asked = asked.with("x-api-key", key);
                }
                group.ask(&asked).await;
                group.ask(&asked.clone().with(said.0, said.1)).await;
                group.ask(&asked.with("x-forwarded-proto", "https")).await;
            }
        }
        let chain = "203.0.113.9, ".repeat(400) + "198.51.100.7";
        let asked = Asked::new("GET", "/api/v1/whoami").with("x-api-key", "{elsewhere_key}");
        group.ask(&asked.with("x-forwarded-for", chain)).await;
        group.done(469);
    }
}
