//! The pages in a real browser, at the width of a phone and of a desk, on both frameworks: what
//! people do on them, that nothing breaks the content security policy, and that axe finds nothing
//! serious.
//!
//! It wants `node`, `npm` and Chromium, and npm's registry the first time. Where they are missing the
//! tests are skipped and say so; with `PS_REQUIRE_BROWSER=1` they fail instead. With
//! `PS_SCREENSHOTS=<folder>` pictures of every page are left there.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use common::{FRAMEWORKS, Server};
use libtest_mimic::{Arguments, Failed, Trial};

/// The flows of `browser/flows.mjs`: what people do, on either framework.
const FLOWS: [&str; 4] = ["sign_in", "api_keys", "security", "activity"];
/// And how every page looks, to eyes and to axe. Frameworks only carry the pages' bytes.
const LOOKS: (&str, &str) = ("axum", "looks");

const FILES: [&str; 5] = [
    "package.json",
    "package-lock.json",
    "flows.mjs",
    "run.mjs",
    "world.mjs",
];

/// Where the script is installed, and the browser that it drives.
#[derive(Clone)]
struct Browser {
    folder: PathBuf,
    chromium: PathBuf,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A browser is several processes, and slower than the patience of its tests if there are many.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let installed = install();
    if let Err(why) = &installed {
        println!("SKIPPED browser: {why}");
    }
    let required = env::var_os("PS_REQUIRE_BROWSER").is_some_and(|value| value == "1");
    let pairs = FRAMEWORKS.into_iter().flat_map(|framework| {
        let flows = FLOWS.into_iter();
        flows.map(move |flow| (framework, flow))
    });
    let trials = pairs.chain([LOOKS]).map(|(framework, flow)| {
        let installed = installed.clone();
        let is_missing = installed.is_err();
        let trial = Trial::test(format!("{flow}_on_{framework}"), move || {
            walk(&installed?, framework, flow)
        });
        trial.with_ignored_flag(is_missing && !required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn walk(browser: &Browser, framework: &str, flow: &str) -> Result<(), Failed> {
    let server = Server::start_on(framework);
    let mut script = Command::new("node");
    script
        .args(["run.mjs", &format!("http://{}", server.address), flow])
        .current_dir(&browser.folder)
        .env("CHROMIUM", &browser.chromium)
        .stdin(Stdio::null());
    if let Some(folder) = env::var_os("PS_SCREENSHOTS") {
        let folder = env::current_dir()?.join(folder).join(framework);
        script.env("PS_SCREENSHOTS", folder);
    }
    let ran = script.output()?;
    if ran.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&ran.stderr).into_owned().into())
    }
}

/// The script beside the build, its packages as the lock file says.
fn install() -> Result<Browser, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for name in FILES {
        fs::copy(source.join(name), folder.join(name)).map_err(|error| error.to_string())?;
    }
    for program in ["node", "npm"] {
        let found = Command::new(program).arg("--version").output();
        found.map_err(|_| format!("no {program}; install nodejs and npm"))?;
    }
    let chromium = chromium().ok_or("no Chromium; install chromium, or set CHROMIUM to it")?;
    let installing = Command::new("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
        ])
        .current_dir(&folder)
        .output()
        .map_err(|error| error.to_string())?;
    if installing.status.success() {
        Ok(Browser { folder, chromium })
    } else {
        Err("npm could not install it".to_owned())
    }
}

fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}
