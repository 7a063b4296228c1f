//! A clock that moves when it is told to.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use ps_core::{Clock, Sleep, Timestamp};

/// A clock that stands still until [`advance`](Self::advance) moves it.
///
/// Clones are the same clock. It may be moved from any thread.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    /// Who waits, by when it is due and then by when it began to wait.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    begun: u64,
}

impl ManualClock {
    /// A clock at which it is `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            sleepers: BTreeMap::new(),
            begun: 0,
        })))
    }

    /// Moves the clock forward, then wakes every sleeper that is due, the one due first first.
    ///
    /// All of them find the clock at its new time. Whoever goes to sleep again sleeps from there,
    /// so what repeats every minute happens once in an `advance` of an hour.
    pub fn advance(&self, span: Duration) {
        let due = {
            let mut state = self.state();
            state.now = state.now.plus(span);
            let now = state.now;
            let later = state
                .sleepers
                .iter()
                .find_map(|(place, _)| (place.0 > now).then_some(*place));
            match later {
                Some(first) => {
                    let rest = state.sleepers.split_off(&first);
                    std::mem::replace(&mut state.sleepers, rest)
                }
                None => std::mem::take(&mut state.sleepers),
            }
        };
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// How many are waiting: what a test watches to know that a task has come to its `sleep`.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let mut state = self.state();
        state.begun += 1;
        let place = (state.now.plus(span), state.begun);
        Box::pin(Sleeper {
            clock: self.clone(),
            place,
        })
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

struct Sleeper {
    clock: ManualClock,
    place: (Timestamp, u64),
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if self.place.0 <= state.now {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use futures_util::FutureExt;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_stands_still_until_it_is_moved() {
        let clock = ManualClock::new(START);
        let other = clock.clone();
        assert_eq!(clock.now(), START);
        clock.advance(seconds(3));
        assert_eq!(other.now(), START.plus(seconds(3)));
    }

    #[test]
    fn a_sleeper_wakes_at_its_time_and_not_before() {
        let clock = ManualClock::new(START);
        let mut sleep = clock.sleep(seconds(10));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_millis(9_999));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(sleep.now_or_never(), Some(()));
    }

    #[test]
    fn sleeping_for_no_time_is_over_at_once() {
        let clock = ManualClock::new(START);
        assert_eq!(clock.sleep(Duration::ZERO).now_or_never(), Some(()));
    }

    #[test]
    fn whoever_gives_up_waiting_is_forgotten() {
        let clock = ManualClock::new(START);
        let mut sleep = clock.sleep(seconds(10));
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!(clock.sleepers(), 1);
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
    }

    struct Noting(u64, Arc<Mutex<Vec<u64>>>);

    impl Wake for Noting {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn the_due_are_woken_in_order_and_only_they() {
        let clock = ManualClock::new(START);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut sleeps = Vec::new();
        for span in [30, 10, 40, 20] {
            let mut sleep = clock.sleep(seconds(span));
            let waker = Waker::from(Arc::new(Noting(span, Arc::clone(&woken))));
            assert!(
                sleep
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            sleeps.push(sleep);
        }
        clock.advance(seconds(30));
        assert_eq!(*woken.lock().unwrap(), [10, 20, 30]);
        assert_eq!(clock.sleepers(), 1);
    }
}
