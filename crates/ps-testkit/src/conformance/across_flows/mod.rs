//! What one type promises that implements the ports of every flow: nothing that was proven before an
//! account changed is acted on after it.

mod codes;
mod in_flight;
mod passwords;

use std::sync::Arc;

use ps_apikey::{ApiKeyRecord, ApiKeyStore, KeyInserted, KeyRotated, Listing};
use ps_core::{
    AccountVersion, Accounts, ChallengeId, Change, Changes, KeyVersion, LimitRule, Raised,
    SessionId, SystemRandom,
};
use ps_magiccode::{ChallengeStore, Exposure, NewChallenge, Purpose, SendBudget};
use ps_oauth::{IdentityStore, Linked, Removed, Unlinked};
use ps_password::{PasswordHash, PasswordStore};
use ps_session::{Advance, End, Opened, SessionRecord, SessionStore, Which};

use super::{
    common::{
        HOUR, MINUTE, NOW, SECOND, account, claim, email, feed, network, proof, race,
        while_followed,
    },
    identities::identity,
    keys::{key, replacement},
    sessions::session,
};

/// What this suite tests.
pub trait Ports:
    Accounts + ApiKeyStore + ChallengeStore + Changes + IdentityStore + PasswordStore + SessionStore
{
}
impl<T> Ports for T where
    T: Accounts
        + ApiKeyStore
        + ChallengeStore
        + Changes
        + IdentityStore
        + PasswordStore
        + SessionStore
{
}
type Store = Arc<dyn Ports>;

/// What raises an account's version.
#[derive(Clone, Copy, Debug)]
enum Overturn {
    Claim,
    Disable,
    EndAll,
    EndOthers,
    NewPassword,
}

const OVERTURNS: [Overturn; 5] = [
    Overturn::Claim,
    Overturn::Disable,
    Overturn::EndAll,
    Overturn::EndOthers,
    Overturn::NewPassword,
];

suite! {
    $ across_flows __across_flows {
        in_flight {
            what_was_in_flight_finds_the_account_changed
            no_session_in_flight_survives
            no_key_in_flight_survives_a_claim
            no_rotated_key_in_flight_survives_a_claim
            no_rotation_succeeds_after_a_disable
            what_overturns_an_account_is_told_of_every_flow
        }
        codes {
            of_many_right_codes_at_once_one_opens_a_session
        }
        passwords {
            a_new_password_ends_every_other_session
            a_new_password_needs_a_live_session_to_keep
            a_new_password_is_told_as_soon_as_it_is_acknowledged
        }
    }
}

/// A proven account's session, which will ask for the others to end.
async fn asking(store: &Store, name: &str) -> SessionRecord {
    let version = claim(&**store, &account(name), NOW).await;
    let session = session_under(name, version);
    let opened = store.open(&session, None, 100, NOW).await.unwrap();
    assert_eq!(opened, Opened::Done { ended: Vec::new() });
    session
}

async fn overturn_account(store: &Store, overturn: Overturn, asking: &SessionRecord) {
    let account = &asking.account;
    match overturn {
        Overturn::Claim => {
            claim(&**store, account, NOW).await;
        }
        Overturn::Disable => assert!(store.disable(account, NOW).await.unwrap()),
        Overturn::EndAll => {
            assert!(store.end(End::All(account), NOW).await.unwrap().is_some());
        }
        Overturn::EndOthers => {
            let others = End::Others(account, &asking.id);
            assert!(store.end(others, NOW).await.unwrap().is_some());
        }
        Overturn::NewPassword => {
            let (new, under) = (PasswordHash::new("new"), asking.version);
            let raised = store.replace(account, &new, Some(&asking.id), under, NOW);
            assert_eq!(raised.await.unwrap(), Raised::To(under.next()));
        }
    }
}

async fn find(store: &Store, session: &SessionRecord) -> Option<SessionRecord> {
    SessionStore::find(&**store, Which::Id(&session.id))
        .await
        .unwrap()
}

fn session_under(name: &str, version: AccountVersion) -> SessionRecord {
    SessionRecord {
        version,
        ..session(name, NOW)
    }
}

async fn rotate_key(store: &Store, old: &ApiKeyRecord, under: AccountVersion) -> KeyRotated {
    let new = replacement(NOW.plus(HOUR));
    let rotated = ApiKeyStore::rotate(&**store, &old.account, &old.id, &new, under, NOW).await;
    rotated.unwrap()
}
