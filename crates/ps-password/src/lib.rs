#![doc = include_str!("../README.md")]

mod common;
mod cost;
mod error;
mod hash;
mod hashing;
mod judge;
mod password;
mod passwords;
mod places;
mod policy;
mod store;

pub use cost::{HashCost, InvalidCost};
pub use error::PasswordError;
pub use password::{InvalidPassword, NewPassword, TypedPassword};
pub use passwords::{Change, Passwords};
pub use policy::PasswordPolicy;
pub use store::{PasswordHash, PasswordStore};
