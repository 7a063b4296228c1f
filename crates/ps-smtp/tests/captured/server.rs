//! `server.py` as a process, and what it says.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread::JoinHandle,
};

use serde_json::{Value, json};

use crate::certificates::Authority;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    StartTls,
    Tls,
}

impl Security {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }
}

/// Where the packages are that the server stands on.
#[derive(Clone, Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// # Errors
    /// What is missing, and how it is installed.
    pub(crate) fn find() -> Result<Self, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
        let python = Self(target.unwrap_or(Path::new("target")).join("python"));
        let imports = python
            .command()
            .args(["-c", "import aiosmtpd.smtp"])
            .output();
        match imports {
            Ok(done) if done.status.success() => Ok(python),
            Ok(_) => Err(format!(
                "python3 has no aiosmtpd; python3 -m pip install --target {} -r {}",
                python.0.display(),
                concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/tests/captured/requirements.txt"
                ),
            )),
            Err(_) => Err("no python3; install it".to_owned()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("python3");
        let path = match env::var_os("PYTHONPATH") {
            Some(more) => env::join_paths([self.0.clone(), more.into()]),
            None => Ok(self.0.clone().into()),
        };
        command.env("PYTHONPATH", path.unwrap());
        command
    }
}

/// What the server is to be like.
pub(crate) struct Wish {
    pub(crate) security: Security,
    /// Whom its certificate is for.
    pub(crate) name: &'static str,
    /// Whom it lets in; none if it asks nobody.
    pub(crate) login: Option<[&'static str; 2]>,
    pub(crate) fault: Option<&'static str>,
}

impl Wish {
    pub(crate) fn good(security: Security) -> Self {
        Self {
            security,
            name: "127.0.0.1",
            login: None,
            fault: None,
        }
    }

    pub(crate) fn breaking(fault: &'static str) -> Self {
        Self {
            fault: Some(fault),
            ..Self::good(Security::Plain)
        }
    }
}

/// Ended when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
    /// What it still has to say.
    saying: Option<JoinHandle<Vec<Value>>>,
    folder: PathBuf,
}

impl Server {
    pub(crate) fn start(python: &Python, authority: &Authority, wish: &Wish) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, SeqCst);
        let name = format!("captured-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let issued = authority.issue(wish.name);
        fs::write(&certificate, issued.0.pem()).unwrap();
        fs::write(&key, issued.1.serialize_pem()).unwrap();
        let settings = json!({
            "security": wish.security.name(),
            "certificate": certificate,
            "key": key,
            "login": wish.login,
            "fault": wish.fault,
        });
        let mut process = python
            .command()
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/captured/server.py"
            ))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let port = u16::try_from(first["listening"].as_u64().unwrap()).unwrap();
        let saying = std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            lines
                .map(|line| serde_json::from_str(&line).unwrap())
                .collect()
        });
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            process,
            saying: Some(saying),
            folder,
        }
    }

    /// Ends it. The number of connections that there were, and every mail.
    pub(crate) fn stop(mut self) -> (usize, Vec<Value>) {
        drop(self.process.stdin.take());
        let said = self.saying.take().unwrap().join().unwrap();
        let connections = said
            .iter()
            .filter(|said| said["connection"] == true)
            .count();
        let mails = said.into_iter().map(|mut said| said["mail"].take());
        (connections, mails.filter(|mail| !mail.is_null()).collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
