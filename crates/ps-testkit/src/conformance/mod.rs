//! What every store promises, as properties that any store can be held to.
//!
//! A [`Harness`] says how to come by a fresh store. The [`conformance!`](crate::conformance!) macro
//! makes a test of each property of a suite; [`report`] runs them without it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use ps_memory::MemoryStore;
//! use ps_testkit::conformance::Harness;
//!
//! struct OnMemory;
//!
//! #[async_trait]
//! impl Harness for OnMemory {
//!     type Store = MemoryStore;
//!
//!     async fn fresh(&self) -> Arc<MemoryStore> {
//!         Arc::new(MemoryStore::new())
//!     }
//! }
//!
//! // In a file of its own under `tests/`:
//! ps_testkit::conformance!(OnMemory => users, accounts, limiter);
//!
//! # fn main() {
//! // Or anywhere in a program, on a multi-threaded tokio runtime:
//! use ps_testkit::conformance::{limiter, report};
//!
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async {
//! let report = report(&OnMemory, &limiter::properties()).await;
//! assert!(report.all_hold(), "{report}");
//! # });
//! # }
//! ```

#![expect(
    clippy::unwrap_used,
    reason = "a store that cannot answer does not hold what it promises"
)]

#[macro_use]
mod suite;

#[cfg_attr(
    not(all(
        feature = "apikey",
        feature = "magiccode",
        feature = "oauth",
        feature = "password",
        feature = "session"
    )),
    allow(dead_code, reason = "each suite uses some of it")
)]
mod common;
mod property;
#[cfg_attr(
    not(feature = "magiccode"),
    allow(
        dead_code,
        reason = "codes alone are so few that their digests are secrets too"
    )
)]
mod secrets;

pub mod accounts;
pub mod limiter;
pub mod users;

#[cfg(all(
    feature = "apikey",
    feature = "magiccode",
    feature = "oauth",
    feature = "password",
    feature = "session"
))]
pub mod across_flows;
#[cfg(feature = "magiccode")]
pub mod challenges;
#[cfg(feature = "magiccode")]
pub mod challenges_at_rest;
#[cfg(feature = "session")]
pub mod changes;
#[cfg(feature = "oauth")]
pub mod identities;
#[cfg(feature = "apikey")]
pub mod keys;
#[cfg(feature = "apikey")]
pub mod keys_at_rest;
#[cfg(feature = "password")]
pub mod passwords;
#[cfg(feature = "session")]
pub mod sessions;
#[cfg(feature = "session")]
pub mod sessions_at_rest;

use std::sync::Arc;

use async_trait::async_trait;

#[doc(hidden)]
pub use property::hold;
pub use property::{Broken, Property, Report, report};

/// How a suite comes by the store it tests.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// What is tested. Each suite says in its `Ports` what it must implement.
    type Store: Send + Sync + 'static;

    /// An empty store that shares nothing with any other.
    ///
    /// It lives as long as the harness does, so what it stands on (a directory, a schema) belongs
    /// into the harness. Where there is no store to be had, panic and say why.
    async fn fresh(&self) -> Arc<Self::Store>;

    /// Every byte that the store keeps where it would survive the process: its files, its log, a
    /// dump of its tables. `None` where it keeps nothing or cannot tell.
    ///
    /// The suites that look for secrets at rest do not hold for a harness that answers `None`.
    async fn dump(&self, _store: &Self::Store) -> Option<Vec<u8>> {
        None
    }
}
