//! A load test over loopback: ps-auth beside the bare frameworks and beside what users would
//! otherwise take. The README says how, and what came out.

mod child;
mod compare;
mod example;
mod load;
mod rustauth;
mod serve;
mod simulate;

use std::{env, error::Error};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str =
    "usage: http-load compare [--rounds N] [--seconds S] [--only WORD] [--out FOLDER]
       http-load simulate [NODES]
       http-load serve SERVER [ARGUMENTS]";

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", ref server @ ..] => serve::serve(server),
        ["compare", ref options @ ..] => compare::compare(options),
        ["simulate", ref nodes @ ..] => simulate::simulate(nodes),
        _ => Err(USAGE.into()),
    }
}
