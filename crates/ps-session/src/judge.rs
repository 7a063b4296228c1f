//! What a refresh token is worth, as a pure function.

use std::time::Duration;

use ps_core::{Refusal, Standing, Timestamp};

use crate::{RotationKey, SessionPolicy, SessionRecord};

/// What a client presents: an authentic refresh token, and perhaps a name for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The generation of the token.
    pub generation: u32,
    /// The `Idempotency-Key` that came with it.
    pub key: Option<RotationKey>,
}

/// What it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is ahead of its row, which was therefore restored from a backup: refused.
    Ahead,
    /// It is the head: the session advances by exactly one.
    Head,
    /// The session is over, for this reason: refused.
    Refused(Refusal),
    /// The same request as the one that made the head, whose answer was lost: the same answer.
    Repeated,
    /// It was used up, and somebody has it who should not: the session ends.
    Replayed,
    /// It was used up a moment ago, as when two tabs race: refused, and nothing else happens.
    Superseded,
}

/// Judges `presented` by the row of its session and the standing of that session's account, if
/// there is such a row (RFC 9700 §4.14).
///
/// [`Verdict::Head`] is exactly the condition under which
/// [`SessionStore::rotate`](crate::SessionStore::rotate) advances a row, so this is asked only
/// where nothing was advanced. An old token never becomes a new one: the most that it can bring is
/// what was made for it already.
#[must_use]
pub fn judge_refresh(
    presented: &Presented,
    found: Option<(&SessionRecord, &Standing)>,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Verdict {
    let Some((row, standing)) = found else {
        return Verdict::Refused(Refusal::Unknown);
    };
    if let Some(why) = over(row, standing, now) {
        return Verdict::Refused(why);
    }
    let age = now.since(row.refreshed_at);
    let Some(behind) = row.generation.checked_sub(presented.generation) else {
        return Verdict::Ahead;
    };
    match behind {
        0 => Verdict::Head,
        1 if is_within(age, policy.retry_window) && is_repetition(presented, row) => {
            Verdict::Repeated
        }
        1 if is_within(age, policy.race_window) => Verdict::Superseded,
        _ => Verdict::Replayed,
    }
}

/// Why a proof that has opened the session `row` before brings nothing more, if it does not: it must
/// be alive, never refreshed, and opened no longer than `window` ago.
pub(crate) fn judge_delivery(
    row: &SessionRecord,
    standing: &Standing,
    window: Duration,
    now: Timestamp,
) -> Option<Refusal> {
    let fresh = row.generation == 0 && is_within(now.since(row.authenticated_at), window);
    over(row, standing, now).or((!fresh).then_some(Refusal::Spent))
}

/// Why nothing carries the session on any more, if it is over.
pub(crate) fn over(row: &SessionRecord, standing: &Standing, now: Timestamp) -> Option<Refusal> {
    if row.ended_at.is_some() {
        Some(Refusal::Ended)
    } else if now >= row.expires_at() {
        Some(Refusal::Expired)
    } else if standing.disabled_at.is_some() {
        Some(Refusal::AccountDisabled)
    } else if standing.version != row.version {
        Some(Refusal::AccountChanged)
    } else {
        None
    }
}

/// Whether the request that made the head is sent again. A client that always sends the same key
/// says nothing by it.
fn is_repetition(presented: &Presented, row: &SessionRecord) -> bool {
    presented.key.is_some()
        && presented.key == row.rotation_key
        && presented.key != row.rotation_key_before
}

/// A window of zero lets nothing through, not even in the same millisecond.
fn is_within(age: Duration, window: Duration) -> bool {
    !window.is_zero() && age <= window
}

#[cfg(test)]
mod tests {
    use ps_core::{AccountId, AccountVersion, SessionId, SystemRandom};

    use super::*;
    use crate::{FamilyDigest, Method};

    const MINUTE: Duration = Duration::from_secs(60);
    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    /// Head at generation 5, made by a rotation under key B, the one before under key A.
    fn row() -> SessionRecord {
        SessionRecord {
            id: SessionId::random(&SystemRandom),
            account: AccountId::new("a").unwrap(),
            version: AccountVersion::new(3),
            family: FamilyDigest::from_bytes([1; 32]),
            generation: 5,
            rotation_key: key(b'B'),
            rotation_key_before: key(b'A'),
            method: Method::MagicCode,
            authenticated_at: NOW.minus(60 * MINUTE),
            refreshed_at: NOW.minus(Duration::from_secs(3)),
            idle_ends_at: NOW.plus(MINUTE),
            ends_at: NOW.plus(MINUTE),
            ended_at: None,
            network: "203.0.113.0/24".to_owned(),
            user_agent: None,
        }
    }

    fn standing() -> Standing {
        Standing {
            version: AccountVersion::new(3),
            proven_at: Some(NOW),
            disabled_at: None,
        }
    }

    fn key(name: u8) -> Option<RotationKey> {
        Some(RotationKey::from_bytes([name; 32]))
    }

    fn judge(generation: u32, key: Option<RotationKey>, row: &SessionRecord) -> Verdict {
        let presented = Presented { generation, key };
        let policy = SessionPolicy::default();
        judge_refresh(&presented, Some((row, &standing())), &policy, NOW)
    }

    /// The row, its head made so many milliseconds ago.
    fn aged(millis: u64) -> SessionRecord {
        SessionRecord {
            refreshed_at: NOW.minus(Duration::from_millis(millis)),
            ..row()
        }
    }

    // SE15
    #[test]
    fn a_token_is_worth_what_its_generation_and_age_say() {
        use Verdict::{Ahead, Head, Repeated, Replayed, Superseded};
        let (retry, race) = (600_000, 10_000);
        let table = [
            (5, None, 0, Head),
            (5, key(b'B'), u64::MAX / 4, Head),
            (4, key(b'B'), 0, Repeated),
            (4, key(b'B'), retry, Repeated),
            (4, key(b'B'), retry + 1, Replayed),
            (4, key(b'C'), 0, Superseded),
            (4, None, race, Superseded),
            (4, None, race + 1, Replayed),
            (4, key(b'C'), race + 1, Replayed),
            (3, key(b'A'), 0, Replayed),
            (3, key(b'B'), 0, Replayed),
            (0, None, 0, Replayed),
            (6, None, 0, Ahead),
            (u32::MAX, key(b'B'), u64::MAX / 4, Ahead),
        ];
        for (generation, key, age, verdict) in table {
            assert_eq!(
                judge(generation, key, &aged(age)),
                verdict,
                "{generation} {key:?} {age}"
            );
        }
    }

    // SE15
    #[test]
    fn a_constant_key_and_no_key_buy_no_repetition() {
        let constant = SessionRecord {
            rotation_key_before: key(b'B'),
            ..aged(11_000)
        };
        assert_eq!(judge(4, key(b'B'), &constant), Verdict::Replayed);
        let keyless = SessionRecord {
            rotation_key: None,
            ..aged(11_000)
        };
        assert_eq!(judge(4, None, &keyless), Verdict::Replayed);
    }

    // SE15
    #[test]
    fn a_window_of_zero_is_strict() {
        let strict = SessionPolicy::default()
            .with_race_window(Duration::ZERO)
            .with_retry_window(Duration::ZERO);
        for key in [key(b'B'), None] {
            let presented = Presented { generation: 4, key };
            let found = Some((&aged(0), &standing()));
            let verdict = judge_refresh(&presented, found, &strict, NOW);
            assert_eq!(verdict, Verdict::Replayed);
        }
    }

    // SE15, SE18, SE23
    #[test]
    fn a_session_that_is_over_comes_before_everything_else() {
        let ended = SessionRecord {
            ended_at: Some(NOW),
            ..row()
        };
        let idle = SessionRecord {
            idle_ends_at: NOW,
            ..row()
        };
        let old = SessionRecord {
            ends_at: NOW,
            ..row()
        };
        let disabled = Standing {
            disabled_at: Some(NOW),
            ..standing()
        };
        let raised = Standing {
            version: AccountVersion::new(4),
            ..standing()
        };
        let table = [
            (ended, standing(), Refusal::Ended),
            (idle, standing(), Refusal::Expired),
            (old, standing(), Refusal::Expired),
            (row(), disabled, Refusal::AccountDisabled),
            (row(), raised, Refusal::AccountChanged),
        ];
        let policy = SessionPolicy::default();
        for generation in [0, 4, 5, 6] {
            let presented = Presented {
                generation,
                key: key(b'B'),
            };
            for (row, standing, why) in &table {
                let verdict = judge_refresh(&presented, Some((row, standing)), &policy, NOW);
                assert_eq!(verdict, Verdict::Refused(*why));
            }
            let unknown = judge_refresh(&presented, None, &policy, NOW);
            assert_eq!(unknown, Verdict::Refused(Refusal::Unknown));
        }
    }
}
