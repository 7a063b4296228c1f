//! Randomness as a port.

use std::fmt;

use rand_core::TryRng;
use zeroize::Zeroize;

/// A cryptographically secure source of random bytes.
///
/// `rand_core`'s generators take `&mut self`; this port takes `&self`, so that one source can be
/// shared by every service without a lock where the source needs none.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `dest` with random bytes.
    ///
    /// There is no error to return: a source that cannot answer must panic, because a secret made
    /// of anything less would look like a secret.
    fn fill(&self, dest: &mut [u8]);
}

/// The operating system's generator (`getrandom(2)` or its like).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the system for randomness"
    )]
    fn fill(&self, dest: &mut [u8]) {
        getrandom::SysRng
            .try_fill_bytes(dest)
            .expect("the operating system has randomness to give");
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Fills `dest` with base62 digits (`0-9A-Za-z`), each of the 62 equally likely.
///
/// A byte of 248 or more is thrown away instead of being folded back: 256 is not a multiple of 62,
/// and folding would make the first eight digits likelier than the rest.
pub fn random_base62(random: &dyn Random, dest: &mut [u8]) {
    const UNBIASED: u8 = 248;
    let mut room = [0u8; 256];
    // One call of the system a text, as a rule; a long one is not drawn in sips.
    let size = if dest.len() > 48 { room.len() } else { 64 };
    let pool = &mut room[..size];
    let mut digits = dest.iter_mut();
    while digits.len() > 0 {
        random.fill(pool);
        let even = pool.iter().filter(|byte| **byte < UNBIASED);
        for (byte, digit) in even.zip(digits.by_ref()) {
            *digit = BASE62[usize::from(byte % 62)];
        }
    }
    pool.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up through every byte value, so that each digit's share can be checked exactly.
    #[derive(Debug)]
    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, dest: &mut [u8]) {
            for byte in dest {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn every_digit_is_equally_likely() {
        let mut digits = vec![0u8; 248 * 16];
        random_base62(&Counting(0.into()), &mut digits);
        for digit in BASE62 {
            let share = digits.iter().filter(|d| *d == digit).count();
            assert_eq!(share, 64, "digit {}", char::from(*digit));
        }
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        let mut one = [0u8; 32];
        let mut two = [0u8; 32];
        SystemRandom.fill(&mut one);
        SystemRandom.fill(&mut two);
        assert_ne!(one, two);
    }
}
