//! Social sign-in over HTTP: providers that behave, and attackers who do not.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod attempts;
mod hijacking;
mod linking;
mod signing_in;
mod words;
