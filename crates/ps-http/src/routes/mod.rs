//! The rows of the route table, one file a flow.

#[cfg(feature = "magiccode")]
mod codes;
#[cfg(all(feature = "apikey", feature = "session"))]
mod key_bodies;
#[cfg(all(feature = "apikey", feature = "session"))]
mod keys;
#[cfg(feature = "password")]
mod passwords;
mod public;
#[cfg(feature = "session")]
mod sessions;
#[cfg(feature = "oauth")]
mod social;
#[cfg(feature = "oauth")]
mod social_failure;
#[cfg(feature = "apikey")]
mod whoami;

#[cfg(feature = "magiccode")]
pub(crate) use codes::codes;
#[cfg(all(feature = "apikey", feature = "session"))]
pub(crate) use keys::key_settings;
#[cfg(feature = "password")]
pub(crate) use passwords::passwords;
pub(crate) use public::probes;
#[cfg(feature = "session")]
pub(crate) use sessions::sessions;
#[cfg(feature = "oauth")]
pub(crate) use social::{Flights, SocialDesk, social};
#[cfg(feature = "apikey")]
pub(crate) use whoami::whoami;
