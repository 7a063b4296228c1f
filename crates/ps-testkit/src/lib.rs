#![doc = include_str!("../README.md")]

mod ambient;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod events;
mod mailbox;
#[cfg(feature = "openid")]
pub mod openid;
mod random;

pub use ambient::TestAmbient;
pub use clock::ManualClock;
pub use events::RecordedEvents;
pub use mailbox::{Mailbox, Received};
pub use random::SeededRandom;
