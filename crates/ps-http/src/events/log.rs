//! Outcomes as log lines.

use ps_core::{AuthEvent, EventSink, Outcome};

/// Tells every outcome to `tracing`, target `ps_auth`.
///
/// What a person should look at (a replayed refresh token, a store behind its tokens, a mail that
/// was lost or may be) is a warning; what happens on every request is `DEBUG`; everything else `INFO`.
/// Addresses are masked, and no event holds a secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingEvents;

impl EventSink for TracingEvents {
    fn record(&self, event: &AuthEvent<'_>) {
        match event.outcome {
            Outcome::RefreshReplayed(_)
            | Outcome::StoreBehindToken(_)
            | Outcome::MailDropped
            | Outcome::MailFailed
            | Outcome::MailUnknown => line!(WARN, event),
            Outcome::KeyAccepted(_) => line!(DEBUG, event),
            _ => line!(INFO, event),
        }
    }
}

/// `tracing` wants the level as a constant.
macro_rules! line {
    ($level:ident, $event:expr) => {{
        let event = $event;
        if tracing::enabled!(target: "ps_auth", tracing::Level::$level) {
            let address = event.address.map(|address| address.masked());
            let network = event.requester.map(|who| ps_core::Network::coarse(who.address).to_string());
            tracing::event!(
                target: "ps_auth",
                tracing::Level::$level,
                outcome = event.outcome.name(),
                reason = event.outcome.refusal().map(|why| why.name()),
                subject = event.outcome.subject(),
                account = event.account.map(|id| id.as_str()),
                address,
                network,
                request_id = event.requester.map(|who| who.request_id.as_str()),
            );
        }
    }};
}
use line;
