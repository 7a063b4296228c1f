#![doc = include_str!("../README.md")]

mod answer;
mod asked;
mod corpus;
mod dice;
mod direct;
mod group;
mod servers;
mod ways;
mod wire;
mod world;

pub use answer::Answer;
pub use asked::{Asked, Sending};
pub use corpus::{Case, Expected, Step, read_corpus};
pub use dice::Dice;
pub use group::Group;
pub use servers::{Mount, Server};
pub use ways::{Answers, Ways};
pub use wire::{Wire, exchange};
pub use world::{MISSING, Place, World};
