//! What many rounds come to.

use std::fmt;

/// The median of some rounds, and the middle half of them around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter of the rounds lie below.
    pub low: f64,
    /// As many rounds lie below as above.
    pub median: f64,
    /// A quarter of the rounds lie above.
    pub high: f64,
}

impl Spread {
    /// Of these rounds.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn of(rounds: impl IntoIterator<Item = f64>) -> Self {
        let mut rounds = Vec::from_iter(rounds);
        rounds.sort_by(f64::total_cmp);
        let last = rounds.len().checked_sub(1).expect("there is a round");
        let at = |quarters: usize| rounds[(last * quarters + 2) / 4];
        Self {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }

    /// How many times `theirs` one took, round by round: what disturbs both does not count.
    #[must_use]
    pub fn ratio(ours: &[f64], theirs: &[f64]) -> Self {
        assert_eq!(ours.len(), theirs.len(), "measured in the same rounds");
        Self::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
    }
}

impl fmt::Display for Spread {
    /// `0.62 (0.61–0.64)`, with as many digits as mean something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = *self;
        write!(f, "{} ({}–{})", short(median), short(low), short(high))
    }
}

/// A number to three digits or so.
#[must_use]
pub fn short(number: f64) -> String {
    match number.abs() {
        ..0.01 => format!("{number:.4}"),
        ..0.1 => format!("{number:.3}"),
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => grouped(number),
    }
}

/// Nanoseconds in the unit that suits them.
#[must_use]
pub fn span(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{} ns", short(nanos)),
        ..1e6 => format!("{} µs", short(nanos / 1e3)),
        _ => format!("{} ms", short(nanos / 1e6)),
    }
}

/// A whole number with a space before each three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_middle_half() {
        let nine = Spread::of([9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0]);
        assert_eq!((nine.low, nine.median, nine.high), (3.0, 5.0, 7.0));
        let one = Spread::of([4.0]);
        assert_eq!((one.low, one.median, one.high), (4.0, 4.0, 4.0));
        // One wild round moves nothing.
        let wild = Spread::of([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 900.0]);
        assert_eq!((wild.median, wild.high), (1.0, 1.0));
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        // The machine was ten times slower in the second round; the ratio does not show it.
        let ratio = Spread::ratio(&[2.0, 20.0, 2.0], &[4.0, 40.0, 4.0]);
        assert_eq!((ratio.low, ratio.median, ratio.high), (0.5, 0.5, 0.5));
    }

    #[test]
    #[should_panic(expected = "the same rounds")]
    fn rounds_that_do_not_pair_are_not_compared() {
        let _ = Spread::ratio(&[1.0], &[1.0, 2.0]);
    }

    #[test]
    fn numbers_are_short() {
        let table = [
            (0.0, "0.0000"),
            (0.0234, "0.023"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234_567.0, "1 234 567"),
        ];
        for (number, text) in table {
            assert_eq!(short(number), text);
        }
        assert_eq!(span(70.4), "70.4 ns");
        assert_eq!(span(12_345.0), "12.3 µs");
        assert_eq!(span(21e6), "21.0 ms");
        let spread = Spread::of([1.0, 2.0, 3.0]);
        assert_eq!(spread.to_string(), "2.00 (2.00–3.00)");
    }
}
