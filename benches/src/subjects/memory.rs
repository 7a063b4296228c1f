//! What remembering costs in memory, and what a request allocates. It is counted by an allocator,
//! which would slow everything else down: so by a program of its own, `weigh`.

use std::{collections::HashMap, env, fmt, process::Command, str::FromStr, sync::Arc};

use ps_apikey::{ApiKeyRecord, KeyPrefix};
use ps_core::KeyDigest;
use sha2::{Digest, Sha256};

use super::{cached, tokens};
use crate::{
    finding::{Finding, Target},
    plot::Plot,
    report::Report,
    stage::{
        at_once,
        keys::{Everything, Service, account, record, requester, room, texts},
    },
};

/// Of how many keys the memory is weighed.
const KEYS: usize = 1_000_000;
/// How often something is done whose allocations are counted.
const CALLS: usize = 100;

/// What `weigh` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// Live bytes for each key that [`Service`] remembers.
    pub ours: f64,
    /// The same for the same records in moka.
    pub moka: f64,
    /// And in a plain `HashMap`.
    pub plain: f64,
    /// Allocations to refuse a key by its shape, and by its checksum.
    pub refusing: f64,
    /// Allocations to verify a remembered key.
    pub verifying: f64,
    /// Allocations to verify a remembered access token.
    pub token: f64,
}

/// What a counting allocator tells of something that was done.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// How many allocations there were.
    pub allocations: u64,
    /// How many bytes more are in use than before.
    pub kept: i64,
}

impl Weights {
    /// Counts all of it; `count` does something and tells what an allocator has counted meanwhile.
    ///
    /// # Panics
    /// Where a key is refused.
    pub fn count(mut count: impl FnMut(&mut dyn FnMut()) -> Counted) -> Self {
        let texts = texts(KEYS);
        let mut service = None;
        let ours = count(&mut || service = Some(Service::remembering(&texts)));
        let mut keys = texts.iter().rev().take(100).cycle();
        let verifying = count(&mut || {
            for text in keys.by_ref().take(CALLS) {
                let service = service.as_ref().expect("made above");
                service.check(text);
            }
        });
        drop(service.take());

        let mut cache = None;
        let moka = count(&mut || cache = Some(in_moka(&texts)));
        drop(cache.take());
        let mut map = None;
        let plain = count(&mut || {
            let keys = texts.iter().map(|text| known(text));
            let keys = keys.map(|key| (key.digest, key));
            map = Some(keys.collect::<HashMap<KeyDigest, ApiKeyRecord>>());
        });
        drop(map.take());

        let service = Service::new(Arc::new(Everything::default()), 1_000);
        let (prefix, here, junk) = (KeyPrefix::default(), requester(), cached::junk());
        let refusing = count(&mut || {
            for text in junk.iter().cycle().take(CALLS) {
                assert!(prefix.digest(text).is_none());
                assert!(at_once(service.keys.authenticate(text, &here)).is_err());
            }
        });
        let mut verify = tokens::remembered();
        verify();
        let token = count(&mut || (0..CALLS).for_each(|_| verify()));
        let per_key = |counted: Counted| counted.kept as f64 / KEYS as f64;
        let per_call = |counted: Counted| counted.allocations as f64 / CALLS as f64;
        Self {
            ours: per_key(ours),
            moka: per_key(moka),
            plain: per_key(plain),
            refusing: per_call(refusing),
            verifying: per_call(verifying),
            token: per_call(token),
        }
    }
}

fn in_moka(texts: &[String]) -> moka::sync::Cache<KeyDigest, Arc<ApiKeyRecord>> {
    let cache = moka::sync::Cache::new(room(KEYS) as u64);
    for (number, text) in texts.iter().enumerate() {
        let record = known(text);
        cache.insert(record.digest, Arc::new(record));
        if number % 100 == 0 {
            cache.run_pending_tasks();
        }
    }
    cache.run_pending_tasks();
    assert_eq!(cache.entry_count(), KEYS as u64, "none was driven out");
    cache
}

fn known(text: &str) -> ApiKeyRecord {
    let digest = KeyDigest::from_bytes(Sha256::digest(text).into());
    record(digest, &account(0))
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ours,
            moka,
            plain,
            refusing,
            verifying,
            token,
        } = self;
        write!(f, "{ours} {moka} {plain} {refusing} {verifying} {token}")
    }
}

impl FromStr for Weights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_whitespace().map(str::parse::<f64>);
        let numbers: Vec<f64> = numbers
            .collect::<Result<_, _>>()
            .map_err(|e| e.to_string())?;
        match numbers[..] {
            [ours, moka, plain, refusing, verifying, token] => Ok(Self {
                ours,
                moka,
                plain,
                refusing,
                verifying,
                token,
            }),
            _ => Err(format!("these are no weights: {text}")),
        }
    }
}

/// Lets cargo build and run `weigh`.
fn weigh() -> Result<Weights, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "benches",
            "--bin",
            "weigh",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8_lossy(&output.stdout).parse()
}

pub(super) fn report(report: &mut Report) {
    let weights = match weigh() {
        Ok(weights) => weights,
        Err(why) => return report.skip("memory", &why),
    };
    let counted =
        |path, what, most, number| Finding::number(path, what, Target::AtMost(most), number);
    let Weights {
        ours,
        moka,
        plain,
        refusing,
        verifying,
        token,
    } = weights;
    let path = "memory of a remembered key, 10⁶ keys";
    report.find(counted(path, "bytes of live heap", 320.0, ours.round()));
    report.find(counted(
        path,
        "times moka with the same record",
        0.7,
        ours / moka,
    ));
    report.find(counted("refuse a key", "allocations", 0.0, refusing));
    report.find(counted(
        "verify a remembered key",
        "allocations",
        0.0,
        verifying,
    ));
    let path = "verify a remembered access token";
    report.find(counted(path, "allocations", 2.0, token));
    let bars = [
        ("ApiKeys", ours),
        ("moka", moka),
        ("HashMap, without a bound", plain),
    ];
    let bars = bars.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec();
    let title = "Memory of a remembered key, one of 10⁶";
    report.draw(Plot::bars("memory", title, "bytes", bars));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_survive_their_text() {
        let weights = Weights {
            ours: 301.5,
            moka: 640.0,
            plain: 333.0,
            refusing: 0.0,
            verifying: 0.01,
            token: 2.0,
        };
        assert_eq!(weights.to_string().parse(), Ok(weights));
        assert!("1 2 3".parse::<Weights>().is_err());
    }
}
