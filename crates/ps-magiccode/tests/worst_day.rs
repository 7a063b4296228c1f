//! The worst day that the exposure rule allows, by trying everything a guesser can do.
//!
//! The model knows no hours. It knows the 24 hours under watch, and gives the guesser more than time
//! would: every attempt of a challenge may lapse by itself and at any moment, and what was guessed
//! before the watch began is forgotten when it begins, though the store would still count it. In
//! return every guess under watch stays counted, as it does in any 24 hours. So whatever can be done
//! within the real hours can be done here, and what cannot be done here cannot be done at all.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{collections::HashSet, time::Duration};

use ps_core::LimitRule;
use ps_magiccode::{Exposure, digits};

/// The default policy.
const ATTEMPTS: u32 = 5;
const EXPOSURE: Exposure = Exposure {
    address: LimitRule {
        limit: 20,
        per: Duration::from_secs(24 * 3_600),
    },
    everywhere: LimitRule {
        limit: 2_000,
        per: Duration::from_secs(3_600),
    },
};

/// As many counted guesses or open attempts as decide everything: more make no difference.
const ENOUGH: u32 = EXPOSURE.address.limit;

fn length(wrong: u32, open: u32) -> u8 {
    digits(&EXPOSURE, wrong, open, 0)
}

/// Where a guesser stands who may ask for as many codes as he likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Standing {
    /// Guesses at six digits since the watch began.
    met_six: u32,
    /// All guesses since then, up to [`ENOUGH`].
    wrong: u32,
    /// Attempts open at codes of six digits.
    open_six: u32,
    /// Attempts open at codes of eight digits, up to [`ENOUGH`].
    open_eight: u32,
}

impl Standing {
    /// All that can happen next.
    fn next(self) -> Vec<Self> {
        let wrong = ENOUGH.min(self.wrong + 1);
        let mut next = vec![self.placed()];
        // The watch begins now.
        next.push(Self {
            met_six: 0,
            wrong: 0,
            ..self
        });
        if self.open_six > 0 {
            let open_six = self.open_six - 1;
            let lapsed = Self { open_six, ..self };
            let met_six = self.met_six + 1;
            next.push(lapsed);
            next.push(Self {
                met_six,
                wrong,
                ..lapsed
            });
        }
        if self.open_eight > 0 {
            // "Enough" may be many more than that.
            let some_more = self.open_eight == ENOUGH;
            for open_eight in (self.open_eight - 1)..=(self.open_eight - u32::from(!some_more)) {
                let lapsed = Self { open_eight, ..self };
                next.push(lapsed);
                next.push(Self { wrong, ..lapsed });
            }
        }
        next
    }

    fn placed(self) -> Self {
        match length(self.wrong, self.open_six + self.open_eight) {
            6 => Self {
                open_six: self.open_six + ATTEMPTS,
                ..self
            },
            _ => Self {
                open_eight: ENOUGH.min(self.open_eight + ATTEMPTS),
                ..self
            },
        }
    }
}

// MC11
#[test]
fn no_24_hours_hold_more_than_24_guesses_at_six_digits() {
    let calm = Standing {
        met_six: 0,
        wrong: 0,
        open_six: 0,
        open_eight: 0,
    };
    let (mut seen, mut open) = (HashSet::from([calm]), vec![calm]);
    while let Some(standing) = open.pop() {
        assert!(standing.met_six <= 24, "{standing:?}");
        open.extend(standing.next().into_iter().filter(|one| seen.insert(*one)));
    }
    let worst = seen.iter().map(|standing| standing.met_six).max();
    assert_eq!(worst, Some(24), "and it can be done");
    assert!(seen.len() > 10_000, "{} standings", seen.len());
}

/// What a guess at six digits is worth, in chances of one in 10⁸.
const SIX: u32 = 100;
/// What a guess at eight digits is worth.
const EIGHT: u32 = 1;

/// The greatest sum of chances that a guesser reaches with so many codes, whose answers are kept.
struct Chances {
    codes: u32,
    best: Vec<Option<u32>>,
}

