//! What becomes of a mail after a try.

use std::time::Duration;

use crate::{MailError, Timestamp};

/// Between the first try and the second; each pause after it is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// How often a pause is doubled: up to 64 seconds.
const DOUBLINGS: u32 = 5;

/// What one try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// It was not sent, and another try would end the same.
    Hopeless,
    /// It was certainly not sent, and may be by another try.
    NotSent,
    /// The server has taken it.
    Sent,
    /// It was handed over, and nobody knows whether the server has taken it.
    Unknown,
}

impl From<Result<(), MailError>> for Tried {
    fn from(answer: Result<(), MailError>) -> Self {
        match answer {
            Ok(()) => Self::Sent,
            Err(MailError::Refused(_)) => Self::Hopeless,
            Err(MailError::Unavailable(_)) => Self::NotSent,
            Err(MailError::Unknown(_)) => Self::Unknown,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again, at this time.
    Again(Timestamp),
    /// Give it up.
    Fail,
    /// Nothing: it is sent.
    Sent,
    /// Nothing: whether it is sent is not known, and it must not be sent twice.
    Unknown,
}

/// `tries` is how many there were, this one included; `until` how long sending is of use; `last`
/// whether nothing is to be tried again.
pub(super) fn judge(
    tried: Tried,
    tries: u32,
    until: Timestamp,
    last: bool,
    now: Timestamp,
) -> Verdict {
    match tried {
        Tried::Hopeless => Verdict::Fail,
        Tried::NotSent => {
            let again = now.plus(pause(tries));
            if last || again >= until {
                Verdict::Fail
            } else {
                Verdict::Again(again)
            }
        }
        Tried::Sent => Verdict::Sent,
        Tried::Unknown => Verdict::Unknown,
    }
}

fn pause(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(DOUBLINGS);
    FIRST_PAUSE * 2_u32.pow(doublings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    // MC17, F8
    #[test]
    fn only_what_was_certainly_not_sent_is_tried_again_and_only_in_time() {
        let (early, far) = (1, at(9_000));
        let table = [
            (Tried::Sent, early, far, false, Verdict::Sent),
            (Tried::Unknown, early, far, false, Verdict::Unknown),
            (Tried::Hopeless, early, far, false, Verdict::Fail),
            (Tried::NotSent, early, far, false, Verdict::Again(at(1_002))),
            (Tried::NotSent, early, far, true, Verdict::Fail),
            (
                Tried::NotSent,
                early,
                at(1_003),
                false,
                Verdict::Again(at(1_002)),
            ),
            (Tried::NotSent, early, at(1_002), false, Verdict::Fail),
            (Tried::NotSent, early, at(999), false, Verdict::Fail),
            (Tried::NotSent, 6, far, false, Verdict::Again(at(1_064))),
            (
                Tried::NotSent,
                u32::MAX,
                far,
                false,
                Verdict::Again(at(1_064)),
            ),
            (Tried::Sent, early, at(0), true, Verdict::Sent),
            (Tried::Unknown, early, at(0), true, Verdict::Unknown),
        ];
        for (tried, tries, until, last, verdict) in table {
            let judged = judge(tried, tries, until, last, NOW);
            assert_eq!(judged, verdict, "{tried:?} {tries} {until:?} {last}");
        }
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let pauses = (0..9).map(|tries| pause(tries).as_secs());
        assert!(pauses.eq([2, 2, 4, 8, 16, 32, 64, 64, 64]));
    }

    #[test]
    fn each_answer_of_a_mailer_says_whether_it_may_be_sent_again() {
        let table = [
            (Ok(()), Tried::Sent),
            (Err(MailError::Refused("no".into())), Tried::Hopeless),
            (Err(MailError::Unavailable("later".into())), Tried::NotSent),
            (Err(MailError::Unknown("cut".into())), Tried::Unknown),
        ];
        for (answer, tried) in table {
            assert_eq!(Tried::from(answer), tried);
        }
    }
}
