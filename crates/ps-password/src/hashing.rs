//! The threads that hash.

use std::{
    fmt,
    num::NonZero,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use futures_channel::oneshot;

use crate::hash::Memory;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// A fixed number of threads behind a bounded queue. They end when this is dropped.
pub(crate) struct Hashing {
    queue: SyncSender<Job>,
    begun: Arc<AtomicU64>,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl Hashing {
    /// Starts the threads.
    pub(crate) fn start(threads: NonZero<usize>, queue: usize) -> Self {
        let (queue, jobs) = mpsc::sync_channel(queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.get() {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name("ps-password".to_owned())
                .spawn(move || work(&jobs))
                .expect("the system has a thread to give");
        }
        let begun = Arc::default();
        Self { queue, begun }
    }

    /// Has `compute` done on one of the threads. If this future is dropped before a thread comes to
    /// it, it is not done at all.
    ///
    /// A panic in it is one here, and leaves the threads as they were.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        let begun = Arc::clone(&self.begun);
        let job: Job = Box::new(move |memory| {
            if !answer.is_canceled() {
                begun.fetch_add(1, Ordering::Relaxed);
                // Nobody may be waiting for it by now.
                drop(answer.send(compute(memory)));
            }
        });
        self.queue.try_send(job).map_err(|_| Busy)?;
        Ok(answered.await.expect("what was queued is computed"))
    }

    /// How many computations were begun.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing")
            .field("begun", &self.begun())
            .finish_non_exhaustive()
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut memory = Memory::default();
    while let Some(job) = next(jobs) {
        // Whoever waits for it learns of the panic by getting no answer.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
    }
}

/// The next job; `None` when there will be none any more. One thread waits here, the others for it.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.recv().ok()
}

#[cfg(test)]
mod tests {
    use std::{cell::OnceCell, sync::Barrier, sync::mpsc::RecvTimeoutError, time::Duration};

    use futures_util::{FutureExt, future::join_all};

    use super::*;

    fn hashing(threads: usize, queue: usize) -> Hashing {
        Hashing::start(NonZero::new(threads).unwrap(), queue)
    }

    /// A job that a test begins and lets go on.
    fn held() -> (
        impl FnOnce(&mut Memory) + Send,
        Receiver<()>,
        SyncSender<()>,
    ) {
        let (began, begun) = mpsc::sync_channel(1);
        let (go, wait) = mpsc::sync_channel(1);
        let job = move |_: &mut Memory| {
            began.send(()).unwrap();
            let _ = wait.recv();
        };
        (job, begun, go)
    }

    #[tokio::test]
    async fn what_is_computed_comes_back() {
        let hashing = hashing(3, 100);
        let squares = (0..100u64).map(|n| hashing.run(move |_| n * n));
        let found: Result<Vec<_>, _> = join_all(squares).await.into_iter().collect();
        assert_eq!(found, Ok((0..100).map(|n| n * n).collect()));
        assert_eq!(hashing.begun(), 100);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() {
        let hashing = hashing(1, 2);
        let (job, begun, go) = held();
        let mut first = Box::pin(hashing.run(job));
        assert_eq!((&mut first).now_or_never(), None);
        begun.recv().unwrap();
        let mut waiting = [1, 2].map(|n| Box::pin(hashing.run(move |_| n)));
        for one in &mut waiting {
            assert_eq!(one.now_or_never(), None);
        }
        assert_eq!(hashing.run(|_| 3).now_or_never(), Some(Err(Busy)));
        go.send(()).unwrap();
        assert_eq!(join_all(waiting).await, [Ok(1), Ok(2)]);
        assert_eq!(first.await, Ok(()));
        assert_eq!(hashing.run(|_| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_computed_and_holds_up_nothing() {
        let hashing = hashing(1, 8);
        let (job, begun, go) = held();
        let mut first = Box::pin(hashing.run(job));
        assert_eq!((&mut first).now_or_never(), None);
        begun.recv().unwrap();
        for _ in 0..4 {
            let abandoned = hashing.run(|_| unreachable!("nobody waits for it"));
            assert_eq!(abandoned.now_or_never(), None::<Result<(), _>>);
        }
        drop(first); // begun, and hung up on
        go.send(()).unwrap();
        assert_eq!(hashing.run(|_| 5).await, Ok(5));
        assert_eq!(hashing.begun(), 2);
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_caller_and_no_thread() {
        let hashing = hashing(1, 8);
        for _ in 0..3 {
            let broken = hashing.run(|_| -> u8 { panic!("by the test") });
            assert!(AssertUnwindSafe(broken).catch_unwind().await.is_err());
        }
        assert_eq!(hashing.run(|_| 6).await, Ok(6));
    }

    #[tokio::test]
    async fn dropped_it_ends_its_threads() {
        thread_local!(static ALIVE: OnceCell<SyncSender<()>> = const { OnceCell::new() });
        let hashing = hashing(2, 8);
        let (alive, ended) = mpsc::sync_channel(1);
        let both = Arc::new(Barrier::new(2));
        let enter = || {
            let (alive, both) = (alive.clone(), Arc::clone(&both));
            hashing.run(move |_| {
                both.wait();
                ALIVE.with(|cell| cell.set(alive).unwrap());
            })
        };
        assert_eq!(join_all([enter(), enter()]).await, [Ok(()), Ok(())]);
        drop((alive, hashing));
        let found = ended.recv_timeout(Duration::from_secs(60));
        assert_eq!(found, Err(RecvTimeoutError::Disconnected));
    }
}
