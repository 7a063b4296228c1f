//! Choices that come out the same in every run.

/// A small generator (SplitMix64) for cases: even enough, and the same from the same seed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// The throws of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        usize::try_from(word % bound as u64).unwrap_or_default()
    }

    /// One of several, of which there is at least one.
    pub fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// Whether one of `bound` came up.
    pub fn once_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
