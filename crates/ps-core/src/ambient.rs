//! What every service takes from its surroundings.

use std::sync::Arc;

use crate::{Clock, EventSink, NoEvents, Random, SystemClock, SystemRandom};

/// Time, randomness and the place where outcomes are told: what every service needs and none may
/// reach for by itself.
///
/// Cloning shares the same three.
#[derive(Clone, Debug)]
pub struct Ambient {
    /// Tells the time and waits.
    pub clock: Arc<dyn Clock>,
    /// Makes what nobody can guess.
    pub random: Arc<dyn Random>,
    /// Hears every outcome.
    pub events: Arc<dyn EventSink>,
}

impl Ambient {
    /// The system's clock and randomness; outcomes go to `events`.
    #[must_use]
    pub fn system(events: Arc<dyn EventSink>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            events,
        }
    }
}

impl Default for Ambient {
    /// The system's clock and randomness; outcomes are told to nobody.
    fn default() -> Self {
        Self::system(Arc::new(NoEvents))
    }
}
