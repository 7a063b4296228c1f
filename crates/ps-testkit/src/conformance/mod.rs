//! What every store promises, as properties that any store can be held to.
//!
//! A [`Harness`] says how to come by a fresh store. The [`conformance!`](crate::conformance!) macro
//! makes a test of each property of a suite; [`table`] and [`report`] run them without it. Each suite
//! says in its `Ports` what the store must implement for it.
//!
//! Each property gets a fresh store, asks it through the ports alone, at times that are given and
//! never read from a clock, and compares what it answers with what the ports' documentation says.
//! What a property does not say is free: ids, order on a disk, how long anything takes.
//!
//! **Races.** Where a promise is about many callers at once, 64 tasks start together on four threads
//! and the property counts exactly: one session of 64 right codes, 25 keys of 200. Where chance
//! could hide a mistake it is done ten times over. So a store must serve 64 callers at once, by
//! waiting if need be; one that waits for itself never ends, and libtest names it after a minute. A
//! race cannot prove that a store is right. It finds what reads first and writes later.
//!
//! **At rest.** The suites named `…_at_rest` let the real services make keys, tokens and codes, and
//! then look for them in what the harness [dumps](Harness::dump).
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
//! // Or anywhere in a program:
//! use ps_testkit::conformance::{limiter, table};
//!
//! let report = table(|| OnMemory, limiter::properties());
//! println!("{report}");
//! assert!(report.all_hold());
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
mod report;
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

pub use property::{Broken, Property};
pub use report::{Report, report, table};
#[doc(hidden)]
pub use {property::hold, report::show};

/// How a suite comes by the store it tests.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// What is tested. Each suite says in its `Ports` what it must implement.
    type Store: Send + Sync + 'static;

    /// An empty store that shares nothing with any other.
    ///
    /// It is used as long as the harness lives, so what it stands on (a directory, a schema) belongs
    /// into the harness, and is removed when that is dropped. The macro and [`table`] make a harness
    /// for each property and ask it once; [`report`] asks the same one again and again. Where there is
    /// no store to be had, panic and say why.
    async fn fresh(&self) -> Arc<Self::Store>;

    /// Every byte that the store keeps where it would survive the process: its files, its log, a
    /// dump of its tables. `None` where it keeps nothing or cannot tell.
    ///
    /// The suites that look for secrets at rest do not hold for a harness that answers `None`.
    async fn dump(&self, _store: &Self::Store) -> Option<Vec<u8>> {
        None
    }
}

/// Every property of every suite, for a store that implements every port.
#[cfg(all(
    feature = "apikey",
    feature = "magiccode",
    feature = "oauth",
    feature = "password",
    feature = "session"
))]
#[must_use]
pub fn all<H>() -> Vec<Property<H>>
where
    H: Harness<Store: across_flows::Ports + ps_core::Limiter + ps_core::Users>,
{
    [
        users::properties(),
        accounts::properties(),
        limiter::properties(),
        changes::properties(),
        keys::properties(),
        keys_at_rest::properties(),
        sessions::properties(),
        sessions_at_rest::properties(),
        challenges::properties(),
        challenges_at_rest::properties(),
        identities::properties(),
        passwords::properties(),
        across_flows::properties(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
