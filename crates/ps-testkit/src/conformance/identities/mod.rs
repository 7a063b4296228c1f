//! What a store of identities promises: [`IdentityStore`], and what [`Accounts`] does about
//! identities.

mod claiming;
mod lifting;
mod linking;
mod record;
mod unlinking;

use std::sync::Arc;

use ps_core::{AccountVersion, Accounts, Raised, Timestamp};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};

pub(super) use self::record::identity;
use super::common::{
    HOUR, MILLISECOND, NOW, ROUNDS, SECOND, account, claim, email, many_at_once, proof, race,
};

/// What this suite tests.
pub trait Ports: Accounts + IdentityStore {}
impl<T: Accounts + IdentityStore> Ports for T {}
type Store = Arc<dyn Ports>;

/// Every provider by which one can sign in.
const CONFIGURED: [&str; 2] = ["google", "linkedin"];

suite! {
    $ identities __identities {
        linking {
            what_was_linked_is_found
            every_field_comes_back
            an_identity_is_its_exact_bytes
            a_list_begins_with_the_first_linked
            linking_needs_the_version_of_the_proof
            linking_again_changes_nothing
            what_is_linked_stays_with_its_account
            of_many_accounts_at_once_one_gets_an_identity
            many_links_at_once_by_one_account_are_one
        }
        unlinking {
            an_unlinked_identity_opens_nothing_and_is_remembered
            unlinking_needs_the_version_of_the_proof
            unlinking_needs_an_identity_of_the_account_and_provider
            every_identity_of_the_provider_goes
            the_last_way_in_stays
            of_both_unlinked_at_once_one_stays
            links_and_unlinks_at_once_leave_a_way_in
        }
        lifting {
            a_removed_identity_stays_removed_unasked
            a_removed_identity_is_linked_again_where_it_is_asked_for
            whoever_lifts_a_removal_has_the_identity
            of_many_who_lift_a_removal_at_once_one_has_the_identity
        }
        claiming {
            a_claim_forgets_every_identity
            a_claim_that_does_nothing_forgets_nothing
            a_disabled_owner_keeps_its_identities
            no_link_in_flight_survives_a_claim
        }
    }
}

/// Links it as nobody has touched its account yet.
async fn link(store: &Store, new: &LinkedIdentity, removed: Removed) -> Linked {
    let under = AccountVersion::default();
    store.link(new, removed, under).await.unwrap()
}

async fn link_all(store: &Store, all: &[&LinkedIdentity]) {
    for new in all {
        assert_eq!(link(store, new, Removed::Stays).await, Linked::Done);
    }
}

async fn find(store: &Store, linked: &LinkedIdentity) -> Option<LinkedIdentity> {
    store.find(&linked.identity).await.unwrap()
}

async fn list(store: &Store, name: &str) -> Vec<LinkedIdentity> {
    store.list(&account(name)).await.unwrap()
}

/// Unlinks from an account that has no password and that nobody has touched yet.
async fn unlink(store: &Store, name: &str, provider: &str) -> Unlinked {
    unlink_with(store, name, provider, &CONFIGURED, false).await
}

/// Removes whatever is left.
async fn remove(store: &Store, name: &str, provider: &str) {
    let unlinked = unlink_with(store, name, provider, &[], true).await;
    assert_eq!(unlinked, Unlinked::Done);
}

async fn unlink_with(
    store: &Store,
    name: &str,
    provider: &str,
    configured: &[&str],
    has_password: bool,
) -> Unlinked {
    let (under, id) = (AccountVersion::default(), account(name));
    let unlinked = store.unlink_unless_last(&id, provider, configured, has_password, under, NOW);
    unlinked.await.unwrap()
}

/// As it is when it was removed then.
fn removed(linked: &LinkedIdentity, at: Timestamp) -> LinkedIdentity {
    LinkedIdentity {
        removed_at: Some(at),
        ..linked.clone()
    }
}
