//! What is measured. Each subject is a list of lanes, which `cargo bench` runs one by one, and a
//! part of the report, for which they take turns.

pub mod cached;
pub mod codes;
pub mod hashing;
pub mod lookup;
pub mod memory;
pub mod refresh;
pub mod tokens;
pub mod uncached;

use crate::report::Report;

/// A subject's name, and its part of the report.
pub type Subject = (&'static str, fn(&mut Report));

/// All of them, in the order of the report.
pub const ALL: [Subject; 8] = [
    ("hashing", hashing::report),
    ("lookup", lookup::report),
    ("cached", cached::report),
    ("memory", memory::report),
    ("uncached", uncached::report),
    ("tokens", tokens::report),
    ("refresh", refresh::report),
    ("codes", codes::report),
];

/// What is measured only where it is named.
pub const LARGE: [Subject; 1] = [("lookup-large", lookup::report_large)];
