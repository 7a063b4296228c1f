//! Stores of challenges.

use std::time::Duration;

use async_trait::async_trait;
use ps_core::{
    ChallengeId, EmailAddress, KeyVersion, Lane, LimitRule, Network, StoreResult, SystemRandom,
    Timestamp,
};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, SendBudget,
    Sends,
};
use ps_memory::MemoryStore;
use ps_testkit::conformance::challenges as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn challenges_fail() {
    let table = [
        (
            Flaw::AttemptsReadThenWritten,
            "of_many_guesses_at_once_five_get_through",
        ),
        (Flaw::AttemptsNotCounted, "attempts_stay_used"),
        (
            Flaw::AttemptsCountedBeforeJudged,
            "another_address_or_purpose_costs_no_attempt",
        ),
        (
            Flaw::AnyPurpose,
            "another_address_or_purpose_costs_no_attempt",
        ),
        (
            Flaw::AnyAddress,
            "another_address_or_purpose_costs_no_attempt",
        ),
        (Flaw::CodeEndsLate, "a_code_dies_at_its_end"),
        (Flaw::CodeEndsEarly, "a_code_dies_at_its_end"),
        (
            Flaw::ConsumedReadThenWritten,
            "of_many_right_guesses_at_once_one_wins",
        ),
        (
            Flaw::ConsumedTwice,
            "the_last_attempt_can_win_and_only_once",
        ),
        (Flaw::WrongNotCounted, "wrong_guesses_lengthen_new_codes"),
        (
            Flaw::WrongForgottenEarly,
            "wrong_guesses_lengthen_new_codes",
        ),
        (Flaw::OpenNotCounted, "open_attempts_lengthen_new_codes"),
        (
            Flaw::RightCountsAsWrong,
            "a_right_guess_does_not_lengthen_codes",
        ),
        (
            Flaw::EverywhereNotCounted,
            "wrong_guesses_on_all_addresses_lengthen_every_new_code",
        ),
        (Flaw::WrongNotCounted, "guesses_at_once_are_all_counted"),
        (
            Flaw::MailsCountedWithoutLock,
            "of_many_placed_at_once_as_many_as_the_budget_are_mailed",
        ),
        (
            Flaw::MailsCountedByPurpose,
            "of_many_placed_at_once_as_many_as_the_budget_are_mailed",
        ),
        (Flaw::BudgetEndsEarly, "the_send_budget_slides"),
        (
            Flaw::ResendExtends,
            "a_resend_changes_nothing_but_the_time_of_the_mail",
        ),
        (Flaw::ResendNotCounted, "a_resend_waits_and_is_counted"),
        (Flaw::ResendNeverWaits, "a_resend_waits_and_is_counted"),
        (
            Flaw::ResendOfTheDying,
            "only_what_can_still_be_guessed_is_resent",
        ),
        (Flaw::UsedKeepsItsMails, "a_used_code_gives_its_mails_back"),
        (
            Flaw::LanesAreOne,
            "each_network_has_a_lane_and_all_share_the_address",
        ),
        (
            Flaw::AddressUnbounded,
            "each_network_has_a_lane_and_all_share_the_address",
        ),
        (
            Flaw::KnownBrowsersAreStrangers,
            "known_browsers_have_a_lane_that_strangers_cannot_use_up",
        ),
        (
            Flaw::LanesAreOne,
            "known_browsers_have_a_lane_that_strangers_cannot_use_up",
        ),
        (
            Flaw::AddressUnbounded,
            "of_many_placed_at_once_in_many_lanes_as_many_as_the_address_gets_are_mailed",
        ),
        (
            Flaw::PlacedForgetsItsKey,
            "what_was_placed_is_as_it_was_asked_for",
        ),
        (Flaw::PlacedReplacesItsTwin, "an_id_is_not_used_twice"),
        (Flaw::CountsKeptADay, "a_long_rule_is_kept_as_long"),
        (
            Flaw::PurgeForgetsCounts,
            "a_purge_forgets_what_expired_and_no_count",
        ),
        (
            Flaw::ChallengesPurgedUnbounded,
            "a_purge_forgets_what_expired_and_no_count",
        ),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl ChallengeStore for Broken {
    async fn place(
        &self,
        new: &NewChallenge,
        exposure: &Exposure,
        sends: &Sends,
        now: Timestamp,
    ) -> StoreResult<Placed> {
        self.keep(format!("{} {} {:?}", new.id, new.email, new.key_version).as_bytes());
        let sound = self.sound();
        let (mut new, email) = (new.clone(), new.email.clone());
        let (mut exposure, mut sends) = (*exposure, *sends);
        match self.flaw {
            Flaw::WrongNotCounted | Flaw::OpenNotCounted => exposure.address.limit = u32::MAX,
            Flaw::WrongForgottenEarly => exposure.address.per -= MILLISECOND,
            Flaw::EverywhereNotCounted => exposure.everywhere.limit = u32::MAX,
            Flaw::CountsKeptADay => {
                exposure.address.per = exposure.address.per.min(DAY);
                sends.budget.daily.per = sends.budget.daily.per.min(DAY);
            }
            Flaw::BudgetEndsEarly => {
                sends.budget.hourly.per -= MILLISECOND;
                sends.budget.daily.per -= MILLISECOND;
            }
            Flaw::MailsCountedWithoutLock => {
                let mails = self.notes().mails;
                self.pause().await;
                if mails >= sends.budget.hourly.limit {
                    let rule = sends.budget.hourly;
                    let retry_after = rule.per;
                    return Ok(Placed::Spent { rule, retry_after });
                }
                self.notes().mails = mails + 1;
                sends.budget = unlimited(sends.budget);
            }
            Flaw::MailsCountedByPurpose => {
                let own = format!("{}.{email}", new.purpose.as_str());
                new.email = EmailAddress::parse(&own).unwrap();
            }
            Flaw::LanesAreOne => sends.lane = network(0),
            Flaw::AddressUnbounded => sends.budget.address.limit = u32::MAX,
            Flaw::KnownBrowsersAreStrangers if sends.lane.is_known() => sends.lane = network(0),
            _ => {}
        }
        let mut challenge = match (self.flaw, sound.place(&new, &exposure, &sends, now).await) {
            (_, Ok(Placed::Send(challenge))) => challenge,
            (Flaw::PlacedReplacesItsTwin, Err(_)) => {
                let first = self.notes().challenges[&new.id].clone();
                return Ok(Placed::Send(Challenge { email, ..first }));
            }
            (_, other) => return other,
        };
        match self.flaw {
            Flaw::MailsCountedByPurpose => challenge.email = email,
            Flaw::OpenNotCounted => {
                let notes = self.notes();
                let here = notes
                    .guesses
                    .iter()
                    .filter(|(one, _)| *one == challenge.email);
                challenge.digits = if here.count() < 20 { 6 } else { 8 };
            }
            Flaw::PlacedForgetsItsKey => challenge.key_version = KeyVersion::new(0),
            _ => {}
        }
        let mut notes = self.notes();
        notes.challenges.insert(challenge.id, challenge.clone());
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
        let sound = self.sound();
        let mut rule = *rule;
        match self.flaw {
            Flaw::ResendNotCounted => {
                let mut notes = self.notes();
                let challenge = notes.challenges.get_mut(id).unwrap();
                let resend_in = challenge.mailed_at.plus(rule.pause).since(now);
                if resend_in.is_zero() {
                    challenge.mailed_at = now;
                    return Ok(Some(Placed::Send(challenge.clone())));
                }
                let challenge = challenge.clone();
                return Ok(Some(Placed::NotYet {
                    challenge,
                    resend_in,
                }));
            }
            Flaw::ResendNeverWaits => rule.pause = Duration::ZERO,
            Flaw::ResendOfTheDying => rule.life_left = Duration::ZERO,
            _ => {}
        }
        let mut placed = sound.resend(id, email, purpose, &rule, sends, now).await?;
        if let (Flaw::ResendExtends, Some(Placed::Send(challenge))) = (self.flaw, &mut placed) {
            challenge.expires_at = challenge.expires_at.plus(rule.pause);
        }
        Ok(placed)
    }

    async fn claim_attempt(
        &self,
        id: &ChallengeId,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        now: Timestamp,
    ) -> StoreResult<Option<Challenge>> {
        let sound = self.sound();
        let known = self.notes().challenges.get(id).cloned();
        let is_meant = |known: &Challenge| {
            known.purpose == purpose && email.is_none_or(|email| *email == known.email)
        };
        let (mut email, mut purpose, mut now) = (email, purpose, now);
        match (self.flaw, &known) {
            (Flaw::AttemptsReadThenWritten, Some(known)) => {
                if known.attempts_left == 0 || !is_meant(known) {
                    return Ok(None);
                }
                self.pause().await;
                let mut claimed = known.clone();
                claimed.attempts_left -= 1;
                self.notes().challenges.insert(*id, claimed.clone());
                return Ok(Some(claimed));
            }
            (Flaw::AttemptsNotCounted, Some(known)) => {
                let attempts_left = known.attempts_left - 1;
                let claimed = Challenge {
                    attempts_left,
                    ..known.clone()
                };
                return Ok(is_meant(known).then_some(claimed));
            }
            (Flaw::AttemptsCountedBeforeJudged, Some(known)) => {
                let claimed = sound.claim_attempt(id, None, known.purpose, now).await?;
                return Ok(claimed.filter(is_meant));
            }
            (Flaw::AnyPurpose, Some(known)) => purpose = known.purpose,
            (Flaw::AnyAddress, _) => email = None,
            (Flaw::CodeEndsLate, _) => now = now.minus(MILLISECOND),
            (Flaw::CodeEndsEarly, _) => now = now.plus(MILLISECOND),
            _ => {}
        }
        let claimed = sound.claim_attempt(id, email, purpose, now).await?;
        if let Some(claimed) = &claimed {
            let mut notes = self.notes();
            notes.guesses.push((claimed.email.clone(), now));
        }
        Ok(claimed)
    }

    async fn consume(&self, id: &ChallengeId, now: Timestamp) -> StoreResult<bool> {
        let sound = self.sound();
        let known = self.notes().challenges.get(id).cloned();
        let now = match self.flaw {
            Flaw::CodeEndsLate => now.minus(MILLISECOND),
            _ => now,
        };
        let consumed = match self.flaw {
            Flaw::ConsumedReadThenWritten => {
                let before = self.notes().consumed.contains(id);
                self.pause().await;
                self.notes().consumed.insert(*id);
                return Ok(!before);
            }
            Flaw::ConsumedTwice => {
                sound.consume(id, now).await?;
                return Ok(known.is_some_and(|known| now < known.expires_at));
            }
            _ => sound.consume(id, now).await?,
        };
        if let Some(known) = known.filter(|_| consumed) {
            match self.flaw {
                Flaw::RightCountsAsWrong => {
                    let other = self.placed_again(&known, now).await?;
                    sound
                        .claim_attempt(&other, None, known.purpose, now)
                        .await?;
                }
                Flaw::UsedKeepsItsMails => {
                    self.placed_again(&known, now).await?;
                    self.placed_again(&known, now).await?;
                }
                _ => {}
            }
        }
        Ok(consumed)
    }

    async fn purge(&self, before: Timestamp, at_most: u32) -> StoreResult<u32> {
        let sound = self.sound();
        let purged = match self.flaw {
            Flaw::ChallengesPurgedUnbounded => {
                ChallengeStore::purge(&sound, before, u32::MAX).await?
            }
            _ => ChallengeStore::purge(&sound, before, at_most).await?,
        };
        if self.is(Flaw::PurgeForgetsCounts) && purged == 0 {
            self.notes().sound = MemoryStore::new();
        }
        Ok(purged)
    }
}

impl Broken {
    /// One mail more for its address, and one guess that can be made.
    async fn placed_again(&self, like: &Challenge, now: Timestamp) -> StoreResult<ChallengeId> {
        let new = NewChallenge {
            id: ChallengeId::random(&SystemRandom),
            purpose: like.purpose,
            email: like.email.clone(),
            key_version: like.key_version,
            attempts: 1,
            expires_at: like.expires_at,
        };
        let many = LimitRule {
            limit: u32::MAX,
            per: DAY,
        };
        let exposure = Exposure {
            address: many,
            everywhere: many,
        };
        let sends = SendBudget {
            hourly: many,
            daily: many,
            address: many,
        };
        let sends = sends.in_lane(network(1));
        self.sound().place(&new, &exposure, &sends, now).await?;
        Ok(new.id)
    }
}

fn network(number: u8) -> Lane {
    Lane::Network(Network::of([203, 0, 113, number].into()))
}

fn unlimited(sends: SendBudget) -> SendBudget {
    let many = |rule| LimitRule {
        limit: u32::MAX,
        ..rule
    };
    SendBudget {
        hourly: many(sends.hourly),
        daily: many(sends.daily),
        address: many(sends.address),
    }
}
