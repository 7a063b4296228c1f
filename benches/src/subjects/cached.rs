//! API keys as a request meets them, where no store is asked: refused junk, remembered keys.

use std::{collections::HashMap, hint::black_box, sync::Arc};

use ps_apikey::{ApiKeyRecord, KeyPrefix};
use ps_core::KeyDigest;
use sha2::{Digest, Sha256};

use super::lookup::extend;
use crate::{
    finding::{Finding, Target},
    plot::{Line, Plot},
    race::{Lane, race},
    report::Report,
    stage::{
        at_once,
        keys::{Everything, Service, Sought, account, record, requester, texts},
    },
};

/// Texts that are no key by their shape: another prefix, another length, a foreign character, a JWT.
fn misshapen() -> Vec<String> {
    let key = texts(1).remove(0);
    vec![
        format!("sk_{}", &key[3..]),
        key[..40].to_owned(),
        format!("{}-", &key[..40]),
        "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwcyJ9.c2lnbmF0dXJl".to_owned(),
    ]
}

/// A key in all but its checksum.
fn mistyped() -> String {
    let mut key = texts(1).remove(0);
    let last = if key.pop() == Some('0') { '1' } else { '0' };
    key.push(last);
    key
}

/// All kinds of junk.
pub(super) fn junk() -> Vec<&'static str> {
    let all = misshapen().into_iter().chain([mistyped()]);
    all.map(|text| &*text.leak()).collect()
}

/// Refusing junk beside one SHA-256.
#[must_use]
pub fn refusals() -> Vec<Lane<'static>> {
    let (key, prefix) = (texts(1).remove(0), KeyPrefix::default());
    let (junk, other, mistyped, again) = (misshapen(), misshapen(), mistyped(), mistyped());
    let mut place = 0;
    let mut turn = 0;
    let parse = prefix.clone();
    let store = Arc::new(Everything::default());
    let service = Service::new(store, 1_000);
    let whole = Service::new(Arc::new(Everything::default()), 1_000);
    let here = requester();
    let there = requester();
    vec![
        Lane::cpu("SHA-256 of 41 bytes", move || {
            Sha256::digest(black_box(&key))
        }),
        Lane::cpu("parse: wrong shape", move || {
            place = (place + 1) % 4;
            assert!(prefix.digest(black_box(&junk[place])).is_none());
        }),
        Lane::cpu("parse: bad checksum", move || {
            assert!(parse.digest(black_box(&mistyped)).is_none());
        }),
        Lane::cpu("the whole call: wrong shape", move || {
            turn = (turn + 1) % 4;
            assert!(at_once(service.keys.authenticate(black_box(&other[turn]), &here)).is_err());
        }),
        Lane::cpu("the whole call: bad checksum", move || {
            assert!(at_once(whole.keys.authenticate(black_box(&again), &there)).is_err());
        }),
    ]
}

/// Remembered keys.
#[derive(Debug)]
pub struct Remembered {
    sought: Sought,
    service: Service,
    plain: HashMap<KeyDigest, ApiKeyRecord>,
}

impl Remembered {
    /// So many.
    #[must_use]
    pub fn new(how_many: usize) -> Self {
        let texts = texts(how_many);
        let service = Service::remembering(&texts);
        let own = |(number, text): (usize, &String)| {
            let digest = KeyDigest::from_bytes(Sha256::digest(text).into());
            (digest, record(digest, &account(number)))
        };
        let plain = texts.iter().enumerate().map(own).collect();
        Self {
            sought: Sought::new(&texts),
            service,
            plain,
        }
    }

    /// A hash alone, a hash and a plain map, and the whole call.
    #[must_use]
    pub fn lanes(&self) -> Vec<Lane<'_>> {
        let alone = self.sought.each(|text| u64::from(Sha256::digest(text)[0]));
        let plain = self.sought.each(|text| {
            let digest = KeyDigest::from_bytes(Sha256::digest(text).into());
            let expires_at = self.plain[&digest].expires_at;
            expires_at.map_or(0, |end| end.as_millis() as u64)
        });
        let ours = self.sought.each(|text| self.service.check(text));
        let trust = || self.service.keep_trusting();
        vec![
            Lane::cpu("SHA-256", alone),
            Lane::cpu("SHA-256, HashMap without a lock", plain),
            Lane::cpu_after("ApiKeys::authenticate, require", trust, ours),
        ]
    }
}

pub(super) fn report(report: &mut Report) {
    let timed = race(refusals());
    let note = "The call reads the clock and tells its outcome to nobody; parsing is what a key costs \
        before it is one.";
    report.compare("Refusing junk", note, &timed);
    let sha = "SHA-256 of 41 bytes";
    let shape = timed[1].over(&timed[0]);
    report.find(Finding::ratio(
        "refuse a key, wrong shape",
        sha,
        Target::AtMost(0.1),
        shape,
    ));
    let checksum = timed[2].over(&timed[0]);
    report.find(Finding::ratio(
        "refuse a key, bad checksum",
        sha,
        Target::AtMost(0.75),
        checksum,
    ));

    let mut curves: Vec<Line> = Vec::new();
    let mut ours = Vec::new();
    for (keys, name) in [
        (1_000, "10³"),
        (10_000, "10⁴"),
        (100_000, "10⁵"),
        (1_000_000, "10⁶"),
    ] {
        let stage = Remembered::new(keys);
        let timed = race(stage.lanes());
        let note =
            "The whole call: parse, hash, look up, revocation, expiry, address, last use, scope.";
        report.compare(&format!("A remembered key, one of {name}"), note, &timed);
        extend(&mut curves, keys, &timed);
        if keys == 1_000 {
            let ratio = timed[2].over(&timed[0]);
            let path = "verify a remembered key, 10³ keys";
            report.find(Finding::ratio(path, sha, Target::AtMost(3.0), ratio));
        }
        if keys == 1_000_000 {
            let ratio = timed[2].over(&timed[1]);
            let by = "SHA-256 and a hit in a plain HashMap of the same size";
            let path = "verify a remembered key, 10⁶ keys";
            report.find(Finding::ratio(path, by, Target::AtMost(1.25), ratio));
        }
        ours.push(timed[2].nanos().median);
    }
    let growth = ours[ours.len() - 1] / ours[0];
    let path = "verify a remembered key, 10⁶ keys";
    report.find(Finding::number(
        path,
        "times the same at 10³",
        Target::AtMost(10.0),
        growth,
    ));
    report.draw(Plot::lines(
        "cached",
        "Verifying a remembered key, by the number of keys",
        "ns",
        "keys",
        curves,
    ));
    let store = Arc::new(Everything::default());
    let service = Service::new(store.clone(), 1_000);
    service.keep_trusting();
    let texts = texts(100);
    for _ in 0..100 {
        let _ends: u64 = texts
            .iter()
            .map(|text| service.check(text))
            .max()
            .unwrap_or(0);
    }
    service.keep_trusting();
    let rows = store.touched() as f64 / texts.len() as f64;
    let path = "last uses written, of each of 100 keys checked 100 times within a minute";
    report.find(Finding::number(path, "rows", Target::AtMost(1.0), rows));
}
