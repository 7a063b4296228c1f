//! Randomness that repeats itself.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ps_core::Random;
use sha2::{Digest, Sha256};

/// SHA-256 over a seed and a counter: as even as the real thing, and the same in every run.
///
/// Clones draw from the same stream and never the same bytes. **Never for earnest use**: whoever
/// knows the seed knows every byte.
#[derive(Clone, Debug)]
pub struct SeededRandom {
    seed: u64,
    blocks: Arc<AtomicU64>,
}

impl SeededRandom {
    /// The stream of this seed, from its beginning.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            blocks: Arc::default(),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let bytes = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(block.to_be_bytes())
                .finalize();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(random: &SeededRandom) -> [u8; 40] {
        let mut bytes = [0; 40];
        random.fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_says_everything_and_nothing_comes_twice() {
        let one = SeededRandom::new(1);
        let clone = one.clone();
        let first = draw(&one);
        assert_eq!(first, draw(&SeededRandom::new(1)));
        assert_ne!(first, draw(&SeededRandom::new(2)));
        assert_ne!(first, draw(&clone));
        assert_ne!(first[..8], first[32..]);
    }
}
