//! What a store of API keys promises: [`ApiKeyStore`], and what [`Accounts`] and [`Changes`] do about
//! keys.

mod finding;
mod following;
mod inserting;
mod listing;
mod patching;
mod record;
mod revoking;
mod rotating;
mod using;

use std::{collections::HashSet, sync::Arc};

use ps_apikey::{
    AllowedAddresses, ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted, KeyName, KeyPage,
    KeyPatch, KeyRotated, KeyUpdated, Listing, Replacement, Scopes,
};
use ps_core::{AccountVersion, Accounts, Change, Changes, KeyId, SystemRandom, Timestamp};

pub(super) use self::record::{key, replacement};
use super::common::{
    DAY, HOUR, MILLISECOND, MINUTE, NOW, ROUNDS, SECOND, account, claim, feed, just_before, race,
};

/// What this suite tests.
pub trait Ports: Accounts + ApiKeyStore + Changes {}
impl<T: Accounts + ApiKeyStore + Changes> Ports for T {}
type Store = Arc<dyn Ports>;

const AT_MOST: u32 = 25;

suite! {
    $ keys __keys {
        inserting {
            a_key_is_stored_once
            inserting_needs_the_version_of_the_proof
            many_inserts_at_once_end_at_the_bound
            only_active_keys_count
        }
        finding {
            what_was_inserted_is_found_by_its_digest
            a_disabled_owner_has_no_keys
            every_field_comes_back
            a_batch_of_any_size_is_found
        }
        listing {
            a_list_is_newest_first
            pages_show_each_key_once
            another_account_sees_nothing
        }
        patching {
            a_patch_changes_what_it_names_and_nothing_else
            an_expired_key_may_be_given_a_longer_life
            a_patch_needs_its_owner_and_a_key_that_is_not_revoked
            patches_at_once_lose_nothing
            a_patch_never_undoes_a_revocation
        }
        rotating {
            a_rotation_replaces_a_key_by_one_like_it
            the_grace_ends_no_later_than_the_key
            of_many_rotations_at_once_one_is_done
            rotating_needs_the_version_of_the_proof
            rotating_needs_an_active_key_of_its_owner
            rotating_needs_a_name_and_a_digest_of_its_own
            a_rotation_needs_no_room_and_makes_none
            a_rotation_and_a_revocation_at_once_leave_the_old_key_revoked
        }
        revoking {
            a_claim_revokes_every_key
            a_revoked_key_stays_revoked
            revoking_brings_a_later_end_forward
        }
        using {
            a_use_is_noted_forwards_only
            a_use_never_undoes_a_revocation
            a_use_is_noted_until_the_end_of_a_grace
        }
        following {
            what_changes_a_key_is_in_the_feed
            no_change_of_a_key_is_missed
        }
    }
}

async fn insert(store: &Store, key: &ApiKeyRecord, now: Timestamp) -> KeyInserted {
    let under = AccountVersion::default();
    store.insert(key, under, AT_MOST, now).await.unwrap()
}

async fn find(store: &Store, key: &ApiKeyRecord) -> ApiKeyRecord {
    let found = store.find(&[key.digest]).await.unwrap();
    found.into_iter().next().unwrap()
}

async fn list(store: &Store, name: &str, after: Option<KeyCursor>, limit: u32) -> KeyPage {
    let which = Listing::Page { after, limit };
    store.list(&account(name), &which).await.unwrap()
}

async fn all(store: &Store, name: &str) -> Vec<ApiKeyRecord> {
    let page = list(store, name, None, u32::MAX).await;
    assert_eq!(page.next, None);
    page.keys
}

/// A key with something in every field.
fn full_key(name: &str) -> ApiKeyRecord {
    ApiKeyRecord {
        name: KeyName::new("it's \"quoted\"; --ö").unwrap(),
        scopes: Scopes::new(["programs:read", "programs:write"]).unwrap(),
        allowed_addresses: AllowedAddresses::parse(["192.0.2.0/24", "2001:db8::/32"]).unwrap(),
        created_at: NOW.minus(DAY).plus(MILLISECOND),
        expires_at: Some(NOW.plus(DAY).plus(MILLISECOND)),
        last_used_at: Some(NOW.minus(MILLISECOND)),
        ..key(name, NOW)
    }
}

async fn update(store: &Store, key: &ApiKeyRecord, patch: &KeyPatch, now: Timestamp) -> KeyUpdated {
    let updated = store.update(&key.account, &key.id, patch, now).await;
    updated.unwrap()
}

async fn rotate(
    store: &Store,
    old: &ApiKeyRecord,
    new: &Replacement,
    now: Timestamp,
) -> KeyRotated {
    let (account, under) = (&old.account, AccountVersion::default());
    let rotated = store.rotate(account, &old.id, new, under, now).await;
    rotated.unwrap()
}
