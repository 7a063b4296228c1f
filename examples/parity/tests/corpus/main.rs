//! The corpus: well-formed and hostile requests, each answered alike by `ps-http`, axum and
//! actix-web.

#![allow(clippy::unwrap_used)]

mod bodies;
mod connections;
mod edges;
mod headers;
mod random;
mod routes;
mod written;
