//! Where a server is found, or how one is started. Other packages' tests include this file too.

#![allow(dead_code)] // each uses some of it

use std::{
    env,
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tokio::runtime::Builder;

/// A server that tests may share.
pub(crate) enum Server {
    At(String),
    Started(Cluster),
}

/// Whether a test without a server fails instead of being skipped.
pub(crate) fn is_required() -> bool {
    env::var_os("PS_REQUIRE_SERVICES").is_some_and(|value| value == "1")
}

impl Server {
    /// The one that `DATABASE_URL` names, else one that is started; and the programs to start
    /// another one with.
    pub(crate) fn find() -> Result<(Self, Result<Programs, String>), String> {
        let programs = Programs::find();
        let server = match env::var("DATABASE_URL") {
            Ok(url) if url.starts_with("postgres") => Self::At(url),
            _ => Self::Started(Cluster::start(&programs.clone()?)?),
        };
        Ok((server, programs))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::At(url) => url.clone(),
            Self::Started(cluster) => cluster.url(),
        }
    }
}

/// PostgreSQL's programs, and who may run them.
#[derive(Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// The user and the group to become: the server refuses to be root's.
    become_whom: Option<(u32, u32)>,
}

impl Programs {
    /// On the path, or where Debian has them.
    pub(crate) fn find() -> Result<Self, String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<_> = env::split_paths(&path).collect();
        if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
            folders.extend(versions.flatten().map(|version| version.path().join("bin")));
        }
        let has_both =
            |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
        let folder = folders.into_iter().find(has_both);
        let folder = folder.ok_or("no server; set DATABASE_URL or install postgresql")?;
        let become_whom = match id(&["-u"])? {
            0 => Some(
                user("postgres")
                    .or_else(|_| user("nobody"))
                    .map_err(|why| format!("root, and nobody to become: {why}"))?,
            ),
            _ => None,
        };
        Ok(Self {
            folder,
            become_whom,
        })
    }

    /// A program as the user that it may be run by. It ends when the thread ends that started it.
    fn command(&self, program: &str) -> Command {
        let program = self.folder.join(program);
        match self.become_whom {
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--pdeathsig", "QUIT", "--clear-groups"])
                    .args([format!("--reuid={user}"), format!("--regid={group}")])
                    .arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// Makes the server's user the owner.
    fn own(&self, path: &Path) -> Result<(), String> {
        let Some((user, group)) = self.become_whom else {
            return Ok(());
        };
        chown(path, Some(user), Some(group)).map_err(|error| error.to_string())
    }
}

fn user(name: &str) -> Result<(u32, u32), String> {
    Ok((id(&["-u", name])?, id(&["-g", name])?))
}

fn id(arguments: &[&str]) -> Result<u32, String> {
    let output = Command::new("id").args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.trim().parse();
    number.map_err(|_| format!("`id {}` answers no number", arguments.join(" ")))
}

/// A server of our own, with its data in a folder that goes with it.
pub(crate) struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    running: Option<Child>,
}

impl Cluster {
    /// Returns when it answers.
    pub(crate) fn start(programs: &Programs) -> Result<Self, String> {
        let mut cluster = Self::prepare(programs)?;
        cluster.run(&[])?;
        Ok(cluster)
    }

    pub(crate) fn prepare(programs: &Programs) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // A socket's path must be short, and reachable for the user that the server runs as.
        let folder = env::temp_dir().join(format!("ps-sqlx-{}-{number}", process::id()));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let cluster = Self {
            programs: programs.clone(),
            folder,
            port: free.map_err(|error| error.to_string())?.port(),
            running: None,
        };
        programs.own(&cluster.folder)?;
        let mut command = programs.command("initdb");
        command.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        command
            .arg(cluster.folder.join("data"))
            .current_dir(&cluster.folder);
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(cluster)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Starts it, once more if need be, and returns when it answers. What was written is safe from
    /// the end of its process, not from a power cut.
    pub(crate) fn run(&mut self, settings: &[&str]) -> Result<(), String> {
        let log = self.folder.join("log");
        let file = fs::File::create(&log).map_err(|error| error.to_string())?;
        let mut command = self.programs.command("postgres");
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-k")
            .arg(&self.folder);
        command.arg("-p").arg(self.port.to_string());
        for setting in ["fsync=off", "max_connections=200", "listen_addresses="] {
            command.args(["-c", setting]);
        }
        for setting in settings {
            command.args(["-c", setting]);
        }
        let quiet = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let running = quiet
            .stderr(file)
            .spawn()
            .map_err(|error| error.to_string())?;
        self.running = Some(running);
        for _ in 0..200 {
            if answers(self.url()) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(format!("the server did not start: {said}"))
    }

    /// Ends it at once, as if it had crashed.
    pub(crate) fn crash(&mut self) {
        if let Some(mut running) = self.running.take() {
            signal("QUIT", &[running.id()]);
            let _ = running.wait();
        }
    }

    /// By its socket.
    pub(crate) fn url(&self) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/postgres", self.port)
    }

    /// By the network, if it listens there.
    pub(crate) fn url_by_network(&self) -> String {
        format!("postgres://postgres@localhost:{}/postgres", self.port)
    }

    /// A file for the server and for nobody else; where it stands.
    pub(crate) fn keep(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        self.programs.own(&path).unwrap();
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether a client is let in. From a thread of its own, for the caller may be on a runtime.
fn answers(url: String) -> bool {
    let asking = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(PgConnection::connect(&url)).is_ok()
    });
    asking.join().unwrap()
}

pub(crate) fn signal(name: &str, processes: &[impl ToString]) {
    let processes = processes.iter().map(ToString::to_string);
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .args(processes)
        .status();
    assert!(sent.unwrap().success());
}
