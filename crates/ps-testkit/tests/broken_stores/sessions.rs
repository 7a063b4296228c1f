//! Stores of sessions.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{AccountId, Accounts, StoreResult, Timestamp};
use ps_session::{Advance, End, FamilyDigest, Opened, SessionRecord, SessionStore, Which};
use ps_testkit::conformance::sessions as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_fail() {
    let table = [
        (Flaw::SessionsHidden, "what_was_opened_is_found"),
        (
            Flaw::OpenIgnoresVersion,
            "opening_needs_the_version_of_the_proof",
        ),
        (Flaw::OpenIgnoresFamily, "a_family_is_opened_once"),
        (Flaw::OpenReplacesItsTwin, "an_id_is_not_used_twice"),
        (
            Flaw::OpenReplacesNothing,
            "opening_ends_the_session_it_replaces",
        ),
        (
            Flaw::SessionsCountedWithoutLock,
            "many_openings_at_once_end_at_the_bound",
        ),
        (Flaw::OpenUntold, "many_openings_at_once_end_at_the_bound"),
        (Flaw::OldestEnds, "the_idlest_ends_for_the_newest"),
        (
            Flaw::RefreshReadsThenWrites,
            "of_many_rotations_at_once_one_advances",
        ),
        (
            Flaw::RefreshForgetsTheKeyBefore,
            "a_rotation_moves_the_head",
        ),
        (
            Flaw::RefreshTakesAnyGeneration,
            "only_the_head_of_a_live_session_rotates",
        ),
        (
            Flaw::RefreshEndsLate,
            "only_the_head_of_a_live_session_rotates",
        ),
        (
            Flaw::RefreshTakesEnded,
            "only_the_head_of_a_live_session_rotates",
        ),
        (
            Flaw::RefreshIgnoresVersion,
            "a_late_caller_does_not_outrun_what_overturned_the_account",
        ),
        (Flaw::EndIgnoresOwner, "ending_one_needs_its_account"),
        (Flaw::EndAnswersAgain, "ending_is_done_once"),
        (Flaw::EndUntold, "ending_is_done_once"),
        (
            Flaw::OthersRaiseNothing,
            "ending_the_others_carries_the_one_that_asks",
        ),
        (
            Flaw::OthersEndAll,
            "ending_the_others_carries_the_one_that_asks",
        ),
        (Flaw::AllRaiseNothing, "ending_all_raises_the_version"),
        (
            Flaw::ClaimKeepsSessions,
            "claiming_and_disabling_end_every_session",
        ),
        (
            Flaw::ClaimUntold,
            "claiming_and_disabling_end_every_session",
        ),
        (
            Flaw::DisableUntold,
            "claiming_and_disabling_end_every_session",
        ),
        (Flaw::ListUnordered, "a_list_shows_who_is_alive"),
        (
            Flaw::EndedSinceExclusive,
            "a_starting_node_learns_what_ended",
        ),
        (
            Flaw::EndedForgotten,
            "what_ended_lately_outlives_the_cleaning",
        ),
        (
            Flaw::EndedSinceReadsTwice,
            "what_ends_while_a_node_starts_is_in_its_feed",
        ),
        (Flaw::SessionForgetsUserAgent, "every_field_comes_back"),
        (
            Flaw::ListEndsLate,
            "a_session_lives_to_the_last_millisecond_and_no_longer",
        ),
        (
            Flaw::RefreshEndsLate,
            "a_session_lives_to_the_last_millisecond_and_no_longer",
        ),
        (
            Flaw::EndEndsLate,
            "a_session_lives_to_the_last_millisecond_and_no_longer",
        ),
        (
            Flaw::OpenEndsLate,
            "a_session_lives_to_the_last_millisecond_and_no_longer",
        ),
        (
            Flaw::SessionsPurgedEarly,
            "a_purge_forgets_what_is_over_and_nothing_else",
        ),
        (
            Flaw::SessionsPurgedUnbounded,
            "a_purge_forgets_what_is_over_and_nothing_else",
        ),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl SessionStore for Broken {
    async fn open(
        &self,
        session: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<Opened> {
        self.keep(session.family.as_bytes());
        self.keep(format!("{} {}", session.id, session.account).as_bytes());
        let sound = self.sound();
        let (mut session, account) = (session.clone(), &session.account);
        let (mut replaces, mut at_most, mut now) = (replaces, at_most, now);
        let mut gone = Vec::new();
        match self.flaw {
            Flaw::OpenIgnoresVersion => session.version = sound.standing(account).await?.version,
            Flaw::OpenReplacesNothing => replaces = None,
            Flaw::OpenEndsLate => now = now.minus(MILLISECOND),
            Flaw::SessionForgetsUserAgent => session.user_agent = None,
            Flaw::SessionsCountedWithoutLock | Flaw::OldestEnds => {
                let mut alive = SessionStore::list(&sound, account, now).await?;
                if self.is(Flaw::OldestEnds) {
                    alive.sort_by_key(|row| std::cmp::Reverse(row.authenticated_at));
                } else {
                    self.pause().await;
                }
                while alive.len() + 1 > at_most as usize {
                    let Some(last) = alive.pop() else { break };
                    let ended = sound.end(End::One(account, &last.id), now).await?;
                    gone.extend(ended.into_iter().flatten());
                }
                at_most = u32::MAX;
            }
            _ => {}
        }
        let act = sound.open(&session, replaces, at_most, now);
        let opened = self.telling(Flaw::OpenUntold, act).await;
        let done = Opened::Done { ended: Vec::new() };
        Ok(match (self.flaw, opened) {
            (Flaw::OpenReplacesItsTwin, Err(_))
            | (Flaw::OpenIgnoresFamily, Ok(Opened::Exists(_))) => done,
            (_, Ok(Opened::Done { mut ended })) => {
                ended.extend(gone);
                Opened::Done { ended }
            }
            (_, opened) => opened?,
        })
    }

    async fn find(&self, by: Which<'_>) -> StoreResult<Option<SessionRecord>> {
        if self.is(Flaw::SessionsHidden) && matches!(by, Which::Family(_)) {
            return Ok(None);
        }
        let mut row = SessionStore::find(&self.sound(), by).await?;
        if let Some(row) = &mut row
            && self.notes().revived_sessions.contains(&row.id)
        {
            row.ended_at = None;
        }
        Ok(row)
    }

    async fn rotate(
        &self,
        advance: &Advance,
        now: Timestamp,
    ) -> StoreResult<Option<SessionRecord>> {
        let sound = self.sound();
        let row = SessionStore::find(&sound, Which::Family(&advance.family)).await?;
        let (mut advance, mut now) = (*advance, now);
        match (self.flaw, &row) {
            (Flaw::RefreshReadsThenWrites, _) => self.pause().await,
            (Flaw::RefreshTakesAnyGeneration, Some(row)) => advance.generation = row.generation,
            (Flaw::RefreshEndsLate, _) => now = now.minus(MILLISECOND),
            _ => {}
        }
        let rotated = SessionStore::rotate(&sound, &advance, now).await?;
        let is_head = |row: &SessionRecord| row.generation == advance.generation;
        let advanced = |row: SessionRecord| SessionRecord {
            generation: row.generation + 1,
            ..row
        };
        Ok(match self.flaw {
            Flaw::RefreshReadsThenWrites | Flaw::RefreshIgnoresVersion => rotated.or_else(|| {
                row.filter(|row| is_head(row) && row.is_alive(now))
                    .map(advanced)
            }),
            Flaw::RefreshTakesEnded => rotated.or_else(|| row.filter(is_head).map(advanced)),
            Flaw::RefreshForgetsTheKeyBefore => rotated.map(|row| SessionRecord {
                rotation_key_before: None,
                ..row
            }),
            _ => rotated,
        })
    }

    async fn end(
        &self,
        which: End<'_>,
        now: Timestamp,
    ) -> StoreResult<Option<Vec<ps_core::SessionId>>> {
        let sound = self.sound();
        let now = match self.flaw {
            Flaw::EndEndsLate => now.minus(MILLISECOND),
            _ => now,
        };
        match (self.flaw, which) {
            (Flaw::EndIgnoresOwner, End::One(_, id)) => {
                let row = SessionStore::find(&sound, Which::Id(id)).await?.unwrap();
                sound.end(End::One(&row.account, id), now).await
            }
            (Flaw::EndAnswersAgain, End::Family(family)) => {
                sound.end(which, now).await?;
                let row = SessionStore::find(&sound, Which::Family(family)).await?;
                Ok(row.map(|row| vec![row.id]))
            }
            (Flaw::OthersRaiseNothing, End::Others(account, asking)) => {
                let mut ended = Vec::new();
                for row in SessionStore::list(&sound, account, now).await? {
                    if row.id != *asking {
                        let one = sound.end(End::One(account, &row.id), now).await?;
                        ended.extend(one.into_iter().flatten());
                    }
                }
                Ok(Some(ended))
            }
            (Flaw::OthersEndAll, End::Others(account, asking)) => {
                let ended = sound.end(which, now).await?;
                sound.end(End::One(account, asking), now).await?;
                Ok(ended)
            }
            (Flaw::AllRaiseNothing, End::All(account)) => {
                let mut ended = Vec::new();
                for row in SessionStore::list(&sound, account, now).await? {
                    let one = sound.end(End::One(account, &row.id), now).await?;
                    ended.extend(one.into_iter().flatten());
                }
                Ok(Some(ended))
            }
            _ => self.telling(Flaw::EndUntold, sound.end(which, now)).await,
        }
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        let sound = self.sound();
        match self.flaw {
            Flaw::SessionsPurgedEarly => {
                SessionStore::purge(&sound, before.plus(MILLISECOND), at_most).await
            }
            Flaw::SessionsPurgedUnbounded => SessionStore::purge(&sound, before, u32::MAX).await,
            _ => SessionStore::purge(&sound, before, at_most).await,
        }
    }

    async fn list(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
        let sound = self.sound();
        let now = match self.flaw {
            Flaw::ListEndsLate => now.minus(MILLISECOND),
            _ => now,
        };
        let mut rows = SessionStore::list(&sound, account, now).await?;
        if self.is(Flaw::ListUnordered) {
            rows.reverse();
        }
        Ok(rows)
    }
}
