//! What is measured, set up: services on stores, and the databases below them.

pub mod codes;
pub mod databases;
pub mod keys;
pub mod sessions;

#[allow(clippy::unwrap_used, unreachable_pub)]
#[path = "../../../crates/ps-sqlx/tests/postgres/server.rs"]
mod server;

use std::{pin::pin, task::Context};

/// What a future answers that is ready at once, as a service's is that asks no store.
///
/// # Panics
/// Where it is not.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match pin!(future).poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it waits for something"),
    }
}
