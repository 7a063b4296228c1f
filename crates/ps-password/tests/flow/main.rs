//! The flow, on a store in memory and a clock that the test moves.

#![allow(clippy::unwrap_used, missing_docs)]

mod changes;
mod costs;
mod logins;
mod outages;
mod races;
mod site;
