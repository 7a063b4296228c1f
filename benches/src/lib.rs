#![doc = include_str!("../README.md")]

pub mod finding;
pub mod plot;
pub mod race;
pub mod report;
pub mod spread;
pub mod stage;
pub mod subjects;
