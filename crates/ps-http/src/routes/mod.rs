//! The rows of the route table, one file a flow.

#[cfg(feature = "magiccode")]
mod codes;
#[cfg(feature = "apikey")]
mod keys;
mod public;
#[cfg(feature = "session")]
mod sessions;

#[cfg(feature = "magiccode")]
pub(crate) use codes::codes;
#[cfg(all(feature = "apikey", feature = "session"))]
pub(crate) use keys::key_settings;
#[cfg(feature = "apikey")]
pub(crate) use keys::whoami;
pub(crate) use public::probes;
#[cfg(feature = "session")]
pub(crate) use sessions::sessions;
