#![doc = include_str!("../README.md")]

mod attempt;
mod callback;
mod client;
mod discovery;
mod error;
mod exchange;
mod failure;
mod http;
mod id_token;
mod json;
mod judge;
mod jwks;
mod jws;
mod kept;
mod logins;
mod outbound;
mod policy;
mod profile;
mod provider;
mod return_to;
mod store;
#[cfg(test)]
mod testing;
mod userinfo;

pub use attempt::{Attempt, AttemptCookie, Carried, Intent};
pub use callback::Callback;
pub use client::{Client, InvalidClient};
pub use error::{CallbackError, SocialError, UnlinkError};
pub use http::{HttpClient, HttpError};
pub use judge::{Facts, Holder, Known, Weighed, judge_link, judge_sign_in};
pub use logins::{Begun, SocialLogins};
pub use policy::{LinkPolicy, SocialPolicy};
pub use profile::Profile;
pub use provider::{GOOGLE, LINKEDIN, Provider};
pub use return_to::{InvalidReturnTo, ReturnTo};
pub use store::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};
