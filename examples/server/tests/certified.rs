//! Sign-in at a provider that is not ours: npm's `oidc-provider`, which is certified by the OpenID
//! Foundation, in a process of its own.
//!
//! It wants `node` and `npm`, and npm's registry the first time. Where they are missing the test is
//! skipped and says so; with `PS_REQUIRE_SERVICES=1` it fails instead.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use common::{Client, Reply, Server, free_port};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let installed = install();
    if let Err(why) = &installed {
        println!("SKIPPED certified provider: {why}");
    }
    let required = env::var_os("PS_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    let trial = |name: &str, test: fn(&Path)| {
        let folder = installed.clone();
        let is_missing = folder.is_err();
        let trial = Trial::test(name, move || {
            test(&folder?);
            Ok(())
        });
        trial.with_ignored_flag(is_missing && !required)
    };
    let trials = vec![
        trial("sign_in_works_unchanged", sign_in_works_unchanged),
        trial(
            "what_it_does_not_verify_opens_nothing",
            what_it_does_not_verify_opens_nothing,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The provider beside the build, its packages as the lock file says.
fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certified");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certified");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for name in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(source.join(name), folder.join(name)).map_err(|error| error.to_string())?;
    }
    for program in ["node", "npm"] {
        let found = Command::new(program).arg("--version").output();
        found.map_err(|_| format!("no {program}; install nodejs and npm"))?;
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
        Ok(folder)
    } else {
        Err("npm could not install it".to_owned())
    }
}

/// The provider, and the server that it is configured at.
struct Site {
    provider: Child,
    server: Server,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.provider.kill();
        let _ = self.provider.wait();
    }
}

fn start(folder: &Path) -> Site {
    // The redirect URIs have to be known first.
    let address = format!("127.0.0.1:{}", free_port());
    let uri =
        |name| format!("--{name}-redirect-uri=http://{address}/api/auth/social/{name}/callback");
    let mut provider = Command::new("node")
        .arg("provider.mjs")
        .args([uri("google"), uri("linkedin")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(provider.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let of = |name: &str, field: &str| said[name][field].as_str().unwrap().to_owned();
    let variables = [
        ("GOOGLE_ISSUER", of("google", "issuer")),
        ("GOOGLE_CLIENT_ID", of("google", "client_id")),
        ("GOOGLE_CLIENT_SECRET", of("google", "client_secret")),
        ("LINKEDIN_ISSUER", of("linkedin", "issuer")),
        ("LINKEDIN_CLIENT_ID", of("linkedin", "client_id")),
        ("LINKEDIN_CLIENT_SECRET", of("linkedin", "client_secret")),
    ];
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let server = Server::start_at(&address, &variables);
    Site { provider, server }
}

/// Follows redirects at the provider until it sends the browser back to us.
fn agree(site: &Site, authorize_url: &str, hint: &str) -> String {
    let mut url = format!("{authorize_url}&login_hint={hint}");
    let mut jar = BTreeMap::new();
    for _ in 0..10 {
        let rest = url.strip_prefix("http://").unwrap();
        let (address, path) = rest.split_at(rest.find('/').unwrap());
        if address == site.server.address {
            return url;
        }
        let mut browser = Client {
            address: address.to_owned(),
            jar,
        };
        let reply = browser.send("GET", path, &[], "");
        jar = browser.jar;
        let next = reply.location();
        assert!(!next.is_empty(), "{reply:?}");
        url = if next.starts_with('/') {
            format!("http://{address}{next}")
        } else {
            next
        };
    }
    panic!("the provider does not send the browser back")
}

fn sign_in(site: &Site, browser: &mut Client, provider: &str, hint: &str) -> Reply {
    let left = browser.send("GET", &format!("/api/auth/social/{provider}"), &[], "");
    assert_eq!(left.status, 303, "{left:?}");
    let callback = agree(site, &left.location(), hint);
    browser.follow(&callback)
}

fn sign_in_works_unchanged(folder: &Path) {
    let site = start(folder);
    let home = format!("http://{}/", site.server.address);
    let mut alice = site.server.client();
    let landed = sign_in(&site, &mut alice, "google", "alice@example.com");
    assert_eq!(landed.location(), home, "{landed:?}");
    let account = alice.send("POST", "/api/auth/refresh", &[], "").json()["account"].clone();
    assert_eq!(account["email"], "alice@example.com");
    // The same address by the other provider is the same person.
    let mut elsewhere = site.server.client();
    let landed = sign_in(&site, &mut elsewhere, "linkedin", "alice@example.com");
    assert_eq!(landed.location(), home, "{landed:?}");
    let session = elsewhere.send("POST", "/api/auth/refresh", &[], "");
    assert_eq!(session.json()["account"], account);
    // And linked from a session, whatever its address.
    let token = alice.refreshed();
    alice.delete("/api/auth/social/linkedin", &token);
    let begun = alice.post("/api/auth/social/linkedin/link", &token, "{}");
    let callback = agree(&site, &begun.text("authorize_url"), "private@example.org");
    assert_eq!(alice.follow(&callback).location(), home);
    let listed = alice.get("/api/auth/identities", &token).json();
    assert_eq!(
        listed["identities"].as_array().unwrap().len(),
        2,
        "{listed}"
    );
}

fn what_it_does_not_verify_opens_nothing(folder: &Path) {
    let site = start(folder);
    let mut browser = site.server.client();
    let refused = sign_in(&site, &mut browser, "google", "unverified@example.com");
    assert!(
        refused
            .location()
            .ends_with("/sign-in?error=email_unverified"),
        "{refused:?}"
    );
    let denied = sign_in(&site, &mut browser, "google", "denied@example.com");
    assert!(
        denied.location().ends_with("/sign-in?error=access_denied"),
        "{denied:?}"
    );
    assert!(!browser.jar.contains_key("ps_refresh"));
}
