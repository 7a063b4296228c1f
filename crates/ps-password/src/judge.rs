//! Who may set a new password, as a pure function.

use std::time::Duration;

/// What somebody shows who wants a new password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Whether the account has a password.
    pub(crate) has_password: bool,
    /// The current password.
    pub(crate) current: Current,
    /// How long ago the person signed in.
    pub(crate) age: Duration,
    /// Whether that was by a code to the mailbox or by a linked provider, and not by a password.
    pub(crate) by_mailbox_or_provider: bool,
}

/// What came of the current password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Current {
    /// None was given, or there is none to compare with.
    NotGiven,
    /// It is that.
    Right,
    /// It is not.
    Wrong,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The new password is taken.
    Allowed,
    /// What was given as the current one is not it.
    CurrentWrong,
    /// The person has to sign in again, or to give the current one.
    ReauthenticationRequired,
}

/// Judges whether a new password is taken from a session as old as `shown.age`.
///
/// Where the account has a password, the current one is enough and a wrong one is too much; without
/// it only a sign-in that was no older than `fresh` and needed no password will do, which is how a
/// forgotten one is replaced. A first password takes any sign-in that fresh. So a session left open
/// somewhere cannot be made into a password.
pub(crate) fn judge_change(shown: Shown, fresh: Duration) -> Verdict {
    let is_fresh = shown.age <= fresh;
    match (shown.has_password, shown.current) {
        (true, Current::Right) => Verdict::Allowed,
        (true, Current::Wrong) => Verdict::CurrentWrong,
        (true, Current::NotGiven) if is_fresh && shown.by_mailbox_or_provider => Verdict::Allowed,
        (false, _) if is_fresh => Verdict::Allowed,
        _ => Verdict::ReauthenticationRequired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use Current::{NotGiven, Right, Wrong};
        use Verdict::{Allowed, CurrentWrong, ReauthenticationRequired as Again};
        const TEN_MINUTES: u64 = 600_000;
        let ages = [0, TEN_MINUTES, TEN_MINUTES + 1, u64::MAX];
        // has a password, the current one, by mailbox or provider → at each of the ages
        let table = [
            (true, NotGiven, true, [Allowed, Allowed, Again, Again]),
            (true, NotGiven, false, [Again; 4]),
            (true, Right, true, [Allowed; 4]),
            (true, Right, false, [Allowed; 4]),
            (true, Wrong, true, [CurrentWrong; 4]),
            (true, Wrong, false, [CurrentWrong; 4]),
            (false, NotGiven, true, [Allowed, Allowed, Again, Again]),
            (false, NotGiven, false, [Allowed, Allowed, Again, Again]),
            (false, Right, true, [Allowed, Allowed, Again, Again]),
            (false, Right, false, [Allowed, Allowed, Again, Again]),
            (false, Wrong, true, [Allowed, Allowed, Again, Again]),
            (false, Wrong, false, [Allowed, Allowed, Again, Again]),
        ];
        for (has_password, current, by_mailbox_or_provider, verdicts) in table {
            for (age, verdict) in ages.into_iter().zip(verdicts) {
                let shown = Shown {
                    has_password,
                    current,
                    age: Duration::from_millis(age),
                    by_mailbox_or_provider,
                };
                let found = judge_change(shown, Duration::from_millis(TEN_MINUTES));
                assert_eq!(found, verdict, "{shown:?}");
            }
        }
    }
}
