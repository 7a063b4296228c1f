//! Where outcomes go.

mod log;
#[cfg(feature = "metrics")]
mod metrics;

pub use log::TracingEvents;
#[cfg(feature = "metrics")]
pub use metrics::MetricsEvents;
