#![doc = include_str!("../README.md")]

mod accounts;
#[cfg(feature = "magiccode")]
mod challenges;
mod changes;
#[cfg(feature = "magiccode")]
mod counts;
#[cfg(feature = "oauth")]
mod identities;
#[cfg(feature = "apikey")]
mod keys;
mod limiter;
mod logs;
#[cfg(feature = "password")]
mod passwords;
#[cfg(feature = "session")]
mod sessions;
mod state;
mod users;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ps_core::{Clock, Random, SystemClock, SystemRandom};

use crate::state::State;

/// Every port in memory. Cloning gives another handle to the same state.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_random(Arc::new(SystemRandom))
    }

    /// An empty store that draws the ids of new users from `random`.
    #[must_use]
    pub fn with_random(random: Arc<dyn Random>) -> Self {
        Self::with_random_and_clock(random, Arc::new(SystemClock))
    }

    /// An empty store that draws the ids of new users from `random`, and whose own time, which is
    /// [`Changes::time`](ps_core::Changes::time) and decides nothing, is that of `clock`.
    #[must_use]
    pub fn with_random_and_clock(random: Arc<dyn Random>, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            random,
            state: Arc::default(),
        }
    }

    /// Enters the critical section. Each method of each port does it once.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    /// Shows nothing of what is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
