//! The tables, in Markdown.

use std::{fmt::Write, fs, time::Duration};

use super::{Group, Measured, Options, Sample};
use crate::Outcome;

/// Of several rounds: the middle one, the least and the most.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub(super) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (first, last) = (values.first(), values.last());
        Self {
            median: values.get(values.len() / 2).copied().unwrap_or(f64::NAN),
            least: first.copied().unwrap_or(f64::NAN),
            most: last.copied().unwrap_or(f64::NAN),
        }
    }
}

pub(super) fn of(measured: &Measured, what: fn(&Sample) -> f64) -> Spread {
    Spread::of(measured.samples.iter().map(what).collect())
}

/// Each round divided by the same round of the yardstick.
fn ratio(measured: &Measured, yardstick: &Measured, what: fn(&Sample) -> f64) -> Spread {
    let pairs = measured.samples.iter().zip(&yardstick.samples);
    Spread::of(pairs.map(|(one, other)| what(one) / what(other)).collect())
}

/// Where and how this run was made.
pub(super) fn conditions(options: &Options) -> Outcome<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model
        .and_then(|rest| rest.split_once(": "))
        .map_or("", |(_, name)| name);
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or("?");
    let (rounds, seconds) = (options.rounds, options.span.as_secs_f64());
    Ok(format!(
        "{model}; load average {load} at the start; {rounds} interleaved rounds of {seconds} s, \
         {} connections.",
        super::CONNECTIONS
    ))
}

pub(super) fn table(group: &Group, measured: &[Measured]) -> String {
    let mut text = format!(
        "### {}\n\n\
         | what | requests/s | × bare | CPU µs a request | × bare | p50 ms | p99 ms | peak MB |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
        group.name
    );
    let yardstick = &measured[0];
    for (target, measured) in group.targets.iter().zip(measured) {
        let rate = of(measured, |sample| sample.a_second).median;
        let rates = ratio(measured, yardstick, |sample| sample.a_second);
        let cpu = of(measured, |sample| sample.cpu).median;
        let cpus = ratio(measured, yardstick, |sample| sample.cpu);
        let p50 = of(measured, |sample| milliseconds(sample.median)).median;
        let p99 = of(measured, |sample| milliseconds(sample.p99)).median;
        let memory = measured.peak_memory as f64 / 1e6;
        let _ = writeln!(
            text,
            "| {} | {rate:.0} | {} | {cpu:.1} | {} | {p50:.2} | {p99:.2} | {memory:.1} |",
            target.name,
            said(rates),
            said(cpus)
        );
    }
    text
}

/// Rows are targets, columns are numbers of connections.
pub(super) fn curves(group: &Group, connections: &[usize], measured: &[Vec<Measured>]) -> String {
    let heads: Vec<String> = connections.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "### {}\n\nRequests a second, and CPU µs a request.\n\n| what | {} |\n|---|{}\n",
        group.name,
        heads.join(" | "),
        "--:|".repeat(connections.len())
    );
    for (place, target) in group.targets.iter().enumerate() {
        let _ = write!(text, "| {} |", target.name);
        for measured in measured {
            let rate = of(&measured[place], |sample| sample.a_second).median;
            let cpu = of(&measured[place], |sample| sample.cpu).median;
            let _ = write!(text, " {rate:.0} · {cpu:.1} |");
        }
        text.push('\n');
    }
    text
}

fn said(ratio: Spread) -> String {
    let Spread {
        median,
        least,
        most,
    } = ratio;
    format!("{median:.2} ({least:.2}–{most:.2})")
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
