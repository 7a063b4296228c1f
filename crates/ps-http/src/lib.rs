#![doc = include_str!("../README.md")]

mod answer;
mod auth;
mod call;
mod edge;
mod events;
#[cfg(feature = "magiccode")]
mod limits;
mod problem;
mod route;
mod routes;
#[cfg(feature = "session")]
mod session_answer;
#[cfg(feature = "magiccode")]
mod sign_in;

pub use answer::{json, no_content, rfc3339};
pub use auth::Auth;
pub use call::{BODY_LIMIT, Call};
pub use edge::{
    Connection, Edge, ForwardedFamily, InvalidEdge, InvalidOrigin, Origin, TrustedProxies,
};
#[cfg(feature = "metrics")]
pub use events::MetricsEvents;
pub use events::TracingEvents;
#[cfg(feature = "magiccode")]
pub use limits::NetworkLimits;
pub use problem::{Code, Detail, Problem};
pub use route::{Answer, Route};
