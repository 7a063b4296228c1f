//! What a store of sessions promises: [`SessionStore`], and what [`Accounts`] and [`Changes`] do about
//! sessions.

mod ending;
mod keeping;
mod looking;
mod opening;
mod record;
mod rotating;

use std::{collections::HashSet, sync::Arc};

use ps_core::{AccountVersion, Accounts, Change, Changes, SessionId, SystemRandom, Timestamp};
use ps_session::{
    Advance, End, FamilyDigest, Method, Opened, RotationKey, SessionRecord, SessionStore, Which,
};

use self::record::IDLE;
pub(super) use self::record::session;
use super::common::{
    DAY, HOUR, MILLISECOND, MINUTE, NOW, ROUNDS, SECOND, account, claim, feed, just_before, race,
};

/// What this suite tests.
pub trait Ports: Accounts + Changes + SessionStore {}
impl<T: Accounts + Changes + SessionStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ sessions __sessions {
        opening {
            what_was_opened_is_found
            opening_needs_the_version_of_the_proof
            a_family_is_opened_once
            an_id_is_not_used_twice
            opening_ends_the_session_it_replaces
            many_openings_at_once_end_at_the_bound
            the_idlest_ends_for_the_newest
        }
        rotating {
            of_many_rotations_at_once_one_advances
            a_rotation_moves_the_head
            only_the_head_of_a_live_session_rotates
            a_late_caller_does_not_outrun_what_overturned_the_account
        }
        ending {
            ending_one_needs_its_account
            ending_is_done_once
            ending_the_others_carries_the_one_that_asks
            ending_all_raises_the_version
            claiming_and_disabling_end_every_session
        }
        looking {
            a_list_shows_who_is_alive
            a_starting_node_learns_what_ended
            what_ended_lately_outlives_the_cleaning
            what_ends_while_a_node_starts_is_in_its_feed
        }
        keeping {
            every_field_comes_back
            a_session_lives_to_the_last_millisecond_and_no_longer
            a_purge_forgets_what_is_over_and_nothing_else
        }
    }
}

const AT_MOST: u32 = 20;

/// Opens it, and answers who ended for it.
async fn open(store: &Store, session: &SessionRecord, now: Timestamp) -> Vec<SessionId> {
    match store.open(session, None, AT_MOST, now).await.unwrap() {
        Opened::Done { ended } => ended,
        other => panic!("{other:?}"),
    }
}

async fn open_instead_of(
    store: &Store,
    session: &SessionRecord,
    old: &FamilyDigest,
    now: Timestamp,
) -> Vec<SessionId> {
    match store.open(session, Some(old), AT_MOST, now).await.unwrap() {
        Opened::Done { ended } => ended,
        other => panic!("{other:?}"),
    }
}

async fn find(store: &Store, session: &SessionRecord) -> Option<SessionRecord> {
    store.find(Which::Id(&session.id)).await.unwrap()
}

async fn rotate(
    store: &Store,
    session: &SessionRecord,
    generation: u32,
    key: Option<RotationKey>,
    now: Timestamp,
) -> Option<SessionRecord> {
    let advance = Advance {
        family: session.family,
        generation,
        key,
        idle_ends_at: now.plus(IDLE),
    };
    store.rotate(&advance, now).await.unwrap()
}

async fn end(store: &Store, which: End<'_>, now: Timestamp) -> Option<Vec<SessionId>> {
    store.end(which, now).await.unwrap()
}

async fn list(store: &Store, name: &str, now: Timestamp) -> Vec<SessionRecord> {
    store.list(&account(name), now).await.unwrap()
}

fn as_set(ids: &[SessionId]) -> HashSet<SessionId> {
    ids.iter().copied().collect()
}
