//! What a person wrote down: every endpoint used as it is meant to be, and attacks.

use std::collections::BTreeSet;

use parity::{Group, Place, read_corpus};

// HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_as_it_is_meant() {
    let mut group = Group::new("usual.txt", Place::Development).await;
    let mut used = BTreeSet::new();
    for case in read_corpus("usual.txt") {
        let path = group.ways().world().fill(case.asked.path().as_bytes());
        let path = String::from_utf8(path).unwrap();
        let path = path.split('?').next().unwrap_or_default();
        if group
            .case(&case)
            .await
            .is_some_and(|answer| answer.status < 400)
        {
            used.insert((case.asked.method().to_owned(), path.to_owned()));
        }
    }
    let auth = group.ways().world().auth().clone();
    let ours = auth.routes().filter(|route| !IDLE.contains(&route.path()));
    for route in ours {
        let is_it = |(method, path): &(String, String)| {
            method == route.method().as_str() && is_at(route.path(), path)
        };
        if !used.iter().any(is_it) {
            group.fail(format!("{route:?} is never used"));
        }
    }
    group.done(79);
}

/// What is there for other tests.
const IDLE: [&str; 2] = ["/api/echo", "/api/panic"];

/// Whether a path is one of `/api/keys/{id}`.
fn is_at(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return pattern == path;
    };
    let behind = rest.split_once('}').map_or("", |(_, behind)| behind);
    let parameter = path
        .strip_prefix(before)
        .and_then(|path| path.strip_suffix(behind));
    parameter.is_some_and(|text| !text.is_empty() && !text.contains('/'))
}

// HT12, HT9, AK11, SE13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks() {
    for (file, place, at_least) in [
        ("attacks.txt", Place::Production, 70),
        ("behind_a_proxy.txt", Place::Proxied, 20),
        ("over_plain_http.txt", Place::Plain, 12),
    ] {
        let mut group = Group::new(file, place).await;
        for case in read_corpus(file) {
            group.case(&case).await;
        }
        group.done(at_least);
    }
}
