//! Every method at every path, and every other spelling of it.

use parity::{Answer, Asked, Group, MISSING, Mount, Place, Ways};
use ps_http::Auth;

const METHODS: [&str; 13] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "get",
    "PROPFIND",
    "QUERY",
    "FOO",
    "DELETE-ALL",
];

/// The paths of a service, their parameters filled with what there is not.
fn paths(auth: &Auth) -> Vec<String> {
    let mut paths: Vec<String> = auth.paths().map(filled).collect();
    paths.sort();
    paths
}

pub(crate) fn filled(path: &str) -> String {
    let path = path.replace("{id}", MISSING);
    path.replace("{provider}", "google")
}

// HT10, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_at_every_path() {
    for (place, at_least) in [(Place::Development, 338), (Place::Production, 338)] {
        let mut group = Group::new("methods, by nobody", place).await;
        for path in paths(group.ways().world().auth()) {
            for method in METHODS {
                group.ask(&Asked::new(method, &path)).await;
            }
        }
        group.done(at_least);
    }
    let mut group = Group::new("methods, by somebody", Place::Development).await;
    for path in paths(group.ways().world().auth()) {
        for method in METHODS {
            group.ways().renew().await;
            let asked = Asked::new(method, &path).bearing("{token}");
            let answer = group.ask(&asked).await;
            let unchanging = ["HEAD", "OPTIONS", "TRACE", "get"].contains(&method);
            let ends = answer.is_some_and(|answer| answer.first("set-cookie").contains("refresh="));
            if unchanging && ends {
                group.fail(format!("{method} {path} touches the session"));
            }
        }
    }
    group.done(338);
}

/// A path in every spelling but its own.
fn spellings(path: &str) -> Vec<String> {
    let last = path.rfind('/').unwrap_or_default();
    let (before, name) = path.split_at(last + 1);
    let first = name.bytes().next().unwrap_or(b'x');
    let upper = path.to_uppercase();
    let mut spelt = vec![
        format!("{path}/"),
        format!("{path}//"),
        format!("/{path}"),
        path.replacen("/a", "//a", 1),
        format!("{before}/{name}"),
        format!("{before}./{name}"),
        format!("{before}x/../{name}"),
        format!("{before}%2e%2e/{name}"),
        format!("{before}%2e/{name}"),
        format!("{before}%{first:02x}{}", &name[1..]),
        format!("{before}%{first:02X}{}", &name[1..]),
        format!("{}%2f{name}", &before[..before.len() - 1]),
        format!("{}%5c{name}", &before[..before.len() - 1]),
        format!("{}\\{name}", &before[..before.len() - 1]),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}%0a"),
        format!("{path}%0d%0aX-Injected:%201"),
        format!("{path}%ff"),
        format!("{path}%"),
        format!("{path}%zz"),
        format!("{path};x"),
        format!("{path};jsessionid=1"),
        format!("{path}."),
        format!("{path}.json"),
        format!("{path}~"),
        format!("{path}/.."),
        format!("{path}/%2e%2e"),
        format!("{path}?"),
        format!("{path}?x=%00&%ff=+"),
        format!("{path}??"),
        format!("{path}#x"),
        format!("{path}?#"),
        format!("{path}*"),
        format!("{path}{{}}"),
    ];
    if upper != path {
        spelt.push(upper);
    }
    spelt.retain(|target| target.starts_with('/'));
    spelt
}

/// Only some of them are paths of ours; each is answered alike, and in our form.
// HT11, HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_spelling_of_every_path() {
    let mut group = Group::new("spellings", Place::Production).await;
    for path in paths(group.ways().world().auth()) {
        for target in spellings(&path) {
            group.ask(&Asked::new("GET", &target)).await;
        }
        for target in [
            format!("https://app.example.com{path}"),
            format!("HTTPS://app.example.com{path}?a"),
            format!("https://APP.example.com:443{path}"),
            format!("http://app.example.com{path}"),
            format!("https://app.example.com:444{path}"),
            format!("https://evil.example{path}"),
            format!("https://user@app.example.com{path}"),
        ] {
            group.ask(&Asked::new("GET", &target)).await;
        }
    }
    for target in [
        "*",
        "/",
        "//",
        "/.",
        "/..",
        "/?",
        "/api",
        "/api/",
        "/api?x",
        "https://app.example.com",
    ] {
        group.ask(&Asked::new("OPTIONS", target)).await;
        group.ask(&Asked::new("GET", target)).await;
    }
    group.done(1_050);
}

/// What is ours beside a host's own paths is the same with both frameworks: what `ps-http` knows.
// HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_keeps_its_own_paths() {
    let ways = Ways::new(Place::Production, Mount::Beside).await;
    let (mut ours, mut theirs) = (0, 0);
    for path in paths(ways.world().auth()) {
        for target in spellings(&path).iter().chain([&path]) {
            // A method that no path knows: whatever is known answers 405 and draws nothing.
            let answers = ways.ask(&Asked::new("FOO", target)).await;
            let direct = answers.direct.unwrap();
            let (axum, actix) = (answers.axum.unwrap(), answers.actix.unwrap());
            let id = direct.first("x-request-id");
            if direct.code() == "not_found" {
                assert_eq!(axum.body, b"the host's own", "axum: {target}");
                assert_eq!(actix.body, b"the host's own", "actix: {target}");
                theirs += 1;
            } else {
                // Whatever goes to the host draws no id.
                let alike = |other: Answer| direct.difference(&other.with("x-request-id", id));
                assert_eq!(alike(axum), None, "axum: {target}");
                assert_eq!(alike(actix), None, "actix: {target}");
                ours += 1;
            }
        }
    }
    println!(
        "{:<44} {ours:>6} ours {theirs:>10} the host's",
        "beside a host, Production"
    );
    assert!(ours > 150 && theirs > 600, "{ours} {theirs}");
}
