//! From a key's text to what is known of it, in the maps and caches that could remember it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher},
    sync::{Arc, RwLock},
    thread,
    time::Duration,
};

use quick_cache::{OptionsBuilder, UnitWeighter};
use sha2::{Digest, Sha256};

use crate::{
    plot::{Line, Plot},
    race::{Lane, Timed, race, wall},
    report::Report,
    stage::keys::{self, Sought, room, texts},
};

/// What is remembered of a key, as far as these measurements look at it.
type Known = Arc<(i64, [u8; 88])>;
type Digested = [u8; 32];

/// Something that finds what is known by a digest, from several threads.
pub trait Finds: Send + Sync + 'static {
    /// What it is called.
    const NAME: &'static str;

    /// Holding these.
    fn holding(known: &[(Digested, Known)]) -> Self;

    /// The first part of what is known.
    fn find(&self, digest: &Digested) -> Option<i64>;
}

/// A digest is random already: eight of its bytes are its hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestBits;

impl BuildHasher for DigestBits {
    type Hasher = FirstEight;

    fn build_hasher(&self) -> FirstEight {
        FirstEight(0)
    }
}

/// Takes the first eight bytes that it is given.
#[derive(Clone, Copy, Debug)]
pub struct FirstEight(u64);

impl Hasher for FirstEight {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Finds for HashMap<Digested, Known> {
    const NAME: &'static str = "HashMap, no lock";

    fn holding(known: &[(Digested, Known)]) -> Self {
        known.iter().cloned().collect()
    }

    fn find(&self, digest: &Digested) -> Option<i64> {
        self.get(digest).map(|known| known.0)
    }
}

impl Finds for RwLock<HashMap<Digested, Known, DigestBits>> {
    const NAME: &'static str = "HashMap behind an RwLock, digest bits";

    fn holding(known: &[(Digested, Known)]) -> Self {
        Self::new(known.iter().cloned().collect())
    }

    fn find(&self, digest: &Digested) -> Option<i64> {
        let map = self.read().expect("nobody panics");
        map.get(digest).map(|known| known.0)
    }
}

impl Finds for papaya::HashMap<Digested, Known, DigestBits> {
    const NAME: &'static str = "papaya, digest bits";

    fn holding(known: &[(Digested, Known)]) -> Self {
        known.iter().cloned().collect()
    }

    fn find(&self, digest: &Digested) -> Option<i64> {
        self.pin().get(digest).map(|known| known.0)
    }
}

impl Finds for quick_cache::sync::Cache<Digested, Known, UnitWeighter, DigestBits> {
    const NAME: &'static str = "quick_cache, digest bits";

    fn holding(known: &[(Digested, Known)]) -> Self {
        let room = room(known.len());
        let options = OptionsBuilder::new()
            .estimated_items_capacity(room)
            .weight_capacity(room as u64)
            .build()
            .expect("both capacities are given");
        let cache = Self::with_options(options, UnitWeighter, DigestBits, Default::default());
        for (digest, known) in known {
            cache.insert(*digest, Arc::clone(known));
        }
        cache
    }

    fn find(&self, digest: &Digested) -> Option<i64> {
        self.get(digest).map(|known| known.0)
    }
}

impl Finds for moka::sync::Cache<Digested, Known, DigestBits> {
    const NAME: &'static str = "moka, digest bits";

    fn holding(known: &[(Digested, Known)]) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(room(known.len()) as u64)
            .build_with_hasher(DigestBits);
        for (digest, known) in known {
            cache.insert(*digest, Arc::clone(known));
        }
        cache.run_pending_tasks();
        cache
    }

    fn find(&self, digest: &Digested) -> Option<i64> {
        self.get(digest).map(|known| known.0)
    }
}

/// Keys that are looked for, and what is known of them.
#[derive(Debug)]
pub struct Keys {
    sought: Sought,
    strangers: Sought,
    known: Vec<(Digested, Known)>,
}

impl Keys {
    /// So many.
    #[must_use]
    pub fn new(how_many: usize) -> Self {
        let texts = texts(how_many);
        let known = texts
            .iter()
            .map(|text| (digest(text), Arc::new((1, [0; 88]))));
        Self {
            known: known.collect(),
            sought: Sought::new(&texts),
            strangers: Sought::new(&keys::texts(how_many.min(100_000))),
        }
    }

