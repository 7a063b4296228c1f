//! When keys were last used: noted at once, written together, never on a request's path.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use ps_core::{KeyId, StoreResult, Timestamp};

use crate::{ApiKeyStore, lookup::KnownKey};

/// At most one write per key in this span.
const EVERY: Duration = Duration::from_secs(60);
/// How many keys may wait to be written while the store does not answer.
const WAITING: usize = 100_000;
/// How many keys are written in one statement.
const BATCH: usize = 256;

#[derive(Debug)]
pub(crate) struct Uses {
    store: Arc<dyn ApiKeyStore>,
    waiting: Mutex<BTreeMap<KeyId, Timestamp>>,
    due: AtomicBool,
    writer: AtomicWaker,
}

impl Uses {
    pub(crate) fn new(store: Arc<dyn ApiKeyStore>) -> Self {
        Self {
            store,
            waiting: Mutex::default(),
            due: AtomicBool::new(false),
            writer: AtomicWaker::new(),
        }
    }

    /// Notes that the key was used. Costs one atomic read unless a minute has passed.
    pub(crate) fn note(&self, key: &KnownKey, now: Timestamp) {
        let before = key.noted.load(Ordering::Relaxed);
        let is_due = now >= Timestamp::from_millis(before).plus(EVERY);
        let exchange = |to| {
            key.noted
                .compare_exchange(before, to, Ordering::Relaxed, Ordering::Relaxed)
        };
        if is_due && exchange(now.as_millis()).is_ok() {
            let mut waiting = self.waiting();
            if waiting.len() < WAITING || waiting.contains_key(&key.terms.id) {
                waiting.insert(key.terms.id, now);
            }
            drop(waiting);
            self.due.store(true, Ordering::Release);
            self.writer.wake();
        }
    }

    /// Ready as soon as a use waits to be written. One writer waits at a time.
    pub(crate) async fn due(&self) {
        poll_fn(|context| {
            self.writer.register(context.waker());
            if self.due.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Writes all that waits. What could not be written keeps waiting.
    pub(crate) async fn flush(&self) -> StoreResult<()> {
        let snapshot: Vec<(KeyId, Timestamp)> =
            self.waiting().iter().map(|(id, at)| (*id, *at)).collect();
        for batch in snapshot.chunks(BATCH) {
            self.store.touch(batch).await?;
            let mut waiting = self.waiting();
            for (id, at) in batch {
                if waiting.get(id) == Some(at) {
                    waiting.remove(id);
                }
            }
        }
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<KeyId, Timestamp>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
