//! What a hash costs.

use argon2::Params;

/// Cheaper than this is weaker than [OWASP] advises: memory in KiB and passes, each row as strong as
/// the others.
///
/// [OWASP]: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
const CHEAPEST: [(u32, u32); 5] = [
    (47_104, 1),
    (19_456, 2),
    (12_288, 3),
    (9_216, 4),
    (7_168, 5),
];

/// The dearest that is computed, also where a stored hash says so.
const MOST_MEMORY: u32 = 64 * 1024;
const MOST_PASSES: u32 = 10;
const MOST_LANES: u32 = 4;

/// What a hash costs whoever computes it: this service once for a sign-in, a thief once for a guess.
///
/// argon2id, version 0x13, one lane (RFC 9106). The default is 19 MiB and two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    memory: u32,
    passes: u32,
}

/// A cost that is not worth paying, or too high to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCost {
    /// More than 64 MiB or more than ten passes.
    #[error("more than 64 MiB of memory or more than 10 passes")]
    High,
    /// Less than every setting that OWASP advises.
    #[error("less memory and fewer passes than advised: 19456 KiB and 2 passes, or the like")]
    Low,
}

impl HashCost {
    /// So many KiB of memory, gone over so many times.
    ///
    /// # Errors
    /// [`InvalidCost::Low`] for less than each of these (KiB × passes), which OWASP's Password
    /// Storage Cheat Sheet holds to be equally strong: 47 104 × 1, 19 456 × 2, 12 288 × 3, 9 216 × 4,
    /// 7 168 × 5. [`InvalidCost::High`] over 65 536 KiB or 10 passes.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, InvalidCost> {
        if memory_kib > MOST_MEMORY || passes > MOST_PASSES {
            return Err(InvalidCost::High);
        }
        CHEAPEST
            .iter()
            .any(|(memory, least)| memory_kib >= *memory && passes >= *least)
            .then_some(Self {
                memory: memory_kib,
                passes,
            })
            .ok_or(InvalidCost::Low)
    }

    /// Memory, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory
    }

    /// How often it is gone over.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    pub(crate) fn params(self) -> Params {
        Params::new(self.memory, self.passes, 1, None).expect("the cost is within argon2's bounds")
    }

    /// Whether a hash made at this cost has these parameters.
    pub(crate) fn is(self, params: &Params) -> bool {
        let found = (params.m_cost(), params.t_cost(), params.p_cost());
        found == (self.memory, self.passes, 1)
    }

    #[cfg(test)]
    pub(crate) const CHEAP: Self = Self {
        memory: 8,
        passes: 1,
    };
}

impl Default for HashCost {
    fn default() -> Self {
        Self {
            memory: 19_456,
            passes: 2,
        }
    }
}

/// Whether a hash with these parameters is computed at all: a stored row must not be able to ask
/// for gigabytes.
pub(crate) fn is_bearable(params: &Params) -> bool {
    params.m_cost() <= MOST_MEMORY
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaker_than_advised_and_dearer_than_bearable_are_refused() {
        use InvalidCost::{High, Low};
        let table = [
            (19_456, 2, Ok(())),
            (19_455, 2, Err(Low)),
            (19_456, 1, Err(Low)),
            (47_104, 1, Ok(())),
            (47_103, 1, Err(Low)),
            (12_288, 3, Ok(())),
            (9_216, 4, Ok(())),
            (7_168, 5, Ok(())),
            (7_167, 10, Err(Low)),
            (47_104, 0, Err(Low)),
            (65_536, 10, Ok(())),
            (65_537, 1, Err(High)),
            (19_456, 11, Err(High)),
            (u32::MAX, u32::MAX, Err(High)),
        ];
        for (memory, passes, expected) in table {
            let found = HashCost::new(memory, passes);
            assert_eq!(found.map(drop), expected, "{memory} × {passes}");
            if let Ok(cost) = found {
                assert_eq!((cost.memory_kib(), cost.passes()), (memory, passes));
                assert!(cost.is(&cost.params()) && is_bearable(&cost.params()));
            }
        }
        let default = HashCost::default();
        assert_eq!(HashCost::new(19_456, 2), Ok(default));
    }
}
