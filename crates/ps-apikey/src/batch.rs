//! Lookups that meet travel together: one query for many digests.
//!
//! Two queries may be under way, so there are two *turns*. A caller who finds one free asks the store
//! at once, for itself alone; a caller who finds none waits in line. Whoever is done passes its turn
//! to the line: to one of those who wait, with a query for all of them. So nobody waits for others to
//! come, and the busier the store is, the more digests share a query.
//!
//! There is no runtime: callers carry out the queries. A turn is a value that passes itself on when
//! it is dropped, with its query: when the caller who carries it hangs up, another one of those whom it
//! serves goes on with it. Where none of them is left it is given up, and the turn goes to the line.
//! A caller must therefore be polled to its end or dropped, as whoever holds a lock.
//!
//! **The fence** is kept because whom a query serves is settled before it is sent: its answer is never
//! older than the request of anybody who gets it.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_channel::oneshot;
use ps_core::{KeyDigest, StoreError, StoreResult, Timestamp};

use crate::{ApiKeyRecord, ApiKeyStore, lookup::KnownKey};

/// How many queries may be under way.
const TURNS: usize = 2;
/// How many digests one query asks for at most.
const BATCH: usize = 256;
/// How many callers may wait in line; further ones are told at once that the store cannot answer. With
/// those whom both turns serve they are fewer than the 1024 requests with keys that a node answers at
/// once, so that a flood of new keys before a slow store leaves room for keys that need no store.
const LINE: usize = 384;

/// Every lookup that goes to the store.
#[derive(Clone, Debug)]
pub(crate) struct Batches(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn ApiKeyStore>,
    line: Mutex<Line>,
}

struct Line {
    /// Nobody waits while one is free.
    free_turns: usize,
    waiting: VecDeque<Caller>,
}

/// Somebody who waits, and the way to tell them.
struct Caller {
    digest: KeyDigest,
    since: Timestamp,
    tell: oneshot::Sender<Told>,
}

enum Told {
    Answer(Answer),
    Turn(Turn),
}

/// Where a caller finds itself.
enum Place {
    InLine(oneshot::Receiver<Told>),
    OnTurn(Turn),
}

type Answer = StoreResult<Option<Arc<KnownKey>>>;
type Query = Pin<Box<dyn Future<Output = StoreResult<Vec<ApiKeyRecord>>> + Send>>;

impl Batches {
    pub(crate) fn new(store: Arc<dyn ApiKeyStore>) -> Self {
        let line = Mutex::new(Line {
            free_turns: TURNS,
            waiting: VecDeque::new(),
        });
        Self(Arc::new(Shared { store, line }))
    }

    /// The key with this digest, by a query that is sent after this call, maybe for others too.
    ///
    /// An error is that of the whole query, or says that too many wait.
    pub(crate) async fn find(&self, digest: &KeyDigest, now: Timestamp) -> Answer {
        let turn = match self.join(*digest, now)? {
            Place::OnTurn(turn) => turn,
            Place::InLine(told) => match told.await {
                Ok(Told::Turn(turn)) => turn,
                Ok(Told::Answer(answer)) => return answer,
                Err(oneshot::Canceled) => return Err(StoreError::new("the lookup was given up")),
            },
        };
        turn.carry(digest).await
    }

