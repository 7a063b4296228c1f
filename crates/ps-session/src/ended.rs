//! The sessions that ended lately, so that their access tokens die with them.

use std::{
    collections::{HashSet, VecDeque},
    sync::{PoisonError, RwLock},
    time::Duration,
};

use ps_core::{SessionId, Timestamp};

use crate::policy::LONGEST_ACCESS_LIFE;

/// How many are remembered: about 20 MB, or 245 a second for as long as each is remembered. Beyond
/// that a node is not wrong but slower.
const CAPACITY: usize = 250_000;

/// How long one is remembered. After that no access token of it is left, clocks that differ and
/// leeway included.
const MEMORY: Duration = LONGEST_ACCESS_LIFE.saturating_add(Duration::from_secs(2 * 60));

/// What a node knows of a session without asking the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It has ended, for good.
    Ended,
    /// It has not ended, as far as the feed was followed.
    NotEnded,
    /// More ended than can be remembered: only the store knows.
    Nothing,
}

/// The set of ended sessions. None is ever evicted while a token of it may live.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions(RwLock<Ended>);

#[derive(Debug, Default)]
struct Ended {
    ids: HashSet<SessionId>,
    /// The same ids, and when each was noted, the oldest first.
    noted: VecDeque<(Timestamp, SessionId)>,
    /// Until when the tokens of a session may live that there was no room for.
    overflows_until: Option<Timestamp>,
}

impl EndedSessions {
    pub(crate) fn note(&self, id: SessionId, now: Timestamp) {
        let mut ended = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ended.forget_old(now);
        if ended.ids.len() >= CAPACITY && !ended.ids.contains(&id) {
            ended.overflows_until = ended.overflows_until.max(Some(now.plus(MEMORY)));
        } else if ended.ids.insert(id) {
            ended.noted.push_back((now, id));
        }
    }

    pub(crate) fn know(&self, id: &SessionId, now: Timestamp) -> Known {
        let ended = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if ended.ids.contains(id) {
            Known::Ended
        } else if ended.overflows_until.is_some_and(|end| now < end) {
            Known::Nothing
        } else {
            Known::NotEnded
        }
    }
}

impl Ended {
    fn forget_old(&mut self, now: Timestamp) {
        while let Some((noted, id)) = self.noted.front()
            && now.since(*noted) > MEMORY
        {
            self.ids.remove(id);
            self.noted.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn id(number: usize) -> SessionId {
        format!("{number:022}").parse().unwrap()
    }

    // SE10
    #[test]
    fn an_ended_session_is_remembered_as_long_as_a_token_of_it_can_live() {
        let ended = EndedSessions::default();
        ended.note(id(1), START);
        let last = START.plus(MEMORY);
        ended.note(id(2), last);
        assert_eq!(ended.know(&id(1), last), Known::Ended);
        assert_eq!(ended.know(&id(3), last), Known::NotEnded);
        ended.note(id(3), last.plus(Duration::from_millis(1)));
        assert_eq!(ended.know(&id(1), last), Known::NotEnded);
        assert_eq!(ended.know(&id(2), last), Known::Ended);
    }

    #[test]
    fn told_twice_it_is_kept_once() {
        let ended = EndedSessions::default();
        for _ in 0..3 {
            ended.note(id(1), START);
        }
        assert_eq!(ended.0.into_inner().unwrap().noted.len(), 1);
    }

    // SE10: at its bound the node asks the store
    #[test]
    fn what_there_is_no_room_for_is_not_taken_for_alive() {
        let ended = EndedSessions::default();
        for number in 0..CAPACITY {
            ended.note(id(number), START);
        }
        assert_eq!(ended.know(&id(CAPACITY), START), Known::NotEnded);
        ended.note(id(0), START);
        assert_eq!(ended.know(&id(CAPACITY), START), Known::NotEnded);

        let later = START.plus(Duration::from_secs(60));
        ended.note(id(CAPACITY), later);
        assert_eq!(ended.know(&id(CAPACITY), later), Known::Nothing);
        assert_eq!(ended.know(&id(0), later), Known::Ended);

        let room = START.plus(MEMORY + Duration::from_secs(1));
        ended.note(id(CAPACITY + 1), room);
        assert_eq!(ended.know(&id(CAPACITY), room), Known::Nothing);
        assert_eq!(
            ended.know(&id(CAPACITY), later.plus(MEMORY)),
            Known::NotEnded
        );
    }
}
