#![doc = include_str!("../README.md")]

mod addresses;
mod batch;
mod error;
mod judge;
mod key;
mod keys;
mod lookup;
mod name;
mod policy;
mod scopes;
mod store;
mod terms;
mod uses;

pub use addresses::{AllowedAddresses, InvalidAddresses};
pub use error::ApiKeyError;
pub use judge::judge;
pub use key::{ApiKey, InvalidPrefix, KeyPrefix};
pub use keys::{ApiKeys, Issued, KeyCaller, NewKey};
pub use name::{InvalidName, KeyName};
pub use policy::KeyPolicy;
pub use scopes::{InvalidScopes, Scopes};
pub use store::{
    ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted, KeyPage, KeyPatch, KeyRotated, KeyUpdated,
    Listing, NewExpiry, Replacement,
};
pub use terms::KeyTerms;
