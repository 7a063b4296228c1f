//! Feeds.

use async_trait::async_trait;
use ps_core::{Change, Changes, Cursor, SessionId, StoreResult, Timestamp};
use ps_testkit::conformance::changes as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn feeds_fail() {
    let table = [
        (Flaw::FeedBackwards, "the_feed_is_read_from_any_place"),
        (Flaw::FeedOutOfOrder, "the_feed_is_read_from_any_place"),
        (
            Flaw::FeedMissesSome,
            "a_follower_misses_nothing_and_reads_nothing_twice",
        ),
        (
            Flaw::FeedRepeats,
            "a_follower_misses_nothing_and_reads_nothing_twice",
        ),
        (Flaw::FeedCommitsLate, "what_is_acknowledged_is_in_the_feed"),
        (Flaw::EndUntold, "what_is_acknowledged_is_in_the_feed"),
        (
            Flaw::FeedPurgesAll,
            "a_purge_forgets_what_is_old_and_hands_out_no_place_again",
        ),
        (
            Flaw::FeedPurgesNothing,
            "a_purge_forgets_what_is_old_and_hands_out_no_place_again",
        ),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl Changes for Broken {
    async fn since(&self, after: Cursor, at_most: u32) -> StoreResult<Vec<(Cursor, Change)>> {
        let sound = self.sound();
        let mut told = match self.flaw {
            Flaw::FeedRepeats => {
                let before = Cursor::new(after.number().saturating_sub(1));
                sound.since(before, at_most).await?
            }
            _ => sound.since(after, at_most).await?,
        };
        told.retain(|(place, _)| !self.notes().untold.contains(place));
        match self.flaw {
            Flaw::FeedBackwards => told.reverse(),
            Flaw::FeedOutOfOrder if told.len() > 1 => {
                let (first, second) = (told[0].1, told[1].1);
                (told[0].1, told[1].1) = (second, first);
            }
            Flaw::FeedMissesSome => told.retain(|(place, _)| place.number() % 10 != 3),
            Flaw::FeedCommitsLate => {
                let (end, _) = sound.ended_since(Timestamp::from_millis(0)).await?;
                told.retain(|(place, _)| {
                    place.number() % 10 != 3 || place.number() + 5 < end.number()
                });
            }
            _ => {}
        }
        Ok(told)
    }

    async fn ended_since(&self, start: Timestamp) -> StoreResult<(Cursor, Vec<SessionId>)> {
        let sound = self.sound();
        match self.flaw {
            Flaw::EndedSinceExclusive => {
                let after = start.plus(std::time::Duration::from_millis(1));
                sound.ended_since(after).await
            }
            Flaw::EndedForgotten => Ok((sound.ended_since(start).await?.0, Vec::new())),
            Flaw::EndedSinceReadsTwice => {
                let (_, ended) = sound.ended_since(start).await?;
                self.pause().await;
                Ok((sound.ended_since(start).await?.0, ended))
            }
            _ => sound.ended_since(start).await,
        }
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        match self.flaw {
            Flaw::FeedPurgesAll => Changes::purge(&self.sound(), before, u32::MAX).await,
            Flaw::FeedPurgesNothing => Ok(0),
            _ => Changes::purge(&self.sound(), before, at_most).await,
        }
    }

    async fn time(&self) -> StoreResult<Timestamp> {
        self.sound().time().await
    }
}
