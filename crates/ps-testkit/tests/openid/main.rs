//! The fake provider is a good one, and bad exactly where it was told to be.

#![allow(clippy::unwrap_used)]

mod common;
mod exchange;
mod front_channel;
mod in_process;
mod keys;
mod misbehaviour;
mod quirks;
mod verifier;
