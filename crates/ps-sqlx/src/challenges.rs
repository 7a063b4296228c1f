//! Challenges, one row each.

use async_trait::async_trait;
use ps_core::{ChallengeId, EmailAddress, KeyVersion, StoreResult, Timestamp};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, Sends,
};

use crate::{
    SqlStore,
    backend::{Backend, Connection, Unit},
    counts,
    purge::{Purge, Purged},
    row::{Row, columns, firsts, only},
    statement::Statement,
};

/// In the order that [`read`] reads them.
macro_rules! record {
    () => {
        "id, purpose, email, digits, key_version, attempts_left, mailed_at, expires_at"
    };
}

#[async_trait]
impl<DB: Backend> ChallengeStore for SqlStore<DB> {
    async fn place(
        &self,
        new: &NewChallenge,
        exposure: &Exposure,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed> {
        let place = Place {
            new: new.clone(),
            exposure: *exposure,
            sends: *sends,
            now,
        };
        self.database.write(place).await
    }

    async fn resend(
        &self,
        id: &ChallengeId,
        email: &EmailAddress,
        purpose: Purpose,
        rule: &ResendRule,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Option<Placed>> {
        let resend = Resend {
            id: *id,
            email: email.clone(),
            purpose,
            rule: *rule,
            sends: *sends,
            now,
        };
        self.database.write(resend).await
    }

    async fn claim_attempt(
        &self,
        id: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Challenge>> {
        let claim = Claim {
            id: *id,
            email: email.cloned(),
            purpose,
            now,
        };
        self.database.write(claim).await
    }

    async fn consume(&self, id: &ChallengeId, now: Timestamp) -> StoreResult<bool> {
        self.database.write(Consume { id: *id, now }).await
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        let oldest = |which| Purge::new(which, before, at_most);
        let gone = self.database.write(oldest(CHALLENGES)).await?;
        for counted in [counts::MAILS, counts::GUESSES] {
            // Some rows were counted for each challenge, so there may be more than one batch.
            while at_most > 0 && self.database.write(oldest(counted)).await? >= at_most {}
        }
        Ok(gone)
    }
}

const CHALLENGES: Purged = Purged {
    table: "ps_challenges",
    key: "id",
    which: "expires_at < $1",
    oldest: "expires_at",
};

struct Place {
    new: NewChallenge,
    exposure: Exposure,
    sends: Sends,
    now: Timestamp,
}

#[async_trait]
impl Unit for Place {
    type Outcome = Placed;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Placed> {
        let Self {
            new,
            exposure,
            sends,
            now,
        } = self;
        on.lock(&[new.email.as_str()]).await?;
        if let Some((rule, retry_after)) =
            counts::wait_for_mail(on, &new.email, sends, *now).await?
        {
            return Ok(Placed::Spent { rule, retry_after });
        }
        let challenge = Challenge {
            id: new.id,
            purpose: new.purpose,
            email: new.email.clone(),
            digits: counts::digits(on, &new.email, exposure, *now).await?,
            key_version: new.key_version,
            attempts_left: new.attempts,
            mailed_at: *now,
            expires_at: new.expires_at,
        };
        insert(on, &challenge, exposure).await?;
        counts::mail(on, &challenge, 1, sends, *now).await?;
        Ok(Placed::Send(challenge))
    }
}

async fn insert(
    on: &mut dyn Connection,
    challenge: &Challenge,
    exposure: &Exposure,
) -> StoreResult<()> {
    let insert = Statement::new(concat!(
        "INSERT INTO ps_challenges (",
        record!(),
        ", mails, counted_for) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)"
    ));
    let insert = insert
        .with(challenge.id.as_str())
        .with(challenge.purpose.as_str())
        .with(&challenge.email)
        .with(u32::from(challenge.digits))
        .with(challenge.key_version.number())
        .with(challenge.attempts_left)
        .with(challenge.mailed_at)
        .with(challenge.expires_at)
        .with(counts::counted_for(exposure));
    on.rows(insert).await?;
    Ok(())
}

struct Resend {
    id: ChallengeId,
    email: EmailAddress,
    purpose: Purpose,
    rule: ResendRule,
    sends: Sends,
    now: Timestamp,
}

#[async_trait]
impl Unit for Resend {
    type Outcome = Option<Placed>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Option<Placed>> {
        let Self {
            id,
            email,
            purpose,
            rule,
            sends,
            now,
        } = self;
        on.lock(&[email.as_str()]).await?;
        let open = Statement::new(concat!(
            "SELECT ",
            record!(),
            " FROM ps_challenges WHERE id = $1 AND email = $2 AND purpose = $3 \
             AND spent_at IS NULL AND attempts_left > 0 AND expires_at > $4"
        ));
        let open = open.with(id.as_str()).with(email);
        let open = open.with(purpose.as_str()).with(*now);
        let Some(challenge) = first(on.rows(open).await?)? else {
            return Ok(None);
        };
        if challenge.expires_at < now.plus(rule.life_left) {
            return Ok(None);
        }
        let resend_in = challenge.mailed_at.plus(rule.pause).since(*now);
        if !resend_in.is_zero() {
            return Ok(Some(Placed::NotYet {
                challenge,
                resend_in,
            }));
        }
        if let Some((rule, retry_after)) = counts::wait_for_mail(on, email, sends, *now).await? {
            return Ok(Some(Placed::Spent { rule, retry_after }));
        }
        let resend = Statement::new(
            "UPDATE ps_challenges SET mailed_at = $2, mails = mails + 1 \
             WHERE id = $1 RETURNING mails",
        );
        let mails: u32 = only(on.rows(resend.with(id.as_str()).with(*now)).await?)?.next()?;
        counts::mail(on, &challenge, mails, sends, *now).await?;
        Ok(Some(Placed::Send(Challenge {
            mailed_at: *now,
            ..challenge
        })))
    }
}

struct Claim {
    id: ChallengeId,
    email: Option<EmailAddress>,
    purpose: Purpose,
    now: Timestamp,
}

/// The conditional statement, and what it answers; the rest of the claim follows from that.
macro_rules! claim {
    () => {
        concat!(
            "UPDATE ps_challenges SET attempts_left = attempts_left - 1 \
             WHERE id = $1 AND purpose = $2 AND email = COALESCE($3, email) \
             AND spent_at IS NULL AND attempts_left > 0 AND expires_at > $4 RETURNING ",
            record!()
        )
    };
}

#[async_trait]
impl Unit for Claim {
    const IS_ONE_STATEMENT: bool = true;

    type Outcome = Option<Challenge>;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<Option<Challenge>> {
        let claim = Statement::new(on.in_one_go(
            concat!(
                "SAVEPOINT claim; ",
                claim!(),
                "; INSERT INTO ps_guesses (challenge_id, attempts_left, email, at, kept_until) \
                 SELECT id, attempts_left, email, $4, $4 + counted_for FROM ps_challenges \
                 WHERE id = $1 AND changes() > 0; RELEASE claim"
            ),
            concat!(
                "WITH claimed AS (",
                claim!(),
                ", counted_for), counted AS (INSERT INTO ps_guesses \
                 (challenge_id, attempts_left, email, at, kept_until) \
                 SELECT id, attempts_left, email, $4, $4 + counted_for FROM claimed) SELECT ",
                record!(),
                " FROM claimed"
            ),
        ));
        let claim = claim.with(self.id.as_str()).with(self.purpose.as_str());
        let claim = claim.with(self.email.as_ref()).with(self.now);
        first(on.rows(claim).await?)
    }
}

struct Consume {
    id: ChallengeId,
    now: Timestamp,
}

/// True of a challenge that was not spent yet.
macro_rules! unspent {
    () => {
        "id = $1 AND spent_at IS NULL AND expires_at > $2"
    };
}

/// Answers exactly once in a challenge's life.
macro_rules! spend {
    () => {
        concat!(
            "UPDATE ps_challenges SET spent_at = $2 WHERE ",
            unspent!(),
            " RETURNING id"
        )
    };
}

/// The guess that was counted last on an address was not wrong; what follows says which address.
macro_rules! right_guess {
    () => {
        "(email, at, challenge_id, attempts_left) IN \
         (SELECT email, at, challenge_id, attempts_left FROM ps_guesses WHERE email = "
    };
}

#[async_trait]
impl Unit for Consume {
    type Outcome = bool;

    async fn run(&self, on: &mut dyn Connection) -> StoreResult<bool> {
        let id = self.id.as_str();
        if !on.is_alone() {
            let email = Statement::new("SELECT email FROM ps_challenges WHERE id = $1").with(id);
            let Some(email) = firsts::<EmailAddress>(on.rows(email).await?)?.pop() else {
                return Ok(false);
            };
            on.lock(&[email.as_str()]).await?;
        }
        // The mails were answered, unless something else has spent the challenge: on SQLite they go
        // first, while that can be told.
        let consume = Statement::new(on.in_one_go(
            concat!(
                "SAVEPOINT consume; DELETE FROM ps_mails WHERE challenge_id = $1 AND email = \
                 (SELECT email FROM ps_challenges WHERE ",
                unspent!(),
                "); ",
                spend!(),
                "; DELETE FROM ps_guesses WHERE changes() > 0 AND ",
                right_guess!(),
                "(SELECT email FROM ps_challenges WHERE id = $1) ORDER BY at DESC LIMIT 1); \
                 RELEASE consume"
            ),
            concat!(
                "WITH spent AS (",
                spend!(),
                ", email), guess AS (DELETE FROM ps_guesses WHERE ",
                right_guess!(),
                "(SELECT email FROM spent) ORDER BY at DESC LIMIT 1)), \
                 mails AS (DELETE FROM ps_mails WHERE challenge_id = $1 \
                 AND email = (SELECT email FROM spent)) SELECT id FROM spent"
            ),
        ));
        let spent = on.rows(consume.with(id).with(self.now)).await?;
        Ok(!spent.is_empty())
    }
}

fn first(rows: Vec<Row>) -> StoreResult<Option<Challenge>> {
    let row = rows.into_iter().next();
    row.map(|mut row| read(&mut row)).transpose()
}

fn read(row: &mut Row) -> StoreResult<Challenge> {
    Ok(Challenge {
        id: row.next()?,
        purpose: row.next()?,
        email: row.next()?,
        digits: row.next()?,
        key_version: row.next()?,
        attempts_left: row.next()?,
        mailed_at: row.next()?,
        expires_at: row.next()?,
    })
}

columns! {
    ChallengeId: |text: String| text.parse().ok();
    KeyVersion: |number: u32| Some(Self::new(number));
    Purpose: |name: String| {
        let known = [Self::Register, Self::SignIn];
        known.into_iter().find(|purpose| purpose.as_str() == name)
    };
}
