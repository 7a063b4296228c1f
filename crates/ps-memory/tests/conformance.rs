//! What every store promises, held to by the one in memory.

use std::sync::Arc;

use async_trait::async_trait;
use ps_memory::MemoryStore;
use ps_testkit::conformance::Harness;

/// Nothing of it is at rest, so the suites that look there have nothing to look at.
struct OnMemory;

#[async_trait]
impl Harness for OnMemory {
    type Store = MemoryStore;

    async fn fresh(&self) -> Arc<MemoryStore> {
        Arc::new(MemoryStore::new())
    }
}

ps_testkit::conformance!(OnMemory => accounts, limiter, users);

#[cfg(feature = "apikey")]
ps_testkit::conformance!(OnMemory => keys);

#[cfg(feature = "magiccode")]
ps_testkit::conformance!(OnMemory => challenges);

#[cfg(feature = "oauth")]
ps_testkit::conformance!(OnMemory => identities);

#[cfg(feature = "password")]
ps_testkit::conformance!(OnMemory => passwords);

#[cfg(feature = "session")]
ps_testkit::conformance!(OnMemory => changes, sessions);

#[cfg(all(
    feature = "apikey",
    feature = "magiccode",
    feature = "oauth",
    feature = "password",
    feature = "session"
))]
ps_testkit::conformance!(OnMemory => across_flows);
