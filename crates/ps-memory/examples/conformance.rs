//! Whether the store in memory keeps what the ports promise, as a table:
//! `cargo run -p ps-memory --all-features --example conformance`.

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use ps_memory::MemoryStore;
use ps_testkit::conformance::{Harness, all, table};

struct OnMemory;

#[async_trait]
impl Harness for OnMemory {
    type Store = MemoryStore;

    async fn fresh(&self) -> Arc<MemoryStore> {
        Arc::new(MemoryStore::new())
    }
}

/// All suites but those that look at what is at rest: nothing is.
#[expect(clippy::print_stdout, reason = "whoever runs it reads the table")]
fn main() -> ExitCode {
    let all = all().into_iter();
    let report = table(
        || OnMemory,
        all.filter(|it| !it.suite().ends_with("at_rest")),
    );
    println!("{report}");
    ExitCode::from(u8::from(!report.all_hold()))
}
