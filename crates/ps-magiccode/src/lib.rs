#![doc = include_str!("../README.md")]

mod code;
mod codes;
mod draft;
mod error;
mod judge;
mod letter;
mod policy;
mod store;

pub use code::{Code, InvalidCode, TypedCode};
pub use codes::{Claim, MagicCodes, Requested};
pub use error::CodeError;
pub use judge::{digits, wait};
pub use letter::{Letter, Letters, Occasion, PlainLetters};
pub use policy::CodePolicy;
pub use store::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, SendBudget,
    Sends,
};
