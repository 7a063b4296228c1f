//! How many digits a new code gets, as a pure function.

use crate::Exposure;

/// The digits of a new code: six, or eight while somebody is guessing.
///
/// `wrong` are the wrong guesses on the address within `exposure.address.per`, `open` the attempts
/// that its live challenges still allow, `everywhere` the wrong guesses on all addresses within
/// `exposure.everywhere.per`. With the default bounds at most 24 guesses a day can meet a six-digit
/// code of one address, whatever anybody does, and no number of wrong guesses locks its owner out.
#[must_use]
pub fn digits(exposure: &Exposure, wrong: u32, open: u32, everywhere: u32) -> u8 {
    let calm = wrong.saturating_add(open) < exposure.address.limit
        && everywhere < exposure.everywhere.limit;
    if calm { 6 } else { 8 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CodePolicy;

    // MC11, MC14
    #[test]
    fn the_table() {
        let table = [
            (0, 0, 0, 6),
            (19, 0, 0, 6),
            (20, 0, 0, 8),
            (0, 19, 0, 6),
            (0, 20, 0, 8),
            (15, 4, 0, 6),
            (15, 5, 0, 8),
            (u32::MAX, 1, 0, 8),
            (1, u32::MAX, 0, 8),
            (0, 0, 1_999, 6),
            (0, 0, 2_000, 8),
            (19, 0, 1_999, 6),
            (20, 0, 2_000, 8),
        ];
        let exposure = CodePolicy::default().exposure;
        for (wrong, open, everywhere, length) in table {
            let found = digits(&exposure, wrong, open, everywhere);
            assert_eq!(
                found, length,
                "{wrong} wrong, {open} open, {everywhere} everywhere"
            );
        }
    }
}
