//! API keys that are not remembered: one read, shared and batched, on each store.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Argon2;
use futures_util::future::join_all;
use ps_core::{AccountVersion, Clock, KeyDigest, SystemClock};
use sha2::{Digest, Sha256};
use tokio::sync::Barrier;

use super::lookup::extend;
use crate::{
    finding::{Finding, Target},
    plot::Plot,
    race::{Lane, Timed, race},
    report::Report,
    stage::{
        databases::{Backend, Bare, Place},
        keys::{Everything, Service, account, record, requester, texts},
    },
};

/// How many keys there are, and how few of them are remembered: when one comes again, it has long
/// been forgotten.
const KEYS: usize = 5_000;
const ROOM: usize = 100;
const CALLERS: usize = 64;

/// A store full of keys, and a service that remembers hardly any.
#[derive(Debug)]
pub struct Stage<'a> {
    backend: &'a Backend,
    service: Arc<Service>,
    texts: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
}

impl<'a> Stage<'a> {
    /// Fills it.
    ///
    /// # Panics
    /// Where the store fails.
    #[must_use]
    pub fn on(backend: &'a Backend) -> Self {
        let texts = texts(KEYS);
        let insert = |(number, text): (usize, &String)| {
            let digest = KeyDigest::from_bytes(Sha256::digest(text).into());
            let key = record(digest, &account(number / 25));
            let store = Arc::clone(&backend.ports.keys);
            async move {
                let under = AccountVersion::default();
                let inserted = store.insert(&key, under, 25, SystemClock.now()).await;
                inserted.expect("room for it");
            }
        };
        let all = Vec::from_iter(texts.iter().enumerate());
        for some in all.chunks(CALLERS) {
            let some = some.iter().copied().map(insert);
            backend.runtime.block_on(join_all(some));
        }
        Self {
            backend,
            service: Arc::new(Service::new(Arc::clone(&backend.ports.keys), ROOM)),
            texts: Arc::new(texts),
            next: Arc::default(),
        }
    }

    /// Ours, and the bare query where there is one, by so many callers.
    #[must_use]
    pub fn lanes(&self, callers: usize) -> Vec<Lane<'static>> {
        let mut lanes = vec![self.ours(callers)];
        let bare = self.backend.bare.as_ref();
        lanes.extend(bare.map(|bare| self.bare(bare, callers)));
        if callers > 1 {
            lanes = lanes.into_iter().map(|lane| lane.times(6_400)).collect();
        }
        lanes
    }

    /// The whole call, by so many callers.
    fn ours(&self, callers: usize) -> Lane<'static> {
        let (service, texts, next) = (
            Arc::clone(&self.service),
            Arc::clone(&self.texts),
            Arc::clone(&self.next),
        );
        let act = move |_| {
            let (service, texts) = (Arc::clone(&service), Arc::clone(&texts));
            let place = next.fetch_add(1, Ordering::Relaxed) % KEYS;
            async move {
                let here = requester();
                let caller = service.keys.authenticate(&texts[place], &here).await;
                caller.expect("a live key");
            }
        };
        let (service, runtime) = (Arc::clone(&self.service), Arc::clone(&self.backend.runtime));
        let trust = move || runtime.block_on(service.keep_trusting_in_time());
        lane(self.backend, "ApiKeys::authenticate", callers, trust, act)
    }

    /// One statement, by so many callers.
    fn bare(&self, bare: &Bare, callers: usize) -> Lane<'static> {
        let act = self.with_digests(bare, |bare, digest| async move {
            bare.find_key(&digest).await;
        });
        lane(self.backend, "one bare query", callers, || (), act)
    }

    /// What many do: read the row, and write its last use before the request goes on.
    fn writing(&self, bare: &Bare, callers: usize) -> Lane<'static> {
        let act = self.with_digests(bare, |bare, digest| async move {
            let id = bare.find_key(&digest).await;
            bare.touch_key(&id, SystemClock.now()).await;
        });
        let name = "a bare query and a write of the last use";
        lane(self.backend, name, callers, || (), act)
    }

    /// What others do: find rows by a part of the key that is stored in clear, and compare a slow
    /// hash with each.
    fn hashing(&self, bare: &Bare, candidates: usize) -> Lane<'static> {
        let act = self.with_digests(bare, move |bare, digest| async move {
            for _ in 0..candidates {
                bare.find_key(&digest).await;
                let mut hash = [0; 32];
                let hashed =
                    Argon2::default().hash_password_into(&digest, b"a salt of 16 byt", &mut hash);
                hashed.expect("valid parameters");
            }
        });
        let name = format!("bare queries and argon2id, {candidates} candidate rows");
        lane(self.backend, &name, 1, || (), act).times(1)
    }

    fn with_digests<D>(
        &self,
        bare: &Bare,
        then: impl Fn(Bare, [u8; 32]) -> D + Clone + Send + 'static,
    ) -> impl Fn(usize) -> D + Clone + Send + 'static
    where
        D: Future<Output = ()> + Send,
    {
        let digests = self.texts.iter().map(|text| Sha256::digest(text).into());
        let digests: Arc<Vec<[u8; 32]>> = Arc::new(digests.collect());
        let (bare, next) = (bare.clone(), Arc::clone(&self.next));
        move |_| {
            let place = next.fetch_add(1, Ordering::Relaxed) % KEYS;
            then(bare.clone(), digests[place])
        }
    }
}

