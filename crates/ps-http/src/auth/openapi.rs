//! The document of the whole, and where it is served.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use super::Auth;
use crate::{
    Route,
    openapi::{Description, Success, document},
};

impl Auth {
    /// Serves the OpenAPI document of all that is composed, before this call or after it, as
    /// `GET /api/openapi.json`.
    #[must_use]
    pub fn with_openapi(self) -> Self {
        self.with_routes([Route::document("/api/openapi.json").described(this())])
    }

    /// The OpenAPI 3.1 document, as JSON: every route that there is, the application's own included.
    ///
    /// It depends on nothing but the composition: the same flows at the same public URL give the
    /// same document.
    #[must_use]
    pub fn openapi(&self) -> String {
        let rows: Vec<&Route> = self.routes().collect();
        document(&rows, &self.edge).to_string()
    }

    /// The answer with the document, which is made once.
    pub(super) fn document(&self) -> Response<Bytes> {
        let document = self.document.get_or_init(|| self.openapi().into());
        let mut response = Response::new(document.clone());
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, kind);
        let fresh = HeaderValue::from_static(FRESH);
        headers.insert(header::CACHE_CONTROL, fresh);
        response
    }

    /// What is composed further belongs to the document too.
    pub(super) fn forget_document(&mut self) {
        self.document = OnceLock::new();
    }
}

const FRESH: &str = "public, max-age=300";

fn this() -> Description {
    let answer = Success::new(http::StatusCode::OK, "The document.")
        .with_content("application/json")
        .with_header("Cache-Control", "It may be kept.", FRESH);
    Description::new("readOpenApi", "This document")
        .under("Public")
        .answers(answer)
}