    /// A lane for each map: with `hit` for keys that it holds, else for others.
    #[must_use]
    pub fn lanes(&self, hit: bool, threads: usize) -> Vec<Lane<'_>> {
        vec![
            self.lane::<HashMap<Digested, Known>>(hit, threads),
            self.lane::<RwLock<HashMap<Digested, Known, DigestBits>>>(hit, threads),
            self.lane::<papaya::HashMap<Digested, Known, DigestBits>>(hit, threads),
            self.lane::<quick_cache::sync::Cache<Digested, Known, UnitWeighter, DigestBits>>(
                hit, threads,
            ),
            self.lane::<moka::sync::Cache<Digested, Known, DigestBits>>(hit, threads),
        ]
    }

    fn lane<M: Finds>(&self, hit: bool, threads: usize) -> Lane<'_> {
        let map = M::holding(&self.known);
        let sought = if hit { &self.sought } else { &self.strangers };
        let look = move |text: &str| {
            let found = map.find(&digest(text));
            assert_eq!(found.is_some(), hit);
            found.unwrap_or_default() as u64
        };
        if threads == 1 {
            return Lane::cpu(M::NAME, sought.each(look));
        }
        Lane::new(M::NAME, move |times| {
            together(threads, times, |times| {
                let mut next = sought.each(&look);
                (0..times).for_each(|_| next());
            })
        })
    }
}

/// Lets some threads do a part each; how long that took by the wall clock.
fn together(threads: usize, times: u64, part: impl Fn(u64) + Sync) -> Duration {
    let each = times.div_ceil(threads as u64);
    let start = wall();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| part(each));
        }
    });
    start.elapsed()
}

fn digest(text: &str) -> Digested {
    Sha256::digest(text).into()
}

pub(super) fn report(report: &mut Report) {
    let mut curves: Vec<Line> = Vec::new();
    for (keys, name) in [(1_000, "10³"), (100_000, "10⁵"), (1_000_000, "10⁶")] {
        let stage = Keys::new(keys);
        let hits = found(report, &stage, name, 1);
        extend(&mut curves, keys, &hits);
        let misses = race(stage.lanes(false, 1));
        report.compare(&format!("{name} keys, not found"), ONE, &misses);
        found(report, &stage, name, 2);
    }
    report.draw(Plot::lines(
        "lookup",
        "SHA-256 and a hit, by the number of keys",
        "ns",
        "keys",
        curves,
    ));
}

/// More keys than a usual run has time and memory for: some minutes, and 9 GB.
pub(super) fn report_large(report: &mut Report) {
    let stage = Keys::new(10_000_000);
    for threads in [1, 2] {
        found(report, &stage, "10⁷", threads);
    }
}

const ONE: &str = "SHA-256 of the key and a look for it, one thread, processor time.";
const TWO: &str = "The same on two threads at once, wall time: twice as quick at best.";

fn found(report: &mut Report, stage: &Keys, name: &str, threads: usize) -> Vec<Timed> {
    let (note, more) = match threads {
        1 => (ONE, ""),
        _ => (TWO, ", two threads"),
    };
    let hits = race(stage.lanes(true, threads));
    report.compare(&format!("{name} keys, found{more}"), note, &hits);
    hits
}

/// Adds a point to each lane's curve.
pub(super) fn extend(curves: &mut Vec<Line>, across: usize, timed: &[Timed]) {
    for each in timed {
        let point = (across as f64, each.nanos().median);
        match curves.iter_mut().find(|line| line.name == each.name) {
            Some(line) => line.points.push(point),
            None => curves.push(Line {
                name: each.name.clone(),
                points: vec![point],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds<M: Finds>(keys: &Keys) {
        let map = M::holding(&keys.known);
        let found = |texts: &Sought| {
            let places = 0..texts.count();
            let found = places.filter(|place| map.find(&digest(texts.at(*place))).is_some());
            found.count()
        };
        assert_eq!(found(&keys.sought), 1_000, "{}", M::NAME);
        assert_eq!(found(&keys.strangers), 0, "{}", M::NAME);
    }

    #[test]
    fn every_map_holds_its_keys_and_no_others() {
        let keys = Keys::new(1_000);
        holds::<HashMap<Digested, Known>>(&keys);
        holds::<RwLock<HashMap<Digested, Known, DigestBits>>>(&keys);
        holds::<papaya::HashMap<Digested, Known, DigestBits>>(&keys);
        holds::<quick_cache::sync::Cache<Digested, Known, UnitWeighter, DigestBits>>(&keys);
        holds::<moka::sync::Cache<Digested, Known, DigestBits>>(&keys);
    }
}
