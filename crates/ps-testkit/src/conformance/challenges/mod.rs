//! What a store of challenges promises: [`ChallengeStore`].

mod exposure;
mod guesses;
mod keeping;
mod sends;

use std::{sync::Arc, time::Duration};

use ps_core::{ChallengeId, KeyVersion, Lane, LimitRule, SystemRandom, Timestamp};
use ps_magiccode::{
    Challenge, ChallengeStore, Exposure, NewChallenge, Placed, Purpose, ResendRule, SendBudget,
    Sends,
};

use super::common::{
    DAY, HOUR, MILLISECOND, MINUTE, NOW, ROUNDS, SECOND, email, just_before, many_at_once, network,
    race,
};

/// What this suite tests.
pub trait Ports: ChallengeStore {}
impl<T: ChallengeStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ challenges __challenges {
        guesses {
            of_many_guesses_at_once_five_get_through
            attempts_stay_used
            another_address_or_purpose_costs_no_attempt
            a_code_dies_at_its_end
            of_many_right_guesses_at_once_one_wins
            the_last_attempt_can_win_and_only_once
        }
        exposure {
            wrong_guesses_lengthen_new_codes
            open_attempts_lengthen_new_codes
            a_right_guess_does_not_lengthen_codes
            wrong_guesses_on_all_addresses_lengthen_every_new_code
            guesses_at_once_are_all_counted
        }
        sends {
            of_many_placed_at_once_as_many_as_the_budget_are_mailed
            the_send_budget_slides
            a_resend_changes_nothing_but_the_time_of_the_mail
            a_resend_waits_and_is_counted
            only_what_can_still_be_guessed_is_resent
            a_used_code_gives_its_mails_back
            each_network_has_a_lane_and_all_share_the_address
            known_browsers_have_a_lane_that_strangers_cannot_use_up
            of_many_placed_at_once_in_many_lanes_as_many_as_the_address_gets_are_mailed
        }
        keeping {
            what_was_placed_is_as_it_was_asked_for
            an_id_is_not_used_twice
            a_long_rule_is_kept_as_long
            a_purge_forgets_what_expired_and_no_count
        }
    }
}

const EXPOSURE: Exposure = Exposure {
    address: LimitRule {
        limit: 20,
        per: DAY,
    },
    everywhere: LimitRule {
        limit: 2_000,
        per: HOUR,
    },
};
const SENDS: SendBudget = SendBudget {
    hourly: LimitRule {
        limit: 5,
        per: HOUR,
    },
    daily: LimitRule {
        limit: 10,
        per: DAY,
    },
    address: LimitRule {
        limit: 30,
        per: DAY,
    },
};
/// Where sends are not what is tested.
const MANY_SENDS: SendBudget = SendBudget {
    hourly: LimitRule {
        limit: u32::MAX,
        per: HOUR,
    },
    daily: LimitRule {
        limit: u32::MAX,
        per: DAY,
    },
    address: LimitRule {
        limit: u32::MAX,
        per: DAY,
    },
};
const RESEND: ResendRule = ResendRule {
    pause: MINUTE,
    life_left: MINUTE.saturating_mul(2),
};

/// Where lanes are not what is tested.
fn strangers(budget: SendBudget) -> Sends {
    budget.in_lane(network(1))
}

fn new(name: &str, now: Timestamp) -> NewChallenge {
    NewChallenge {
        id: ChallengeId::random(&SystemRandom),
        purpose: Purpose::SignIn,
        email: email(&format!("{name}@example.com")),
        key_version: KeyVersion::new(7),
        attempts: 5,
        expires_at: now.plus(MINUTE * 10),
    }
}

async fn place_within(store: &Store, name: &str, sends: &Sends, now: Timestamp) -> Placed {
    store
        .place(&new(name, now), &EXPOSURE, sends, now)
        .await
        .unwrap()
}

async fn place(store: &Store, name: &str, now: Timestamp) -> Challenge {
    match place_within(store, name, &strangers(SENDS), now).await {
        Placed::Send(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

/// Places one, however many mails the address has had.
async fn unlimited(store: &Store, name: &str, now: Timestamp) -> Challenge {
    match place_within(store, name, &strangers(MANY_SENDS), now).await {
        Placed::Send(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

/// How long the address must wait for its next mail.
async fn refused(store: &Store, name: &str, now: Timestamp) -> Duration {
    match place_within(store, name, &strangers(SENDS), now).await {
        Placed::Spent { retry_after, .. } => retry_after,
        other => panic!("{other:?}"),
    }
}

async fn resend(store: &Store, challenge: &Challenge, now: Timestamp) -> Option<Placed> {
    let Challenge {
        id, email, purpose, ..
    } = challenge;
    store
        .resend(id, email, *purpose, &RESEND, &strangers(SENDS), now)
        .await
        .unwrap()
}

async fn claim(store: &Store, challenge: &Challenge, now: Timestamp) -> Option<Challenge> {
    let Challenge {
        id, email, purpose, ..
    } = challenge;
    store
        .claim_attempt(id, Some(email), *purpose, now)
        .await
        .unwrap()
}

/// Guesses wrongly, at a challenge that allows no more guesses than these.
async fn guess(store: &Store, name: &str, times: u32, now: Timestamp) {
    let new = NewChallenge {
        attempts: times,
        ..new(name, now)
    };
    let placed = store
        .place(&new, &EXPOSURE, &strangers(MANY_SENDS), now)
        .await
        .unwrap();
    let Placed::Send(challenge) = placed else {
        panic!("{placed:?}");
    };
    for _ in 0..times {
        claim(store, &challenge, now).await.unwrap();
    }
}

/// How many digits a new code has. The challenge allows no guess, so that asking changes nothing.
async fn digits(store: &Store, name: &str, now: Timestamp) -> u8 {
    let new = NewChallenge {
        attempts: 0,
        ..new(name, now)
    };
    match store
        .place(&new, &EXPOSURE, &strangers(MANY_SENDS), now)
        .await
        .unwrap()
    {
        Placed::Send(challenge) => challenge.digits,
        other => panic!("{other:?}"),
    }
}
