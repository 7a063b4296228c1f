#![doc = include_str!("../README.md")]

mod client;
mod error;
mod policy;
mod room;

pub use client::ReqwestClient;
pub use error::InvalidClient;
pub use policy::CallPolicy;
