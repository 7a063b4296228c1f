//! Challenges, one row each.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use ps_core::{ChallengeId, EmailAddress, Lane, StoreError, StoreResult, Timestamp};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, Sends, digits,
};

use crate::{MemoryStore, counts::Counts};

#[derive(Default)]
pub(crate) struct ChallengeTable {
    rows: HashMap<ChallengeId, Row>,
    by_expiry: BTreeSet<(Timestamp, ChallengeId)>,
    of_address: HashMap<EmailAddress, Vec<ChallengeId>>,
    counts: Counts,
}

struct Row {
    challenge: Challenge,
    /// When its mails were counted and in which lanes, so that they can be given back.
    mails: Vec<(Timestamp, Lane)>,
    spent: bool,
}

#[async_trait]
impl ChallengeStore for MemoryStore {
    async fn place(
        &self,
        new: &NewChallenge,
        exposure: &Exposure,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed> {
        let table = &mut self.state().challenges;
        if table.rows.contains_key(&new.id) {
            return Err(StoreError::new("a challenge of this id exists"));
        }
        if let Some((rule, retry_after)) = table.counts.wait_for_mail(&new.email, sends, now) {
            return Ok(Placed::Spent { rule, retry_after });
        }
        let challenge = Challenge {
            id: new.id,
            purpose: new.purpose,
            email: new.email.clone(),
            digits: table.digits(&new.email, exposure, now),
            key_version: new.key_version,
            attempts_left: new.attempts,
            mailed_at: now,
            expires_at: new.expires_at,
        };
        table.insert(challenge.clone());
        table.mail(&challenge, sends.lane, now);
        Ok(Placed::Send(challenge))
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
        let table = &mut self.state().challenges;
        let Some(challenge) = table.find_open(id, now).cloned() else {
            return Ok(None);
        };
        if challenge.email != *email
            || challenge.purpose != purpose
            || challenge.expires_at < now.plus(rule.life_left)
        {
            return Ok(None);
        }
        let resend_in = challenge.mailed_at.plus(rule.pause).since(now);
        if !resend_in.is_zero() {
            return Ok(Some(Placed::NotYet {
                challenge,
                resend_in,
            }));
        }
        if let Some((rule, retry_after)) = table.counts.wait_for_mail(email, sends, now) {
            return Ok(Some(Placed::Spent { rule, retry_after }));
        }
        table.mail(&challenge, sends.lane, now);
        Ok(Some(Placed::Send(Challenge {
            mailed_at: now,
            ..challenge
        })))
    }

    async fn claim_attempt(
        &self,
        id: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Challenge>> {
        let table = &mut self.state().challenges;
        let Some(challenge) = table.find_open(id, now) else {
            return Ok(None);
        };
        if challenge.purpose != purpose || email.is_some_and(|email| challenge.email != *email) {
            return Ok(None);
        }
        challenge.attempts_left -= 1;
        let challenge = challenge.clone();
        table.counts.guess(&challenge.email, now);
        Ok(Some(challenge))
    }

    async fn consume(&self, id: &ChallengeId, now: Timestamp) -> StoreResult<bool> {
        let table = &mut self.state().challenges;
        let Some(row) = table.rows.get_mut(id).filter(|row| row.is_unspent(now)) else {
            return Ok(false);
        };
        row.spent = true;
        table
            .counts
            .give_back(&row.challenge.email, &row.mails, now);
        Ok(true)
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        let table = &mut self.state().challenges;
        let mut forgotten = 0;
        while forgotten < at_most
            && let Some((expires_at, id)) = table.by_expiry.first().copied()
            && expires_at < before
        {
            table.forget(expires_at, &id);
            forgotten += 1;
        }
        Ok(forgotten)
    }
}

impl Row {
    fn is_unspent(&self, now: Timestamp) -> bool {
        !self.spent && now < self.challenge.expires_at
    }
}

impl ChallengeTable {
    /// The challenge, if a guess at its code could still be right.
    fn find_open(&mut self, id: &ChallengeId, now: Timestamp) -> Option<&mut Challenge> {
        let row = self.rows.get_mut(id).filter(|row| row.is_unspent(now))?;
        (row.challenge.attempts_left > 0).then_some(&mut row.challenge)
    }

    /// Judged before the new challenge is there: its own attempts do not count.
    fn digits(&mut self, email: &EmailAddress, exposure: &Exposure, now: Timestamp) -> u8 {
        let (wrong, everywhere) = self.counts.wrong(email, exposure, now);
        let ids = self.of_address.get(email).into_iter().flatten();
        let live = ids
            .map(|id| &self.rows[id])
            .filter(|row| row.is_unspent(now));
        let open = live.map(|row| row.challenge.attempts_left);
        digits(
            exposure,
            wrong,
            open.fold(0, u32::saturating_add),
            everywhere,
        )
    }

    fn mail(&mut self, challenge: &Challenge, lane: Lane, now: Timestamp) {
        self.counts.mail(&challenge.email, lane, now);
        if let Some(row) = self.rows.get_mut(&challenge.id) {
            row.mails.push((now, lane));
            row.challenge.mailed_at = now;
        }
    }

    fn insert(&mut self, challenge: Challenge) {
        let (id, email) = (challenge.id, challenge.email.clone());
        self.by_expiry.insert((challenge.expires_at, id));
        self.of_address.entry(email).or_default().push(id);
        let row = Row {
            challenge,
            mails: Vec::new(),
            spent: false,
        };
        self.rows.insert(id, row);
    }

    fn forget(&mut self, expires_at: Timestamp, id: &ChallengeId) {
        self.by_expiry.remove(&(expires_at, *id));
        let Some(row) = self.rows.remove(id) else {
            return;
        };
        if let Some(ids) = self.of_address.get_mut(&row.challenge.email) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.of_address.remove(&row.challenge.email);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ps_core::{KeyVersion, LimitRule, Network, SystemRandom};
    use ps_magiccode::SendBudget;

    use super::*;

    // MC24
    #[tokio::test]
    async fn what_is_purged_leaves_nothing_behind() {
        let store = MemoryStore::new();
        let (now, per) = (Timestamp::from_seconds(0), Duration::from_secs(60));
        let many = LimitRule { limit: 100, per };
        let exposure = Exposure {
            address: many,
            everywhere: many,
        };
        let budget = SendBudget {
            hourly: many,
            daily: many,
            address: many,
        };
        let lane = Lane::Network(Network::of([127, 0, 0, 1].into()));
        let sends = budget.in_lane(lane);
        for number in 0..50 {
            let new = NewChallenge {
                id: ChallengeId::random(&SystemRandom),
                purpose: Purpose::SignIn,
                email: EmailAddress::parse(&format!("{}@example.com", number % 7)).unwrap(),
                key_version: KeyVersion::new(1),
                attempts: 5,
                expires_at: now.plus(per),
            };
            store.place(&new, &exposure, &sends, now).await.unwrap();
        }
        let after = now.plus(per * 2);
        assert_eq!(store.purge(after, 100).await.unwrap(), 50);
        let table = &store.state().challenges;
        assert!(table.rows.is_empty() && table.by_expiry.is_empty());
        assert!(table.of_address.is_empty());
    }
}
