//! How many digits a new code gets and how long a mail must wait, as pure functions.

use std::time::Duration;

use ps_core::{LimitRule, Limited, Timestamp, judge_limits};

use crate::{Exposure, Sends};

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

/// Which bound the next mail must wait for and how long, if it must.
///
/// `in_lane` are the times of the mails counted in the lane of `sends`, `in_all` of those that the
/// address got in any lane, oldest first; of each the newest are enough, as many as the rules allow.
/// Known browsers have a lane to themselves and are served however many mails strangers have asked for:
/// for them `in_all` is not looked at.
#[must_use]
pub fn wait(
    sends: &Sends,
    in_lane: &[Timestamp],
    in_all: &[Timestamp],
    now: Timestamp,
) -> Option<(LimitRule, Duration)> {
    let budget = &sends.budget;
    let rules = [
        (budget.hourly, 1, in_lane),
        (budget.daily, 1, in_lane),
        (budget.address, 1, in_all),
    ];
    let many = if sends.lane.is_known() { 2 } else { 3 };
    match judge_limits(rules[..many].iter().copied(), now) {
        Limited::Passed { .. } => None,
        Limited::Refused { rule, retry_after } => Some((rules[rule].0, retry_after)),
    }
}

#[cfg(test)]
mod tests {
    use ps_core::{Lane, Network};

    use super::*;
    use crate::CodePolicy;

    // MC10, MC12
    #[test]
    fn strangers_share_an_address_and_known_browsers_have_a_lane_to_themselves() {
        const HOUR: u64 = 3_600;
        let budget = CodePolicy::default().sends;
        let now = Timestamp::from_seconds(1_000_000);
        // How long ago the mails were: in the lane, and in all others.
        let at = |ages: &[u64]| -> Vec<Timestamp> {
            let ages = ages.iter().rev();
            ages.map(|age| now.minus(Duration::from_secs(*age)))
                .collect()
        };
        let (four, five) = ([0, 1, 2, 3], [0, 1, 2, 3, 4]);
        let ten: Vec<u64> = (0..10).map(|n| HOUR + n * 1_000).collect();
        let thirty: Vec<u64> = (0..30).map(|n| n * 2_000).collect();
        let oldest = 24 * HOUR + 600 - 29 * 2_000;
        let table = [
            (&[][..], &[][..], [None, None]),
            (&four, &four, [None, None]),
            (&five, &five, [Some((budget.hourly, HOUR - 4)); 2]),
            (&ten, &ten, [Some((budget.daily, 23 * HOUR - 9_000)); 2]),
            (&[], &thirty[..29], [None, None]),
            (&[], &thirty, [Some((budget.address, oldest)), None]),
        ];
        let stranger = Lane::Network(Network::of([203, 0, 113, 7].into()));
        for (in_lane, in_all, waits) in table {
            let (in_lane, in_all) = (at(in_lane), at(in_all));
            for (lane, expected) in [stranger, Lane::Known].into_iter().zip(waits) {
                let found = wait(&budget.in_lane(lane), &in_lane, &in_all, now);
                let expected = expected.map(|(rule, wait)| (rule, Duration::from_secs(wait)));
                assert_eq!(found, expected, "{lane}: {in_lane:?} of {in_all:?}");
            }
        }
    }

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