    fn join(&self, digest: KeyDigest, since: Timestamp) -> StoreResult<Place> {
        let mut line = self.0.line();
        if line.free_turns > 0 {
            line.free_turns -= 1;
            drop(line);
            let shared = Arc::clone(&self.0);
            let load = Load::new(shared, vec![digest], since, Vec::new());
            return Ok(Place::OnTurn(Turn(Some(load))));
        }
        if line.waiting.len() >= LINE {
            return Err(StoreError::new("too many lookups wait for the store"));
        }
        let (tell, told) = oneshot::channel();
        line.waiting.push_back(Caller {
            digest,
            since,
            tell,
        });
        Ok(Place::InLine(told))
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A query for those who wait in line, as many as it may serve. Where nobody waits the turn is free.
    fn board(self: Arc<Self>) -> Option<Load> {
        let mut aboard = Vec::new();
        let mut line = self.line();
        while aboard.len() < BATCH
            && let Some(caller) = line.waiting.pop_front()
        {
            // Nobody asks for those who have hung up.
            if !caller.tell.is_canceled() {
                aboard.push(caller);
            }
        }
        let Some(since) = aboard.last().map(|caller| caller.since) else {
            line.free_turns += 1;
            return None;
        };
        drop(line);
        let mut digests: Vec<_> = aboard.iter().map(|caller| caller.digest).collect();
        digests.sort_unstable();
        digests.dedup();
        Some(Load::new(self, digests, since, aboard))
    }
}

/// The right to ask the store, and what is asked. Passes itself on when dropped.
struct Turn(Option<Load>);

struct Load {
    shared: Arc<Shared>,
    query: Query,
    /// When one of those came whom the query serves, so not later than it was sent.
    since: Timestamp,
    /// Whom it serves besides the caller who carries it.
    others: Vec<Caller>,
}

impl Turn {
    /// Carries the query to its end, and tells all whom it serves.
    async fn carry(mut self, digest: &KeyDigest) -> Answer {
        let load = self.0.as_mut().expect("taken only at the end");
        let found = load.query.as_mut().await;
        let found = Found::new(found, load.since);
        let load = self.0.take().expect("taken only at the end");
        // Before the others are told, so that the next query is soon on its way.
        if let Some(next) = load.shared.board() {
            next.pass_on();
        }
        for caller in load.others {
            drop(caller.tell.send(Told::Answer(found.of(&caller.digest))));
        }
        found.of(digest)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(load) = self.0.take() {
            load.pass_on();
        }
    }
}

impl Load {
    fn new(
        shared: Arc<Shared>,
        digests: Vec<KeyDigest>,
        since: Timestamp,
        others: Vec<Caller>,
    ) -> Self {
        let store = Arc::clone(&shared.store);
        let query = Box::pin(async move { store.find(&digests).await });
        Self {
            shared,
            query,
            since,
            others,
        }
    }

    /// To one of those whom the query serves; where all have hung up, to the line.
    fn pass_on(mut self) {
        loop {
            let Some(next) = self.others.pop() else {
                match self.shared.board() {
                    Some(load) => self = load,
                    None => return,
                }
                continue;
            };
            match next.tell.send(Told::Turn(Turn(Some(self)))) {
                // Not left to the turn's own drop, which would nest as deep as many have hung up.
                Err(Told::Turn(mut back)) => match back.0.take() {
                    Some(load) => self = load,
                    None => return,
                },
                _ => return,
            }
        }
    }
}

/// What a query found, to be told to many.
enum Found {
    /// Sorted by digest.
    Keys(Vec<(KeyDigest, Arc<KnownKey>)>),
    Nothing(Arc<StoreError>),
}

/// What is told to those who shared a query that failed.
#[derive(Debug, thiserror::Error)]
#[error("the lookup failed that this one shared")]
struct Failed(#[source] Arc<StoreError>);

impl Found {
    fn new(found: StoreResult<Vec<ApiKeyRecord>>, read_at: Timestamp) -> Self {
        match found {
            Ok(records) => {
                let keys = records.into_iter();
                let keys = keys.map(|it| (it.digest, KnownKey::new(it, read_at)));
                let mut keys: Vec<_> = keys.collect();
                keys.sort_unstable_by_key(|(digest, _)| *digest);
                Self::Keys(keys)
            }
            Err(error) => Self::Nothing(Arc::new(error)),
        }
    }

    fn of(&self, digest: &KeyDigest) -> Answer {
        match self {
            Self::Keys(keys) => {
                let place = keys.binary_search_by_key(digest, |(digest, _)| *digest);
                Ok(place.ok().map(|place| Arc::clone(&keys[place].1)))
            }
            Self::Nothing(error) => Err(StoreError::new(Failed(Arc::clone(error)))),
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("free_turns", &self.free_turns)
            .field("waiting", &self.waiting.len())
            .finish()
    }
}
