//! Every flow of ps-auth composed into one server: `cargo run -p example-server`.

mod compose;
mod docs_page;
mod doctor;
mod fence;
mod mailbox;
mod on_actix;
mod on_axum;
mod pages;
mod plan;
mod programs;
mod providers;
mod root_secret;
mod serve;
mod settings;
mod site;
mod stand_in;
mod store;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

use crate::settings::{Command, Settings};

const STARTS_NOT: &str = "does not start";

fn main() -> ExitCode {
    let settings = Settings::read();
    if settings.command == Some(Command::Doctor) {
        return match doctor::examine(&settings) {
            Ok(text) => tell(&text),
            Err(reasons) => refuse(STARTS_NOT, &reasons),
        };
    }
    serve::log();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(STARTS_NOT, &error),
    };
    if let Some(Command::Fence { yes }) = settings.command {
        return match runtime.block_on(fence::fence(&settings, yes)) {
            Ok(text) => tell(&text),
            Err(error) => refuse("did not fence", &error),
        };
    }
    match runtime.block_on(serve::serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(STARTS_NOT, &error),
    }
}

/// To whoever asked, as far as it is read.
fn tell(text: &str) -> ExitCode {
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "whoever started it reads this")]
fn refuse(what: &str, why: &dyn Display) -> ExitCode {
    eprintln!("example-server {what}: {why}");
    ExitCode::FAILURE
}
