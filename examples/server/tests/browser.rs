//! The pages in a real browser, at the width of a phone and at that of a desk, on both frameworks:
//! what people do on them, that nothing breaks the content security policy, and that axe finds nothing
//! serious.
//!
//! It wants `node`, `npm` and Chromium, and npm's registry the first time. Where they are missing the
//! tests are skipped and say so; with `PS_REQUIRE_SERVICES=1` they fail instead. With
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

/// What people do, on either framework: a file of `browser/flows` each.
const FLOWS: [&str; 4] = ["sign_in", "api_keys", "security", "activity"];
/// And how every page looks, to eyes and to axe. Frameworks only carry the pages' bytes.
const LOOKS: (&str, &str) = ("axum", "looks");

/// Where the scripts are installed, and the browser that they drive.
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
    let required = env::var_os("PS_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    let pairs = FRAMEWORKS.into_iter().flat_map(|framework| {
        let flows = FLOWS.into_iter();
        flows.map(move |flow| (framework, flow))
    });
    // The longest first, beside which the others run.
    let trials = [LOOKS].into_iter().chain(pairs).map(|(framework, flow)| {
        let installed = installed.clone();
        let is_missing = installed.is_err();
        let trial = Trial::test(format!("{flow}_on_{framework}"), move || {
            let server = Server::start_on(framework);
            installed?.walk(flow, &format!("http://{}", server.address), &[])
        });
        trial.with_ignored_flag(is_missing && !required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

impl Browser {
    /// Lets people do on the pages at `base` what the flow is about.
    fn walk(&self, flow: &str, base: &str, variables: &[(&str, &str)]) -> Result<(), Failed> {
        let mut script = Command::new("node");
        script
            .args(["run.mjs", base, flow])
            .current_dir(&self.folder)
            .env("CHROMIUM", &self.chromium)
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        if let Some(folder) = env::var_os("PS_SCREENSHOTS") {
            script.env("PS_SCREENSHOTS", env::current_dir()?.join(folder));
        }
        let ran = script.output()?;
        print!("{}", String::from_utf8_lossy(&ran.stdout));
        if ran.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&ran.stderr).into_owned().into())
        }
    }
}

/// The scripts beside the build, their packages as the lock file says.
fn install() -> Result<Browser, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    for program in ["node", "npm"] {
        let found = Command::new(program).arg("--version").output();
        found.map_err(|_| format!("no {program}; install nodejs and npm"))?;
    }
    let chromium = chromium().ok_or("no Chromium; install chromium, or set CHROMIUM to it")?;
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    let marker = folder.join("node_modules/.package-lock.json");
    let is_installed = marker.is_file() && lock(&folder) == lock(&source);
    copy(&source, &folder).map_err(|error| error.to_string())?;
    if is_installed {
        return Ok(Browser { folder, chromium });
    }
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

fn copy(source: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let copied = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &copied)?;
        } else {
            fs::copy(entry.path(), copied)?;
        }
    }
    Ok(())
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
