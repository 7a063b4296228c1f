//! The surroundings of a service under test.

use std::sync::Arc;

use ps_core::{Ambient, Timestamp};

use crate::{ManualClock, RecordedEvents, SeededRandom};

/// A clock, randomness and a record of outcomes, shared by the test and the services it tests.
#[derive(Clone, Debug)]
pub struct TestAmbient {
    /// Moves when the test says so.
    pub clock: ManualClock,
    /// The same in every run.
    pub random: SeededRandom,
    /// What the services said came out.
    pub events: RecordedEvents,
}

impl TestAmbient {
    /// Surroundings in which it is `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            clock: ManualClock::new(now),
            random: SeededRandom::new(0),
            events: RecordedEvents::default(),
        }
    }

    /// What a service takes. Every one that is made shares the clock, the randomness and the record.
    #[must_use]
    pub fn ambient(&self) -> Ambient {
        Ambient {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(self.random.clone()),
            events: Arc::new(self.events.clone()),
        }
    }
}

impl Default for TestAmbient {
    /// Surroundings in which it is 2026-11-22T10:00:00Z.
    fn default() -> Self {
        Self::new(Timestamp::from_seconds(1_795_341_600))
    }
}
