//! An OpenID provider to test against, offline.
//!
//! [`FakeProvider`] is a sound provider: it signs for real, and refuses what a sound provider
//! refuses. What real providers do otherwise is data ([`Quirks`]), and what an attacker or a bad day
//! makes of one is asked for by name ([`Misbehaviour`]).

mod answer;
mod authorize;
mod calls;
mod claims;
mod endpoints;
mod id_token;
mod in_process;
mod keys;
mod metadata;
mod misbehaviour;
mod person;
mod provider;
mod quirks;
#[cfg(feature = "openid-server")]
mod serve;
mod state;
mod token;
mod userinfo;

pub use authorize::FakeError;
pub use calls::Calls;
pub use keys::{Algorithm, OldKeys};
pub use misbehaviour::Misbehaviour;
pub use person::{EmailVerified, Person};
pub use provider::FakeProvider;
pub use quirks::{ClientAuthentication, Pkce, Quirks};
