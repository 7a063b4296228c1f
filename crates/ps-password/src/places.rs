//! How many may wait, with everything that their waiting costs.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::PasswordError;

/// A bounded number of places. Whoever finds none is turned away before anything is counted, read or
/// hashed for him.
pub(crate) struct Places {
    taken: AtomicUsize,
    all: usize,
}

impl Places {
    pub(crate) fn new(all: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            all,
        }
    }

    /// A place, until it is dropped.
    pub(crate) fn take(&self) -> Result<Place<'_>, PasswordError> {
        let place = Place(&self.taken);
        // Dropping `place` gives back what was taken too many.
        if self.taken.fetch_add(1, Ordering::AcqRel) < self.all {
            Ok(place)
        } else {
            Err(PasswordError::Busy)
        }
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Places({} of {})",
            self.taken.load(Ordering::Relaxed),
            self.all
        )
    }
}

#[derive(Debug)]
pub(crate) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_and_each_comes_back() {
        let places = Places::new(2);
        let held = [places.take().unwrap(), places.take().unwrap()];
        for _ in 0..3 {
            assert!(matches!(places.take(), Err(PasswordError::Busy)));
        }
        drop(held);
        assert!(places.take().is_ok());
        assert_eq!(format!("{places:?}"), "Places(0 of 2)");
    }
}
