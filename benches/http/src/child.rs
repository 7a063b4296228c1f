//! A server in a process of its own, and what the system says of it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use nix::{sys::time::TimeValLike, time::ClockId, unistd::Pid};

use crate::{Outcome, serve::folder_of};

/// Which core a server has to itself, and which the generator has.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const GENERATOR_CORE: usize = 1;

pub(crate) struct Child {
    process: std::process::Child,
    /// What it writes, which goes with it.
    folder: PathBuf,
    pub(crate) address: SocketAddr,
    /// What it gave out: a key, a token or a cookie each.
    pub(crate) credentials: Vec<String>,
}

impl Child {
    /// Starts one of ours, and waits until it has said where it is and what opens it.
    pub(crate) fn start(server: &[&str]) -> Outcome<Self> {
        let exe = env::current_exe()?;
        Self::started(pinned(&exe.to_string_lossy()).arg("serve").args(server))
    }

    /// The same of any program that says it as ours do.
    pub(crate) fn started(command: &mut Command) -> Outcome<Self> {
        let mut process = command.spawn()?;
        let said = process.stdout.take().ok_or("it has an output")?;
        let mut lines = BufReader::new(said).lines();
        let address = lines.next().ok_or(format!("{command:?} did not start"))??;
        let credentials = lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
        Ok(Self {
            address: address.parse()?,
            credentials: credentials.collect::<Result<_, _>>()?,
            folder: folder_of(process.id()),
            process,
        })
    }

    /// One that is not ours, and listens where it was told to.
    pub(crate) fn of(process: std::process::Child, address: SocketAddr, folder: PathBuf) -> Self {
        Self {
            process,
            folder,
            address,
            credentials: Vec::new(),
        }
    }

    /// User and system time so far, to the nanosecond: the clock of the process.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(self.process.id().try_into()?))?;
        let so_far = clock.now()?.num_nanoseconds();
        Ok(Duration::from_nanos(so_far.try_into()?))
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no size")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command that will run on the servers' core only.
pub(crate) fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.to_string(), program]);
    command.stdout(Stdio::piped());
    command
}