/// Where a guesser stands whose codes are counted.
#[derive(Clone, Copy)]
struct Position {
    /// Codes that he may still ask for.
    codes: u32,
    /// Guesses that count, up to [`ENOUGH`].
    wrong: u32,
    open_six: u32,
    open_eight: u32,
    /// Whether the watch has begun: what is guessed before then is worth nothing.
    watched: bool,
}

impl Chances {
    fn with(codes: u32) -> Self {
        let open = codes * ATTEMPTS + 1;
        let positions = (codes + 1) * (ENOUGH + 1) * (ENOUGH + ATTEMPTS) * open * 2;
        Self {
            codes,
            best: vec![None; positions as usize],
        }
    }

    fn of_a_day(mut self) -> u32 {
        let codes = self.codes;
        self.from(Position {
            codes,
            wrong: 0,
            open_six: 0,
            open_eight: 0,
            watched: false,
        })
    }

    fn from(&mut self, at: Position) -> u32 {
        let place = self.place(at);
        if let Some(best) = self.best[place] {
            return best;
        }
        let wrong = ENOUGH.min(at.wrong + 1);
        let worth = u32::from(at.watched);
        let mut best = 0;
        if !at.watched {
            best = best.max(self.from(Position {
                wrong: 0,
                watched: true,
                ..at
            }));
        }
        if at.codes > 0 {
            let codes = at.codes - 1;
            let (mut open_six, mut open_eight) = (at.open_six, at.open_eight);
            match length(at.wrong, open_six + open_eight) {
                6 => open_six += ATTEMPTS,
                _ => open_eight += ATTEMPTS,
            }
            best = best.max(self.from(Position {
                codes,
                open_six,
                open_eight,
                ..at
            }));
        }
        if at.open_six > 0 {
            let open_six = at.open_six - 1;
            let lapsed = Position { open_six, ..at };
            best = best.max(self.from(lapsed));
            best = best.max(worth * SIX + self.from(Position { wrong, ..lapsed }));
        }
        if at.open_eight > 0 {
            let open_eight = at.open_eight - 1;
            let lapsed = Position { open_eight, ..at };
            best = best.max(self.from(lapsed));
            best = best.max(worth * EIGHT + self.from(Position { wrong, ..lapsed }));
        }
        self.best[place] = Some(best);
        best
    }

    fn place(&self, at: Position) -> usize {
        let mut place = at.codes;
        place = place * (ENOUGH + 1) + at.wrong;
        place = place * (ENOUGH + ATTEMPTS) + at.open_six;
        place = place * (self.codes * ATTEMPTS + 1) + at.open_eight;
        (place * 2 + u32::from(at.watched)) as usize
    }
}

// MC11: 30 codes allow 150 guesses. Of these 24 can be made to meet six digits, and that costs one:
// before the last such code is made, 19 attempts must count, and four codes have 20.
#[test]
fn thirty_codes_are_guessed_with_a_chance_of_253_in_ten_million_at_most() {
    let worst = Chances::with(30).of_a_day();
    assert_eq!(worst, 24 * SIX + 125 * EIGHT);
    assert!(f64::from(worst) / 1e8 <= 2.53e-5);
}

// MC11: of one network ten mails a day, and five of the hour before whose codes may still be alive. (All
// networks together get thirty in 24 hours and a code's life, so that no more are alive in 24 hours.)
#[test]
fn one_network_keeps_well_below_it_in_any_24_hours() {
    let worst = Chances::with(10 + 5).of_a_day();
    assert_eq!(worst, 24 * SIX + 50 * EIGHT);
}

// The search misses no guess that there is: where the rule does not bite, it finds all.
#[test]
fn four_codes_are_all_guessed_at_six_digits_and_the_sixth_at_eight() {
    assert_eq!(Chances::with(4).of_a_day(), 4 * ATTEMPTS * SIX);
    assert_eq!(Chances::with(5).of_a_day(), 24 * SIX);
    assert_eq!(Chances::with(6).of_a_day(), 24 * SIX + 5 * EIGHT);
}
