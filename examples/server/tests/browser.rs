//! The pages in a real browser, at the width of a phone and at that of a desk, on both frameworks:
//! what people do on them, that nothing breaks the content security policy, and that axe finds nothing
//! serious.
//!
//! It wants `node`, `npm` and Chromium, and npm's registry the first time. Where they are missing the
//! tests are skipped and say so; with `PS_REQUIRE_SERVICES=1` they fail instead. With
//! `PS_SCREENSHOTS=<folder>` pictures of every page are left there, with `PS_PICTURES=<folder>` those
//! of the README: absolute paths.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use common::{FRAMEWORKS, Server, free_port};
use libtest_mimic::{Arguments, Failed, Trial};

/// What is walked through, the longest first: each on every framework, but for how pages look, since
/// frameworks only carry their bytes.
const WALKS: [(&str, &str, Start); 9] = [
    ("looks", "looks", Site::plain),
    ("tabs", "tabs", Site::behind_a_way),
    ("sign_in", "sign_in", Site::plain),
    ("security", "security", Site::plain),
    ("api_keys", "api_keys", Site::plain),
    ("activity", "activity", Site::plain),
    ("late_answers", "late_answers", Site::behind_a_way),
    ("cookies_over_http", "cookies", Site::plain),
    ("cookies_over_https", "cookies", Site::over_https),
];

const PICTURES: (&str, &str, Start) = ("pictures", "pictures", Site::plain);

type Start = fn(&str) -> Site;

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
    let pictures = env::var_os("PS_PICTURES").map(|_| PICTURES);
    let walks = WALKS.into_iter().chain(pictures).flat_map(|walk| {
        let is_of_looks = ["looks", "pictures"].contains(&walk.0);
        let frameworks = FRAMEWORKS.into_iter();
        let frameworks = frameworks.filter(move |name| !is_of_looks || *name == "axum");
        frameworks.map(move |framework| (walk, framework))
    });
    let trials = walks.map(|((name, flow, start), framework)| {
        let installed = installed.clone();
        let is_missing = installed.is_err();
        let trial = Trial::test(format!("{name}_on_{framework}"), move || {
            let walked = installed?.walk(flow, &start(framework))?;
            walked
                .lines()
                .for_each(|line| println!("{name} on {framework}: {line}"));
            Ok(())
        });
        trial.with_ignored_flag(is_missing && !required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A server as a flow wants it, and what the flow is told of it.
struct Site {
    server: Server,
    base: String,
    told: Vec<(&'static str, String)>,
}

impl Site {
    fn plain(framework: &str) -> Self {
        let server = Server::start_on(framework);
        let base = format!("http://{}", server.address);
        let told = Vec::new();
        Self { server, base, told }
    }

    /// Pages come from a port of the flow's own, which hands requests on as it likes.
    fn behind_a_way(framework: &str) -> Self {
        let way = free_port();
        let base = format!("http://127.0.0.1:{way}");
        let variables = [("PS_FRAMEWORK", framework), ("PS_PUBLIC_URL", &base)];
        let server = Server::start_at("127.0.0.1:0", &variables);
        let upstream = format!("http://{}", server.address);
        let told = vec![("WAY", way.to_string()), ("UPSTREAM", upstream)];
        Self { server, base, told }
    }

    /// Outside development: a certificate that nobody has signed, and mails sent to the flow.
    fn over_https(framework: &str) -> Self {
        let [port, mails] = [free_port(), free_port()];
        let base = format!("https://localhost:{port}");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let [cert, key] =
            ["cert", "key"].map(|name| folder.join(format!("{framework}-{name}.pem")));
        fs::write(&cert, own.cert.pem()).unwrap();
        fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let variables = [
            ("PS_FRAMEWORK", framework),
            ("PS_PUBLIC_URL", &base),
            ("PS_TLS_CERT", cert.to_str().unwrap()),
            ("PS_TLS_KEY", key.to_str().unwrap()),
            ("PS_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("SMTP_URL", &format!("smtp://127.0.0.1:{mails}")),
            ("PS_MAIL_FROM", "no-reply@example.com"),
        ];
        let server = Server::start_at(&format!("127.0.0.1:{port}"), &variables);
        let told = vec![("MAILS", mails.to_string())];
        Self { server, base, told }
    }
}

impl Browser {
    /// Lets people do on the pages of a site what the flow is about; what it has to tell.
    fn walk(&self, flow: &str, site: &Site) -> Result<String, Failed> {
        let mut script = Command::new("node");
        script
            .args(["run.mjs", &site.base, flow])
            .current_dir(&self.folder)
            .env("CHROMIUM", &self.chromium)
            .envs(site.told.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let ran = script.output()?;
        let [told, why] =
            [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if ran.status.success() {
            Ok(told)
        } else {
            let log = site.server.log();
            let odd = log
                .lines()
                .filter(|line| !line.contains(r#""level":"INFO""#));
            let odd: Vec<&str> = odd.collect();
            Err(format!("{told}{why}{}", odd.join("\n")).into())
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
