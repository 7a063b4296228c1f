//! What is counted on an address: mails, and wrong guesses.

use std::time::Duration;

use ps_core::{EmailAddress, LimitRule, StoreResult, Timestamp};
use ps_magiccode::{Challenge, Exposure, Sends, wait};

use crate::{
    backend::Connection,
    purge::Purged,
    row::{firsts, only},
    statement::Statement,
};

/// How long counts are kept where no rule looks further back.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Which bound the next mail must wait for and how long, if it must. No rule looks at more mails than
/// it allows.
pub(crate) async fn wait_for_mail(
    on: &mut dyn Connection,
    email: &EmailAddress,
    sends: &Sends,
    now: Timestamp,
) -> StoreResult<Option<(LimitRule, Duration)>> {
    let budget = &sends.budget;
    let own = Statement::new(
        "SELECT at FROM ps_mails WHERE email = $1 AND at > $2 AND lane = $4 \
         ORDER BY at DESC LIMIT $3",
    );
    let own = own
        .with(email)
        .with(now.minus(budget.hourly.per.max(budget.daily.per)))
        .with(budget.hourly.limit.max(budget.daily.limit))
        .with(sends.lane.to_string());
    let in_lane = times(on, own).await?;
    let mut in_all = Vec::new();
    if !sends.lane.is_known() {
        let all = Statement::new(
            "SELECT at FROM ps_mails WHERE email = $1 AND at > $2 ORDER BY at DESC LIMIT $3",
        );
        let all = all.with(email).with(now.minus(budget.address.per));
        in_all = times(on, all.with(budget.address.limit)).await?;
    }
    Ok(wait(sends, &in_lane, &in_all, now))
}

/// The times that a statement answers newest first, oldest first.
async fn times(on: &mut dyn Connection, newest: Statement) -> StoreResult<Vec<Timestamp>> {
    let mut times = firsts::<Timestamp>(on.rows(newest).await?)?;
    times.reverse();
    Ok(times)
}

/// Counts a challenge's mail, its `number`th.
pub(crate) async fn mail(
    on: &mut dyn Connection,
    challenge: &Challenge,
    number: u32,
    sends: &Sends,
    now: Timestamp,
) -> StoreResult<()> {
    let budget = &sends.budget;
    let span = budget
        .hourly
        .per
        .max(budget.daily.per)
        .max(budget.address.per);
    let mail = Statement::new(
        "INSERT INTO ps_mails (challenge_id, number, email, at, kept_until, lane) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let mail = mail.with(challenge.id.as_str()).with(number);
    let mail = mail
        .with(&challenge.email)
        .with(now)
        .with(now.plus(span.max(KEPT)));
    on.rows(mail.with(sends.lane.to_string())).await?;
    Ok(())
}

/// For how long the guesses at a challenge count that is placed under these bounds, in milliseconds:
/// a number to which any time can be added.
pub(crate) fn counted_for(exposure: &Exposure) -> i64 {
    let span = exposure.address.per.max(exposure.everywhere.per).max(KEPT);
    i64::try_from(span.as_millis()).map_or(i64::MAX / 2, |span| span.min(i64::MAX / 2))
}

/// The digits of a new code. Asked before its challenge is there: its own attempts do not count.
pub(crate) async fn digits(
    on: &mut dyn Connection,
    email: &EmailAddress,
    exposure: &Exposure,
    now: Timestamp,
) -> StoreResult<u8> {
    let Exposure {
        address,
        everywhere,
    } = exposure;
    // An attempt that is claimed meanwhile stops being open and becomes a guess: in this order it is
    // counted twice at worst, never not at all.
    let open = Statement::new(
        "SELECT CAST(COALESCE(SUM(attempts_left), 0) AS BIGINT) FROM ps_challenges \
         WHERE email = $1 AND spent_at IS NULL AND expires_at > $2",
    );
    let open = count(on, open.with(email).with(now)).await?;
    let here = Statement::new(
        "SELECT COUNT(*) FROM (SELECT 1 FROM ps_guesses WHERE at > $1 AND email = $3 LIMIT $2) AS g",
    );
    let here = within(here, address, now).with(email);
    let here = count(on, here).await?;
    // Whatever was guessed lately is kept for `KEPT` at least, which is how the index finds it.
    let all = Statement::new(
        "SELECT COUNT(*) FROM (SELECT 1 FROM ps_guesses WHERE at > $1 AND kept_until > $3 LIMIT $2) AS g",
    );
    let all = within(all, everywhere, now).with(now.minus(everywhere.per).plus(KEPT));
    let all = count(on, all).await?;
    Ok(ps_magiccode::digits(exposure, here, open, all))
}

/// As many as the rule allows are as good as more.
fn within(counting: Statement, rule: &LimitRule, now: Timestamp) -> Statement {
    counting.with(now.minus(rule.per)).with(rule.limit)
}

async fn count(on: &mut dyn Connection, counting: Statement) -> StoreResult<u32> {
    let number: u64 = only(on.rows(counting).await?)?.next()?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Mails that no rule asks for any more.
pub(crate) const MAILS: Purged = Purged {
    table: "ps_mails",
    key: "email, at, challenge_id, number",
    which: "kept_until < $1",
    oldest: "kept_until",
};

/// Guesses that no rule asks for any more.
pub(crate) const GUESSES: Purged = Purged {
    table: "ps_guesses",
    key: "email, at, challenge_id, attempts_left",
    which: "kept_until < $1",
    oldest: "kept_until",
};
