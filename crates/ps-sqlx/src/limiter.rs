//! Limits, counted in one log of times for each key.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{Hit, LimitRule, Limited, Limiter, StoreResult, Timestamp, judge_limits};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
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
        for key in keys {
            on.lock(key).await?;
        }
        let mut logs = Vec::with_capacity(hits.len());
        for hit in hits {
            logs.push(times(on, hit, *now).await?);
        }
        let answer = judge(hits, &logs, *now);
        if let Limited::Passed { .. } = answer
            && hits.iter().any(|hit| hit.cost > 0)
        {
            for hit in hits {
                add(on, hit, *now).await?;
            }
            sweep(on, *now).await?;
        }
        Ok(answer)
    }
}

fn judge(hits: &[Hit], logs: &[Vec<Timestamp>], now: Timestamp) -> Limited {
    let rules = hits.iter().zip(logs).enumerate();
    let rules = rules.map(|(place, (hit, log))| {
        let cost = cost_so_far(&hits[..=place], hit);
        (hit.rule, cost, log.as_slice())
    });
    judge_limits(rules, now)
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
    if hit.cost == 0 {
        return Ok(());
    }
    let add = Statement::new(
        "INSERT INTO ps_hits (name, at, times, kept_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name, at) DO UPDATE SET times = ps_hits.times + excluded.times, \
         kept_until = CASE WHEN ps_hits.kept_until < excluded.kept_until \
         THEN excluded.kept_until ELSE ps_hits.kept_until END",
    );
    let kept_until = now.plus(hit.rule.per).plus(SLACK);
    let add = add.with(hit.key.as_str()).with(now).with(hit.cost);
    on.rows(add.with(kept_until)).await?;
    Ok(())
}

async fn sweep(on: &mut dyn Connection, now: Timestamp) -> StoreResult<()> {
    let sweep = Statement::new(
        "DELETE FROM ps_hits WHERE (name, at) IN (SELECT name, at FROM ps_hits \
         WHERE kept_until <= $1 ORDER BY kept_until LIMIT $2)",
    );
    on.rows(sweep.with(now).with(SWEPT)).await?;
    Ok(())
}

/// What `hit` and those before it cost under its key: two hits of one key in one call are two.
fn cost_so_far(hits: &[Hit], hit: &Hit) -> u32 {
    let same = hits.iter().filter(|other| other.key == hit.key);
    same.fold(0, |sum, other| sum.saturating_add(other.cost))
}

fn read(mut row: Row) -> StoreResult<(Timestamp, u32)> {
    Ok((row.next()?, row.next()?))
}