/// One caller is timed by what is typical, several by how long all take together.
pub(super) fn lane<F, D>(
    backend: &Backend,
    name: &str,
    callers: usize,
    mut before: impl FnMut() + 'static,
    act: F,
) -> Lane<'static>
where
    F: Fn(usize) -> D + Clone + Send + 'static,
    D: Future<Output = ()> + Send,
{
    if callers == 1 {
        let mut run = backend.in_turn(act);
        return Lane::typical(name, move |times| {
            before();
            run(times)
        });
    }
    let mut run = backend.at_once(callers, act);
    Lane::new(name, move |times| {
        before();
        run(times)
    })
}

pub(super) fn report(report: &mut Report) {
    let place = Place::default();
    let mut curves = Vec::new();
    for backend in place.backends(report) {
        let stage = Stage::on(&backend);
        let one = measure(&stage, 1);
        show(report, &backend, 1, &one);
        let many = measure(&stage, CALLERS);
        show(report, &backend, CALLERS, &many);
        if let Some(bare) = &backend.bare {
            let path = format!("verify a key not remembered, {}", backend.name);
            let by = "one bare sqlx query, p50";
            let ratio = one[0].over(&one[1]);
            report.find(Finding::ratio(&path, by, Target::AtMost(1.2), ratio));
            let by = "operations a second of bare queries";
            let ratio = many[1].over(&many[0]);
            let path = format!("{path}, 64 callers with different keys");
            report.find(Finding::ratio(path, by, Target::AtLeast(5.0), ratio));
            for callers in [4, 16] {
                let timed = measure(&stage, callers);
                extend(&mut curves, callers, &named(&backend, &timed));
            }
            extend(&mut curves, 1, &named(&backend, &one));
            extend(&mut curves, CALLERS, &named(&backend, &many));
            usual(report, &stage, bare);
        }
    }
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        // From nanoseconds an operation to operations a second.
        for (_, nanos) in &mut curve.points {
            *nanos = 1e9 / *nanos;
        }
    }
    if !curves.is_empty() {
        let title = "Keys that are not remembered, by concurrent callers";
        report.draw(Plot::lines("uncached", title, "op/s", "callers", curves));
    }
    report.find(shared());
}

fn measure(stage: &Stage<'_>, callers: usize) -> Vec<Timed> {
    race(stage.lanes(callers))
}

fn show(report: &mut Report, backend: &Backend, callers: usize, timed: &[Timed]) {
    let note = if callers == 1 {
        "One caller; what a call typically takes (p50, wall time)."
    } else {
        "64 callers at once; wall time for each call of all."
    };
    let title = format!("A key that is not remembered, {}", backend.name);
    report.compare(&title, note, timed);
}

fn usual(report: &mut Report, stage: &Stage<'_>, bare: &Bare) {
    let timed = race(vec![
        stage.ours(1),
        stage.writing(bare, 1),
        stage.hashing(bare, 1),
        stage.hashing(bare, 3),
    ]);
    let note = "One caller, p50, wall time; none of these keys is remembered by ours either.";
    report.compare(
        &format!("The usual designs, {}", stage.backend.name),
        note,
        &timed,
    );
}

fn named(backend: &Backend, timed: &[Timed]) -> Vec<Timed> {
    let named = timed.iter().map(|each| Timed {
        name: format!("{}: {}", backend.name, each.name),
        rounds: each.rounds.clone(),
    });
    named.collect()
}

/// 64 callers come with one key at the same moment: how many queries that is.
fn shared() -> Finding {
    let store = Arc::new(Everything::default());
    let service = Arc::new(Service::new(store.clone(), ROOM));
    let runtime = crate::stage::databases::memory().runtime;
    runtime.block_on(async {
        service.keep_trusting_in_time().await;
        let (text, start) = (
            Arc::new(texts(1).remove(0)),
            Arc::new(Barrier::new(CALLERS)),
        );
        let calls = (0..CALLERS).map(|_| {
            let (service, text) = (Arc::clone(&service), Arc::clone(&text));
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                let caller = service.keys.authenticate(&text, &requester()).await;
                caller.expect("a live key");
            })
        });
        join_all(Vec::from_iter(calls)).await;
    });
    let path = "verify one key that is not remembered, 64 callers";
    Finding::number(path, "queries", Target::AtMost(1.0), store.finds() as f64)
}
