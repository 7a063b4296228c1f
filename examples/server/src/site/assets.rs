//! The stylesheet, the modules and the texts, as browsers load them.
//!
//! A browser asks each time whether its copy still holds, so that a page never meets a module of
//! another version; the answer that it does is a few bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use ps_http::Route;

use super::words::{ENGLISH, SPANISH};

const CSS: &str = "text/css; charset=utf-8";
const ICON: &str = "image/svg+xml";
const JSON: &str = "application/json";
const MODULE: &str = "text/javascript; charset=utf-8";

macro_rules! module {
    ($name:literal) => {
        (
            concat!("/assets/", $name),
            MODULE,
            include_str!(concat!("../../site/modules/", $name)),
        )
    };
}

macro_rules! client {
    ($name:literal) => {
        (
            concat!("/assets/ps-client/", $name),
            MODULE,
            include_str!(concat!("../../../../packages/ps-client/", $name)),
        )
    };
}

/// Path, content type, content.
const ASSETS: &[(&str, &str, &str)] = &[
    (
        "/assets/icon.svg",
        ICON,
        include_str!("../../site/icon.svg"),
    ),
    (
        "/assets/google.svg",
        ICON,
        include_str!("../../site/google.svg"),
    ),
    (
        "/assets/linkedin.svg",
        ICON,
        include_str!("../../site/linkedin.svg"),
    ),
    (
        "/assets/style.css",
        CSS,
        include_str!("../../site/style.css"),
    ),
    ("/assets/words.en.json", JSON, ENGLISH),
    ("/assets/words.es.json", JSON, SPANISH),
    client!("index.js"),
    client!("lib/bearer.js"),
    client!("lib/error.js"),
    client!("lib/judge.js"),
    client!("lib/key.js"),
    client!("lib/lock.js"),
    client!("lib/pace.js"),
    client!("lib/refresher.js"),
    client!("lib/request.js"),
    client!("lib/standing.js"),
    client!("lib/surroundings.js"),
    client!("lib/tabs.js"),
    module!("activity.js"),
    module!("api.js"),
    module!("api_keys.js"),
    module!("device.js"),
    module!("elements.js"),
    module!("front.js"),
    module!("memory.js"),
    module!("security.js"),
    module!("session.js"),
    module!("sign_in.js"),
    module!("times.js"),
    module!("words.js"),
];

pub(super) fn routes() -> impl Iterator<Item = Route> {
    ASSETS.iter().map(|&(path, kind, content)| {
        Route::public(Method::GET, path, move |call| async move {
            Ok(answer(&call.head().headers, kind, content))
        })
    })
}

fn answer(asking: &HeaderMap, kind: &'static str, content: &'static str) -> Response<Bytes> {
    let tag = tag(content);
    let mut response = Response::new(Bytes::new());
    if has(asking, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Bytes::from_static(content.as_bytes());
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// It only tells versions of our own content apart: a hash that nobody attacks.
fn tag(content: &str) -> String {
    let mut hash = DefaultHasher::new();
    content.hash(&mut hash);
    format!("\"{:016x}\"", hash.finish())
}

/// Whether the browser has this version (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|known| known.trim().trim_start_matches("W/"));
    tags.any(|known| known == tag || known == "*")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_copy_holds_until_its_content_changes() {
        let tag = tag("one");
        let asking = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, line.parse().unwrap());
            has(&headers, &tag)
        };
        assert!(asking(&tag));
        assert!(asking(&format!("\"other\", W/{tag}")));
        assert!(!asking(&super::tag("two")));
        assert!(!has(&HeaderMap::new(), &tag));
    }

    #[test]
    fn every_module_is_served_and_imports_only_what_is() {
        for file in fs::read_dir("site/modules").unwrap() {
            let path = format!("/assets/{}", file.unwrap().file_name().to_str().unwrap());
            assert!(ASSETS.iter().any(|(known, ..)| *known == path), "{path}");
        }
        for (path, kind, source) in ASSETS {
            let (folder, _) = path.rsplit_once('/').unwrap();
            // Comments name modules too, to readers and type checkers.
            let lines = source
                .lines()
                .filter(|line| line.starts_with(['i', 'e', '}']));
            let text = lines.collect::<Vec<_>>().join("\n");
            for imported in text.split("'./").skip(1).filter(|_| *kind == MODULE) {
                let imported = format!("{folder}/{}", imported.split('\'').next().unwrap());
                let known = ASSETS.iter().any(|(known, ..)| *known == imported);
                assert!(known, "{path} imports {imported}");
            }
        }
    }
}
