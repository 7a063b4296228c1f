//! A record of what came out.

use std::sync::{Arc, Mutex, PoisonError};

use ps_core::{AuthEvent, EventSink, Outcome};

/// Keeps the outcome of every event, in order. Clones share the record.
#[derive(Clone, Debug, Default)]
pub struct RecordedEvents(Arc<Mutex<Vec<Outcome>>>);

impl RecordedEvents {
    /// Every outcome so far, the oldest first.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Every outcome since this was last asked, the oldest first; the record is empty afterwards.
    pub fn take(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventSink for RecordedEvents {
    fn record(&self, event: &AuthEvent<'_>) {
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.push(event.outcome);
    }
}

#[cfg(test)]
mod tests {
    use ps_core::Timestamp;

    use super::*;

    #[test]
    fn outcomes_are_kept_in_order_and_can_be_taken() {
        let events = RecordedEvents::default();
        for outcome in [Outcome::CodeRequested, Outcome::MailSent] {
            let event = AuthEvent::new(outcome, Timestamp::from_seconds(0));
            events.clone().record(&event);
        }
        assert_eq!(
            events.outcomes(),
            [Outcome::CodeRequested, Outcome::MailSent]
        );
        assert_eq!(events.take().len(), 2);
        assert_eq!(events.outcomes(), []);
    }
}
