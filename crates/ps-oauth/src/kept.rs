//! What a provider publishes, kept as long as it is good.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use ps_core::Timestamp;

use crate::failure::Outage;

/// At most one fetch in this time, whatever becomes of it.
pub(crate) const COOLDOWN: Duration = Duration::from_secs(30);

/// One published document, fetched when it is needed.
///
/// All who need it at once share one fetch, and whoever of them hangs up leaves it to the others. A
/// fetch is not made again before the cooldown is over, counted from its start; one that failed
/// replaces nothing, and has a cooldown of its own. So no number of callers, and nothing that they ask for,
/// makes more calls than one in that time.
pub(crate) struct Kept<T> {
    /// How long it is used although it cannot be fetched again.
    stale_for: Duration,
    /// How soon a fetch is made again that failed.
    retry: Duration,
    state: Mutex<State<T>>,
}

struct State<T> {
    good: Option<(Timestamp, Arc<T>)>,
    /// The last fetch and when it began. It may have ended, and then answers at once.
    latest: Option<(Timestamp, Fetch<T>)>,
}

type Fetched<T> = Result<Arc<T>, Arc<Outage>>;
type Fetch<T> = Shared<BoxFuture<'static, Fetched<T>>>;

impl<T: Send + Sync + 'static> Kept<T> {
    pub(crate) fn new(stale_for: Duration, retry: Duration) -> Self {
        let state = State {
            good: None,
            latest: None,
        };
        Self {
            stale_for,
            retry,
            state: Mutex::new(state),
        }
    }

    /// The document, no older than `fresh_for` if the provider answers, fetched by `fetch` if need be.
    pub(crate) async fn find<F>(
        &self,
        fresh_for: Duration,
        now: Timestamp,
        fetch: impl FnOnce() -> F,
    ) -> Fetched<T>
    where
        F: Future<Output = Result<T, Outage>> + Send + 'static,
    {
        let (began, fetch) = {
            let mut state = self.lock();
            if let Some(good) = state.good(fresh_for, now) {
                return Ok(good);
            }
            match &state.latest {
                Some((began, fetch)) if now.since(*began) < self.cooldown(fetch) => {
                    (*began, fetch.clone())
                }
                _ => {
                    let fetch = fetch().map(|got| got.map(Arc::new).map_err(Arc::new));
                    let fetch = fetch.boxed().shared();
                    state.latest = Some((now, fetch.clone()));
                    (now, fetch)
                }
            }
        };
        let fetched = fetch.await;
        let mut state = self.lock();
        match fetched {
            Ok(document) => {
                state.keep(began, &document);
                Ok(document)
            }
            Err(outage) => state.good(self.stale_for, now).ok_or(outage),
        }
    }

    fn cooldown(&self, fetch: &Fetch<T>) -> Duration {
        match fetch.peek() {
            Some(Err(_)) => self.retry,
            _ => COOLDOWN,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn good(&self, younger_than: Duration, now: Timestamp) -> Option<Arc<T>> {
        let (fetched, document) = self.good.as_ref()?;
        (now.since(*fetched) < younger_than).then(|| Arc::clone(document))
    }

    /// Its age counts from the beginning of its fetch. One that was slow does not replace a newer.
    fn keep(&mut self, began: Timestamp, document: &Arc<T>) {
        if self.good.as_ref().is_none_or(|(kept, _)| *kept < began) {
            self.good = Some((began, Arc::clone(document)));
        }
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::{join_all, pending, ready};

    use super::*;

    const FRESH: Duration = Duration::from_secs(3600);
    const STALE: Duration = Duration::from_secs(24 * 3600);
    const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);

    /// A document whose text is the number of the fetch that brought it.
    #[derive(Default)]
    struct Source {
        fetches: AtomicUsize,
        is_down: bool,
    }

    impl Source {
        async fn fetch(&self) -> Result<usize, Outage> {
            let number = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
            if self.is_down {
                Err(Outage::Status(500))
            } else {
                Ok(number)
            }
        }

        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::Relaxed)
        }
    }

    /// What is found at `now`; the fetch, if there is one, ends before it is waited for.
    fn find(
        kept: &Kept<usize>,
        source: &Source,
        fresh_for: Duration,
        now: Timestamp,
    ) -> Option<usize> {
        let fetch = || ready(source.fetch().now_or_never().unwrap());
        let found = kept.find(fresh_for, now, fetch).now_or_never().unwrap();
        found.ok().map(|document| *document)
    }

    fn after(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_fresh_document_is_not_fetched_again() {
        let (kept, source) = (Kept::new(STALE, COOLDOWN), Source::default());
        for (seconds, expected) in [(0, 1), (1, 1), (3599, 1), (3600, 2), (7199, 2), (7200, 3)] {
            let found = find(&kept, &source, FRESH, after(seconds));
            assert_eq!(found, Some(expected), "after {seconds} s");
        }
    }

    // OA11: by time alone, whether it succeeds or fails, and however new a document is asked for.
    #[test]
    fn there_is_one_fetch_in_the_cooldown() {
        for is_down in [false, true] {
            let source = Source {
                is_down,
                ..Source::default()
            };
            let kept = Kept::new(STALE, COOLDOWN);
            for second in 0..30 {
                find(&kept, &source, COOLDOWN, after(second));
                find(&kept, &source, Duration::ZERO, after(second));
            }
            assert_eq!(source.fetches(), 1);
            find(&kept, &source, COOLDOWN, after(30));
            assert_eq!(source.fetches(), 2);
        }
    }

    // OA11
    #[test]
    fn a_failure_replaces_nothing_until_the_document_is_too_old() {
        let kept = Kept::new(STALE, COOLDOWN);
        let (up, down) = (
            Source::default(),
            Source {
                is_down: true,
                ..Source::default()
            },
        );
        assert_eq!(find(&kept, &up, FRESH, NOW), Some(1));
        let table = [
            (100, Some(1)),
            (86_399, Some(1)),
            (86_400, None),
            (86_401, None),
        ];
        for (seconds, expected) in table {
            let found = find(&kept, &down, COOLDOWN, after(seconds));
            assert_eq!(found, expected, "after {seconds} s");
        }
        assert_eq!(find(&kept, &up, FRESH, after(86_500)), Some(2));
    }

    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let (kept, source) = (Kept::new(STALE, COOLDOWN), Source::default());
        find(&kept, &source, FRESH, NOW);
        assert_eq!(find(&kept, &source, COOLDOWN, NOW.minus(FRESH)), Some(1));
    }

    // OA11
    #[tokio::test]
    async fn all_who_need_it_at_once_share_one_fetch_and_none_is_stranded() {
        let kept = Arc::new(Kept::<u8>::new(STALE, COOLDOWN));
        let gate = Arc::new(futures_util::lock::Mutex::new(()));
        let closed = gate.lock().await;
        let fetches = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (kept, fetches, gate) = (kept.clone(), fetches.clone(), gate.clone());
            async move {
                let fetch = || {
                    fetches.fetch_add(1, Ordering::Relaxed);
                    async move {
                        drop(gate.lock().await);
                        Ok(7)
                    }
                };
                *kept.find(FRESH, NOW, fetch).await.unwrap()
            }
        };
        // The one that begins the fetch hangs up while it is under way.
        let first = tokio::spawn(ask());
        tokio::task::yield_now().await;
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        let others: Vec<_> = (0..100).map(|_| tokio::spawn(ask())).collect();
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        drop(closed);
        for found in join_all(others).await {
            assert_eq!(found.unwrap(), 7);
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    }

    // OA11: whoever hangs up again and again makes no more calls than others.
    #[test]
    fn a_fetch_that_nobody_waits_for_is_taken_up_by_the_next() {
        let kept = Kept::<u8>::new(STALE, COOLDOWN);
        let fetches = AtomicUsize::new(0);
        for second in 0..60 {
            let fetch = || {
                fetches.fetch_add(1, Ordering::Relaxed);
                pending()
            };
            let found = kept.find(FRESH, after(second), fetch).now_or_never();
            assert!(found.is_none());
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    }
}
