//! The flow, on a store in memory and a clock that the test moves.

#![allow(clippy::unwrap_used, missing_docs)]

mod exposure;
mod guesses;
mod mails;
mod races;
mod requests;
mod site;
mod watched;
