//! Magic codes: asking for one, and typing it.

use std::{hint::black_box, sync::Arc};

use ps_core::{Clock, SystemClock};

use super::{
    hashing::{prepared, tag},
    uncached::lane,
};
use crate::{
    finding::{Finding, Target},
    race::{Lane, cpu, race, wall},
    report::Report,
    stage::{
        at_once,
        codes::{Mailed, Service},
        databases::{Backend, Bare, Place},
    },
};

/// How many codes are typed in a round.
const CODES: u64 = 100;

fn hmac() -> Lane<'static> {
    let prepared = prepared();
    Lane::cpu("HMAC-SHA256 of 41 bytes, its key prepared", move || {
        tag(&prepared, black_box(&[1; 41]))
    })
}

/// Typing a code, in memory, by the processor's time.
fn in_memory(backend: &Backend) -> Lane<'static> {
    let (service, runtime) = (Service::new(backend), Arc::clone(&backend.runtime));
    let verify = move |times: u64| {
        let mailed = runtime.block_on(service.mailed(times as usize));
        let mut mailed = mailed.iter();
        cpu(times, || {
            let next: &Mailed = mailed.next().expect("as many as are typed");
            at_once(service.verify(next));
        })
    };
    Lane::new("verify a code", verify).times(CODES * 4)
}

/// Typing a code, on a store that waits.
fn on_disk(backend: &Backend) -> Lane<'static> {
    let (service, runtime) = (Service::new(backend), Arc::clone(&backend.runtime));
    let verify = move |times: u64| {
        let service = Arc::clone(&service);
        let typing = runtime.spawn(async move {
            let mailed = service.mailed(times as usize).await;
            let mut each = Vec::with_capacity(mailed.len());
            for mailed in &mailed {
                let start = wall();
                service.verify(mailed).await;
                each.push(start.elapsed());
            }
            each
        });
        runtime.block_on(typing).expect("it does not panic")
    };
    Lane::typical("verify a code", verify).times(CODES)
}

/// One statement that takes an attempt.
fn bare(backend: &Backend, bare: &Bare) -> Lane<'static> {
    let service = Service::new(backend);
    let (runtime, bare) = (Arc::clone(&backend.runtime), bare.clone());
    let take = move |times: u64| {
        let (service, bare) = (Arc::clone(&service), bare.clone());
        let taking = runtime.spawn(async move {
            // An address has its mails; a challenge has five attempts.
            let mailed = service.mailed(times.div_ceil(4) as usize).await;
            let mut each = Vec::with_capacity(times as usize);
            for place in 0..times as usize {
                let id = &mailed[place / 4].challenge;
                let start = wall();
                bare.take_attempt(id.as_str(), SystemClock.now()).await;
                each.push(start.elapsed());
            }
            each
        });
        runtime.block_on(taking).expect("it does not panic")
    };
    Lane::typical("one bare UPDATE … RETURNING", take).times(CODES)
}

/// Asking for one.
fn asking(backend: &Backend) -> Lane<'static> {
    let service = Service::new(backend);
    let (sending, runtime) = (Arc::clone(&service), Arc::clone(&backend.runtime));
    let act = move |_| {
        let service = Arc::clone(&service);
        async move {
            service.request().await;
        }
    };
    // What was queued in the round before is sent before the next.
    let before = move || runtime.block_on(sending.deliver());
    lane(backend, "ask for a code", 1, before, act).times(CODES)
}

/// What verifying is measured by, verifying, and asking for a code.
#[must_use]
pub fn lanes(backend: &Backend) -> Vec<Lane<'static>> {
    match &backend.bare {
        None => vec![hmac(), in_memory(backend), asking(backend)],
        Some(other) => vec![bare(backend, other), on_disk(backend), asking(backend)],
    }
}

pub(super) fn report(report: &mut Report) {
    let place = Place::default();
    for backend in place.backends(report) {
        let (name, timed) = (backend.name, race(lanes(&backend)));
        let path = format!("verify a code, {name}");
        let ratio = timed[1].over(&timed[0]);
        if backend.bare.is_none() {
            let note = "Processor time; asking is wall time (p50).";
            report.compare("Codes, memory", note, &timed);
            let by = "HMAC-SHA256, its key prepared";
            report.find(Finding::ratio(path, by, Target::AtMost(8.0), ratio));
            continue;
        }
        let note = "One caller; p50, wall time. Verifying is two transactions, each durable before the \
            next: the attempt counts before the code is compared.";
        report.compare(&format!("Codes, {name}"), note, &timed);
        if name == "SQLite" {
            let by = "one bare UPDATE … RETURNING, p50";
            report.find(Finding::ratio(path, by, Target::AtMost(2.5), ratio));
        }
    }
}
