//! Limits, counted in one log of times for each key.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{Hit, HitEffect, LimitRule, Limited, Limiter, StoreResult, Timestamp, judge_hits};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    purge::{Purge, Purged},
    row::Row,
    statement::Statement,
};

/// Callers read their clocks before they wait for the lock, so one who comes later may stand
/// earlier in time, and must still find what counts for them.
const SLACK: Duration = Duration::from_secs(10);
/// How many old entries each call that counts anything deletes: more than it makes, so that the
/// table shrinks to what can still be asked for.
const SWEPT: u32 = 16;

#[async_trait]
impl<DB: Backend> Limiter for SqlStore<DB> {
    async fn hit(&self, hits: &[Hit], now: Timestamp) -> StoreResult<Limited> {
        let hits = hits.to_vec();
        self.database.write(Count { hits, now }).await
    }
}

struct Count {
    hits: Vec<Hit>,
    now: Timestamp,
}

#[async_trait]
impl Unit for Count {
    type Outcome = Limited;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Limited> {
        let Self { hits, now } = self;
        // In one order everywhere, so that no two units wait for each other.
        let mut keys: Vec<_> = hits.iter().map(|hit| hit.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        on.lock(&keys).await?;
        let mut logs = Vec::with_capacity(hits.len());
        for hit in hits {
            logs.push(times(on, hit, *now).await?);
        }
        let answer = judge_hits(hits, logs.iter().map(Vec::as_slice), *now);
        if let Limited::Passed { .. } = answer {
            let with = |effect| hits.iter().filter(move |hit| hit.effect == effect);
            for hit in with(HitEffect::GivesBack) {
                take(on, hit, *now).await?;
            }
            for hit in with(HitEffect::Counts) {
                add(on, hit, *now).await?;
            }
            if with(HitEffect::Counts).next().is_some() {
                sweep(on, *now).await?;
            }
        }
        Ok(answer)
    }
}

/// What was counted under the key within the rule's span, oldest first. No rule looks at more than
/// as many as it allows.
async fn times(on: &mut dyn Connection, hit: &Hit, now: Timestamp) -> StoreResult<Vec<Timestamp>> {
    let LimitRule { limit, per } = hit.rule;
    let newest = Statement::new(
        "SELECT at, times FROM ps_hits WHERE name = $1 AND at > $2 ORDER BY at DESC LIMIT $3",
    );
    let newest = newest
        .with(hit.key.as_str())
        .with(now.minus(per))
        .with(limit);
    let mut log = Vec::new();
    for row in on.rows(newest).await? {
        let (at, times) = read(row)?;
        let room = (limit as usize).saturating_sub(log.len());
        log.extend(std::iter::repeat_n(at, room.min(times as usize)));
    }
    log.reverse();
    Ok(log)
}

async fn add(on: &mut dyn Connection, hit: &Hit, now: Timestamp) -> StoreResult<()> {
    let add = Statement::new(
        "INSERT INTO ps_hits (name, at, times, kept_until) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (name, at) DO UPDATE SET times = ps_hits.times + 1, \
         kept_until = CASE WHEN ps_hits.kept_until < excluded.kept_until \
         THEN excluded.kept_until ELSE ps_hits.kept_until END",
    );
    let kept_until = now.plus(hit.rule.per).plus(SLACK);
    let add = add.with(hit.key.as_str()).with(now).with(kept_until);
    on.rows(add).await?;
    Ok(())
}

/// Gives back one that was counted now. A row that counts nothing must not stay: it would hide an
/// older one from [`times`].
async fn take(on: &mut dyn Connection, hit: &Hit, now: Timestamp) -> StoreResult<()> {
    let takes = [
        Statement::new("UPDATE ps_hits SET times = times - 1 WHERE name = $1 AND at = $2"),
        Statement::new("DELETE FROM ps_hits WHERE name = $1 AND at = $2 AND times < 1"),
    ];
    for take in takes {
        on.rows(take.with(hit.key.as_str()).with(now)).await?;
    }
    Ok(())
}

async fn sweep(on: &mut dyn Connection, now: Timestamp) -> StoreResult<()> {
    const HITS: Purged = Purged {
        table: "ps_hits",
        key: "name, at",
        which: "kept_until <= $1",
        oldest: "kept_until",
    };
    Purge::new(HITS, now, SWEPT).run(on).await?;
    Ok(())
}

fn read(mut row: Row) -> StoreResult<(Timestamp, u32)> {
    Ok((row.next()?, row.next()?))
}
