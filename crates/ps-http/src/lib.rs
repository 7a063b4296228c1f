#![doc = include_str!("../README.md")]

mod answer;
mod auth;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
mod browsers;
mod call;
mod code;
mod edge;
mod events;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
mod limits;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
mod notices;
#[cfg(feature = "openapi")]
pub mod openapi;
mod problem;
mod route;
mod routes;
#[cfg(feature = "session")]
mod session_answer;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
mod sign_in;

pub use answer::{json, no_content, rfc3339};
pub use auth::{Admission, Auth};
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
pub use browsers::KnownBrowsers;
pub use call::{BODY_LIMIT, Call};
pub use code::Code;
pub use edge::{
    Connection, Edge, ForwardedFamily, Head, InvalidEdge, InvalidOrigin, Origin, TrustedProxies,
};
#[cfg(feature = "metrics")]
pub use events::MetricsEvents;
pub use events::TracingEvents;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
pub use limits::NetworkLimits;
#[cfg(any(feature = "magiccode", feature = "oauth", feature = "password"))]
pub use notices::{Notice, NoticeLetters, Notices, Occurrence, PlainNotices};
pub use problem::{Detail, Problem};
pub use route::{Answer, Route, Takes};
