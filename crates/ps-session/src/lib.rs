#![doc = include_str!("../README.md")]

mod access;
mod claims;
mod ended;
mod error;
mod idempotency;
mod judge;
mod jws;
mod policy;
mod refresh;
mod sessions;
mod store;
mod verified;

pub use access::{AccessToken, SessionCaller};
pub use error::{InvalidIdempotencyKey, RefreshError, SessionError};
pub use idempotency::IdempotencyKey;
pub use judge::{Presented, Verdict, judge_refresh};
pub use policy::SessionPolicy;
pub use refresh::RefreshToken;
pub use sessions::{Once, OpenSession, Sessions};
pub use store::{
    Advance, End, FamilyDigest, Method, Opened, RotationKey, SessionRecord, SessionStore, Which,
};
