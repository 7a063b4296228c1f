//! Instructions, counted by Valgrind: the same today and tomorrow, however busy the machine is.

use std::{
    env,
    process::{Command, Stdio},
};

use libtest_mimic::Failed;

const ACT: &str = "PS_COSTS_ACT";
const TIMES: &str = "PS_COSTS_TIMES";

/// What this process is to do, where it runs under Valgrind.
pub(crate) fn asked() -> Option<(String, u64)> {
    let times = env::var(TIMES).ok()?.parse().ok()?;
    Some((env::var(ACT).ok()?, times))
}

pub(crate) fn is_there() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// How many instructions a process takes that does `act` so many times more than once.
pub(crate) fn count(act: &str, times: u64) -> Result<u64, Failed> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .env(ACT, act)
        .env(TIMES, times.to_string())
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, number)| number.trim().parse().ok());
    match collected {
        Some(number) if output.status.success() => Ok(number),
        _ => Err(format!("valgrind did not count: {told}").into()),
    }
}
