//! Outcomes as counters, and what waits as a gauge.

use metrics::{counter, gauge};
use ps_core::{AuthEvent, EventSink};

use crate::Auth;

/// Counts every outcome in `ps_auth_events_total{outcome, reason}`, through the `metrics` facade: the
/// host installs the recorder.
///
/// Worth an alarm: `refresh.replayed` (a stolen refresh token), `store.behind_token` (a restored
/// backup), `mail.failed`, `mail.unknown` and `mail.dropped`, and the rate of `code.refused`. No label holds anything
/// of a person or a key, so the number of series is bounded.
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricsEvents;

impl EventSink for MetricsEvents {
    fn record(&self, event: &AuthEvent<'_>) {
        let outcome = event.outcome.name();
        match event.outcome.refusal() {
            Some(why) => {
                counter!("ps_auth_events_total", "outcome" => outcome, "reason" => why.name())
            }
            None => counter!("ps_auth_events_total", "outcome" => outcome, "reason" => ""),
        }
        .increment(1);
    }
}

impl Auth {
    /// Sets the gauge `ps_auth_unsettled_mails`, which deserves an alarm where it only grows. Call it
    /// before the numbers are read.
    pub fn measure(&self) {
        let mails = u32::try_from(self.unsettled_mails()).unwrap_or(u32::MAX);
        gauge!("ps_auth_unsettled_mails").set(mails);
    }
}
