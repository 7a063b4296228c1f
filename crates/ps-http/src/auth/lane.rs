//! Places of one kind, of which there are so many.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::{Code, Problem};

/// Places of one kind. It stands apart from what is read beside it: it is written twice a request.
///
/// Nothing is published by its numbers, so no order is asked for.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Lane {
    name: String,
    at_most: AtomicU32,
    taken: AtomicU32,
    /// Whether somebody was refused since it was half empty at the last.
    is_crowded: AtomicBool,
}

impl Lane {
    pub(super) fn new(name: impl Into<String>, at_most: u32) -> Self {
        Self {
            name: name.into(),
            at_most: AtomicU32::new(at_most),
            taken: AtomicU32::new(0),
            is_crowded: AtomicBool::new(false),
        }
    }

    #[cfg(feature = "oauth")]
    pub(super) fn bound(&self, at_most: u32) {
        self.at_most.store(at_most, Ordering::Relaxed);
    }

    /// A place until it is dropped, however the request ends: answered, panicked, or left by its
    /// client.
    pub(crate) fn take(&self) -> Option<Place<'_>> {
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.at_most() {
            return Some(Place(self));
        }
        self.taken.fetch_sub(1, Ordering::Relaxed);
        self.note_refusal();
        None
    }

    /// A place, or the refusal.
    pub(super) fn admit(&self) -> Result<Place<'_>, Problem> {
        self.take().ok_or_else(|| Problem::new(Code::Unavailable))
    }

    /// An overload is told of when it begins. A line for each refusal would make it worse.
    fn note_refusal(&self) {
        let is_known = self.is_crowded.load(Ordering::Relaxed);
        if !is_known && !self.is_crowded.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                lane = self.name,
                at_most = self.at_most(),
                "no place is left"
            );
        }
    }

    fn give_back(&self) {
        let left = self.taken.fetch_sub(1, Ordering::Relaxed) - 1;
        // In an overload every place that is given back is taken again: that is not its end.
        if self.is_crowded.load(Ordering::Relaxed) && left <= self.at_most() / 2 {
            self.is_crowded.store(false, Ordering::Relaxed);
        }
    }

    fn at_most(&self) -> u32 {
        self.at_most.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Lane);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing::{Event, Metadata, Subscriber, span, subscriber};

    use super::*;

    #[test]
    fn no_more_than_the_places_are_ever_held() {
        let lane = Lane::new("test", 3);
        let held = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Some(_place) = lane.take() {
                            assert!(held.fetch_add(1, Ordering::SeqCst) < 3);
                            std::thread::yield_now();
                            held.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(lane.taken.load(Ordering::Relaxed), 0);
        let all: Vec<_> = std::iter::from_fn(|| lane.take()).collect();
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn an_overload_is_told_of_once() {
        let told = Arc::new(AtomicU32::new(0));
        let count = || told.load(Ordering::Relaxed);
        subscriber::with_default(Counting(Arc::clone(&told)), || {
            let lane = Lane::new("test", 4);
            let mut held: Vec<_> = std::iter::from_fn(|| lane.take()).collect();
            for _ in 0..20 {
                assert!(lane.take().is_none());
                held.pop();
                held.extend(lane.take());
                assert_eq!(held.len(), 4);
            }
            assert_eq!(count(), 1);
            held.truncate(2); // that was it
            held.extend(std::iter::from_fn(|| lane.take()));
            assert_eq!((held.len(), count()), (4, 2));
        });
        let none = Lane::new("none", 0);
        subscriber::with_default(Counting(Arc::clone(&told)), || {
            assert!((0..9).all(|_| none.take().is_none()));
        });
        assert_eq!(count(), 3);
    }

    /// What is told, counted.
    struct Counting(Arc<AtomicU32>);

    impl Subscriber for Counting {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }
}
