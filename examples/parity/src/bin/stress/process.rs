//! A server in a process of its own, and what the system says of it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use crate::Outcome;

/// What the kernel counts in where nobody has changed it: `USER_HZ`.
const TICKS_A_SECOND: f64 = 100.0;

pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Child {
    pub(crate) fn start(framework: &str, what: &str) -> Outcome<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", framework, what])
            .stdout(Stdio::piped())
            .spawn()?;
        let said = process.stdout.take().ok_or("it has an output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let (address, key) = line.trim().split_once(' ').ok_or("it did not start")?;
        Ok(Self {
            address: address.parse()?,
            key: key.to_owned(),
            process,
        })
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu_of(self.process.id())
    }

    /// Memory that is really there.
    pub(crate) fn resident_kib(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no size")?.parse()?)
    }
}

/// User and system time of a process so far.
pub(crate) fn cpu_of(process: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').ok_or("no name")?;
    // Behind the name: the state is the first field, `utime` the twelfth, `stime` the thirteenth.
    let fields = rest.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<f64>, _> = fields.map(str::parse).collect();
    let ticks: f64 = ticks?.iter().sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_A_SECOND))
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
