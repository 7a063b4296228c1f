//! Names for requests.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use ps_core::Random;

const LENGTH: usize = 16;
/// How many digits are made of eight random bytes.
const OF_EIGHT: usize = 8;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many are drawn at once: asking the system for each one would cost more than judging a key.
const AT_ONCE: usize = 64;

/// Names for requests: 95 random bits each, so that no two are alike on any node.
///
/// They are no secrets: that some are likelier than others by one part in 80 000, since 2⁶⁴ is no
/// multiple of 62⁸, does no harm, and to prevent it would cost half as much again.
pub(super) struct RequestIds {
    random: Arc<dyn Random>,
    drawn: Mutex<String>,
}

impl RequestIds {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            random,
            drawn: Mutex::default(),
        }
    }

    /// A new name. Where another thread is just taking one, it is drawn by itself: no request waits.
    pub(super) fn next(&self) -> String {
        let Ok(mut drawn) = self.drawn.try_lock() else {
            return self.draw(1);
        };
        if drawn.is_empty() {
            *drawn = self.draw(AT_ONCE);
        }
        let rest = drawn.len() - LENGTH;
        drawn.split_off(rest)
    }

    fn draw(&self, names: usize) -> String {
        let mut drawn = vec![0; names * LENGTH / OF_EIGHT * size_of::<u64>()];
        self.random.fill(&mut drawn);
        let mut digits = Vec::with_capacity(names * LENGTH);
        for eight in drawn.as_chunks().0 {
            let mut rest = u64::from_ne_bytes(*eight);
            digits.extend((0..OF_EIGHT).map(|_| {
                let digit = DIGITS[(rest % 62) as usize];
                rest /= 62;
                digit
            }));
        }
        String::from_utf8(digits).expect("base62 digits are ASCII")
    }
}

impl fmt::Debug for RequestIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestIds")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use ps_core::SystemRandom;

    use super::*;

    #[derive(Debug, Default)]
    struct Counted(AtomicUsize);

    impl Random for Counted {
        fn fill(&self, dest: &mut [u8]) {
            self.0.fetch_add(1, Ordering::Relaxed);
            SystemRandom.fill(dest);
        }
    }

    #[test]
    fn none_comes_twice_and_the_system_is_seldom_asked() {
        let random = Arc::new(Counted::default());
        let ids = RequestIds::new(random.clone());
        let mut seen = HashSet::new();
        for _ in 0..AT_ONCE * 10 {
            let id = ids.next();
            assert_eq!(id.len(), LENGTH);
            assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(seen.insert(id));
        }
        assert!(random.0.load(Ordering::Relaxed) <= 60);
    }

    #[test]
    fn nobody_waits_for_another() {
        let ids = RequestIds::new(Arc::new(SystemRandom));
        let held = ids.drawn.lock().unwrap();
        assert_ne!(ids.next(), ids.next());
        drop(held);
    }
}
