//! Every flow of ps-auth composed into one server: `cargo run -p example-server`.

mod compose;
mod mailbox;
mod pages;
mod plan;
mod programs;
mod root_secret;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::settings::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    serve::log();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    match runtime.block_on(serve::serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&*error),
    }
}

#[expect(clippy::print_stderr, reason = "whoever started it reads this")]
fn refuse(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("example-server does not start: {error}");
    ExitCode::FAILURE
}
