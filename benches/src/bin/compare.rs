//! Measures everything side by side: `cargo run --release -p benches --bin compare`.
//!
//! With the names of subjects (`hashing`, `lookup`, …) it measures only these; `lookup-large` is one
//! that has to be named. With `--write` it puts what it found into the README, and the plots beside it.

use std::{env, path::Path, process::ExitCode};

use benches::{
    report::Report,
    subjects::{ALL, LARGE, Subject, hashing},
};

fn main() -> ExitCode {
    let (options, names): (Vec<String>, Vec<String>) = env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let every = || ALL.iter().chain(&LARGE);
    let is_known = |name: &String| every().any(|(known, _)| known == name);
    let writes = options == ["--write"];
    if !(names.iter().all(is_known) && (options.is_empty() || writes && names.is_empty())) {
        let known: Vec<&str> = every().map(|(name, _)| *name).collect();
        let known = known.join(" ");
        eprintln!("usage: compare [--write | subject…], of these subjects: {known}");
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: run it with --release.");
        return ExitCode::FAILURE;
    }
    hashing::assert_full_speed();
    let mut report = Report::default();
    let is_named = |subject: &&Subject| names.iter().any(|name| name == subject.0);
    let subjects: Vec<&Subject> = match names.is_empty() {
        true => ALL.iter().collect(),
        false => every().filter(is_named).collect(),
    };
    for (name, measure) in subjects {
        eprintln!("\n== {name}");
        measure(&mut report);
    }
    println!("{}", report.markdown());
    if writes && let Err(error) = report.write(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
