//! Which codes a row can refuse with.

use http::Method;

use crate::{
    Code, Edge, Route, Takes,
    auth::is_admitted,
    edge::{is_api, is_probe},
    route::Body,
};

/// In the order of their statuses, each once: the edge's, the credential's, the body's, and those that
/// the row declares.
pub(super) fn codes(row: &Route, edge: &Edge) -> Vec<Code> {
    let mut codes = of_edge(row, edge);
    codes.extend(of_credential(row));
    if row.body != Body::Ignored {
        codes.extend([Code::UnsupportedMediaType, Code::ValidationFailed]);
    }
    if row.description().is_none() {
        // It may read its query.
        codes.push(Code::ValidationFailed);
    }
    codes.extend(row.description().iter().flat_map(|it| &it.codes));
    codes.sort_unstable_by_key(|code| (code.status().as_u16(), code.as_str()));
    codes.dedup();
    codes
}

/// A body is counted, and may break off, even where nobody reads it.
fn of_edge(row: &Route, edge: &Edge) -> Vec<Code> {
    let mut codes = vec![Code::BodyTooLarge, Code::InternalError, Code::MalformedJson];
    if !is_probe(row.path()) {
        codes.push(Code::HttpsRequired);
        codes.push(if edge.is_development() {
            Code::DevelopmentOnly
        } else {
            Code::MisdirectedRequest
        });
    }
    if is_admitted(row) {
        codes.push(Code::Unavailable);
    }
    if is_api(row.path()) {
        codes.extend([Code::AmbiguousCredentials, Code::HeaderInvalid]);
        if !matches!(*row.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            codes.push(Code::OriginForbidden);
        }
    }
    codes
}

fn of_credential(row: &Route) -> &'static [Code] {
    match row.takes() {
        Takes::Anybody => &[],
        Takes::ApiKey { scope: None } => &KEY[1..],
        Takes::ApiKey { scope: Some(_) } => &KEY,
        Takes::Session => &[Code::SessionInvalid, Code::SessionRequired],
    }
}

const KEY: [Code; 5] = [
    Code::ScopeMissing,
    Code::AddressNotAllowed,
    Code::ApiKeyInvalid,
    Code::ApiKeyMissing,
    Code::ApiKeyRequired,
];
