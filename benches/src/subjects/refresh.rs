//! Refresh tokens: carrying sessions on, and refusing forged ones.

use std::{
    hint::black_box,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use futures_util::future::join_all;
use ps_core::{Clock, SystemClock};

use super::{
    hashing::{prepared, tag},
    lookup::extend,
    uncached::lane,
};
use crate::{
    finding::{Finding, Target},
    plot::{Line, Plot},
    race::{Lane, Timed, race},
    report::Report,
    stage::{
        at_once,
        databases::{Backend, Bare, Place, memory},
        keys::account,
        sessions::{Service, browser},
    },
};

const CALLERS: usize = 64;

/// Refusing a token that was made up, beside the MAC that finds it out.
#[must_use]
pub fn forged() -> Vec<Lane<'static>> {
    let backend = memory();
    let service = Service::new(&backend.ports);
    let opened = at_once(service.sign_in(&account(0)));
    let mut forged = opened.refresh.expose().to_owned();
    // The last characters but one belong to the MAC.
    let changed = if forged.ends_with('A') { "BA" } else { "AA" };
    forged.replace_range(forged.len() - 6..forged.len() - 4, changed);
    let prepared = prepared();
    vec![
        Lane::cpu("HMAC-SHA256 of 41 bytes, its key prepared", move || {
            tag(&prepared, black_box(&[1; 41]))
        }),
        Lane::cpu("Sessions::read_refresh of a forged token", move || {
            assert!(service.sessions.read_refresh(black_box(&forged)).is_err());
        }),
    ]
}

/// Sessions on a store, one for each caller, and as many rows for the bare statement.
#[derive(Debug)]
pub struct Stage<'a> {
    backend: &'a Backend,
    service: Arc<Service>,
    /// What each caller's client keeps.
    tokens: Arc<Vec<Mutex<String>>>,
    /// The rows that the bare statement moves on, and where they are.
    rows: Arc<Vec<([u8; 32], AtomicI64)>>,
}

impl<'a> Stage<'a> {
    /// Signs them in.
    #[must_use]
    pub fn on(backend: &'a Backend) -> Self {
        let service = Arc::new(Service::new(&backend.ports));
        let accounts = Vec::from_iter((0..2 * CALLERS).map(account));
        let opened = accounts.iter().map(|account| service.sign_in(account));
        let mut opened = backend.runtime.block_on(join_all(opened));
        let rows = opened.split_off(CALLERS).into_iter().map(|open| {
            let at = i64::from(open.record.generation);
            (*open.record.family.as_bytes(), AtomicI64::new(at))
        });
        let tokens = opened
            .iter()
            .map(|open| Mutex::new(open.refresh.expose().to_owned()));
        Self {
            backend,
            tokens: Arc::new(tokens.collect()),
            rows: Arc::new(rows.collect()),
            service,
        }
    }

    fn ours(&self, callers: usize) -> Lane<'static> {
        let (service, tokens) = (Arc::clone(&self.service), Arc::clone(&self.tokens));
        let act = move |caller: usize| {
            let (service, tokens) = (Arc::clone(&service), Arc::clone(&tokens));
            async move {
                let text = tokens[caller]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let token = service.sessions.read_refresh(&text).expect("our token");
                let carried = service.sessions.refresh(&token, None, &browser()).await;
                let next = carried.expect("a live session").refresh.expose().to_owned();
                *tokens[caller]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = next;
            }
        };
        lane(self.backend, "read_refresh, refresh", callers, || (), act)
    }

    fn bare(&self, bare: &Bare, callers: usize) -> Lane<'static> {
        let (bare, rows) = (bare.clone(), Arc::clone(&self.rows));
        let act = move |caller: usize| {
            let (bare, rows) = (bare.clone(), Arc::clone(&rows));
            async move {
                let (family, generation) = &rows[caller];
                let at = generation.fetch_add(1, Ordering::Relaxed);
                bare.advance(family, at, SystemClock.now()).await;
            }
        };
        lane(
            self.backend,
            "one bare conditional UPDATE",
            callers,
            || (),
            act,
        )
    }

    /// Ours, and the bare statement where there is one, by so many callers.
    #[must_use]
    pub fn lanes(&self, callers: usize) -> Vec<Lane<'static>> {
        let mut lanes = vec![self.ours(callers)];
        let bare = self.backend.bare.as_ref();
        lanes.extend(bare.map(|bare| self.bare(bare, callers)));
        let times = if callers == 1 { 100 } else { 1_280 };
        lanes.into_iter().map(|lane| lane.times(times)).collect()
    }

    fn measure(&self, callers: usize) -> Vec<Timed> {
        race(self.lanes(callers))
    }
}

pub(super) fn report(report: &mut Report) {
    let timed = race(forged());
    report.compare("A forged refresh token", "No store is asked.", &timed);
    let ratio = timed[1].over(&timed[0]);
    let by = "HMAC-SHA256, its key prepared";
    let target = Target::AtMost(4.0);
    report.find(Finding::ratio(
        "refuse a forged refresh token",
        by,
        target,
        ratio,
    ));

    let place = Place::default();
    let mut curves: Vec<Line> = Vec::new();
    for backend in place.backends(report) {
        let name = backend.name;
        let stage = Stage::on(&backend);
        let one = stage.measure(1);
        let note = "One caller; p50, wall time. Ours reads the token, moves the row on, makes the \
            next token and signs an access token.";
        report.compare(&format!("Carrying a session on, {name}"), note, &one);
        let many = stage.measure(CALLERS);
        let note = "64 callers at once; wall time for each of all.";
        report.compare(&format!("Carrying sessions on, {name}"), note, &many);
        if backend.bare.is_none() {
            continue;
        }
        let by = "one bare conditional UPDATE, p50";
        let ratio = one[0].over(&one[1]);
        let path = format!("carry a session on, {name}");
        report.find(Finding::ratio(&path, by, Target::AtMost(1.3), ratio));
        if name == "SQLite" {
            let by = "operations a second of bare UPDATEs, a transaction each";
            let ratio = many[1].over(&many[0]);
            let path = format!("{path}, 64 callers");
            report.find(Finding::ratio(path, by, Target::AtLeast(3.0), ratio));
        }
        let sixteen = stage.measure(16);
        for (callers, timed) in [(1, one), (16, sixteen), (CALLERS, many)] {
            let named = timed.into_iter().map(|each| Timed {
                name: format!("{name}: {}", each.name),
                rounds: each.rounds.iter().map(|nanos| 1e9 / nanos).collect(),
            });
            extend(&mut curves, callers, &Vec::from_iter(named));
        }
    }
    if !curves.is_empty() {
        let title = "Carrying sessions on, by concurrent callers";
        report.draw(Plot::lines("refresh", title, "op/s", "callers", curves));
    }
}
