//! Stores of API keys.

use async_trait::async_trait;
use ps_apikey::{
    AllowedAddresses, ApiKeyRecord, ApiKeyStore, KeyCursor, KeyInserted, KeyPage, KeyPatch,
    KeyRotated, KeyUpdated, Listing, Replacement, Scopes,
};
use ps_core::{AccountId, AccountVersion, Accounts, KeyDigest, KeyId, StoreResult, Timestamp};
use ps_testkit::conformance::keys as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_fail() {
    let table = [
        (Flaw::KeyReplacesItsTwin, "a_key_is_stored_once"),
        (
            Flaw::KeyIgnoresVersion,
            "inserting_needs_the_version_of_the_proof",
        ),
        (
            Flaw::KeysCountedWithoutLock,
            "many_inserts_at_once_end_at_the_bound",
        ),
        (Flaw::KeysCountedInTheirGrace, "only_active_keys_count"),
        (
            Flaw::KeyFoundByAnyDigest,
            "what_was_inserted_is_found_by_its_digest",
        ),
        (
            Flaw::RevokedKeyHidden,
            "what_was_inserted_is_found_by_its_digest",
        ),
        (Flaw::DisabledOwnersKeyGiven, "a_disabled_owner_has_no_keys"),
        (Flaw::DisableUntold, "a_disabled_owner_has_no_keys"),
        (Flaw::EnableUntold, "a_disabled_owner_has_no_keys"),
        (Flaw::KeyForgetsAddresses, "every_field_comes_back"),
        (Flaw::KeyBatchIsCut, "a_batch_of_any_size_is_found"),
        (Flaw::KeysOldestFirst, "a_list_is_newest_first"),
        (Flaw::PageRepeatsItsLast, "pages_show_each_key_once"),
        (Flaw::PageAlwaysHasANext, "pages_show_each_key_once"),
        (Flaw::RevokeIgnoresOwner, "another_account_sees_nothing"),
        (Flaw::ListIgnoresOwner, "another_account_sees_nothing"),
        (
            Flaw::UpdateClearsTheRest,
            "a_patch_changes_what_it_names_and_nothing_else",
        ),
        (
            Flaw::UpdateNeedsLiveKey,
            "an_expired_key_may_be_given_a_longer_life",
        ),
        (
            Flaw::UpdateIgnoresOwner,
            "a_patch_needs_its_owner_and_a_key_that_is_not_revoked",
        ),
        (
            Flaw::UpdateTakesRevoked,
            "a_patch_needs_its_owner_and_a_key_that_is_not_revoked",
        ),
        (Flaw::UpdateReadsThenWrites, "patches_at_once_lose_nothing"),
        (
            Flaw::UpdateUndoesRevocation,
            "a_patch_never_undoes_a_revocation",
        ),
        (
            Flaw::RotateForgetsScopes,
            "a_rotation_replaces_a_key_by_one_like_it",
        ),
        (
            Flaw::RotateOutlivesTheKey,
            "the_grace_ends_no_later_than_the_key",
        ),
        (
            Flaw::RotateReadsThenWrites,
            "of_many_rotations_at_once_one_is_done",
        ),
        (
            Flaw::RotateIgnoresVersion,
            "rotating_needs_the_version_of_the_proof",
        ),
        (
            Flaw::RotateTakesExpired,
            "rotating_needs_an_active_key_of_its_owner",
        ),
        (
            Flaw::RotateIgnoresOwner,
            "rotating_needs_an_active_key_of_its_owner",
        ),
        (
            Flaw::RotateStopsHalfway,
            "rotating_needs_a_name_and_a_digest_of_its_own",
        ),
        (
            Flaw::RotateNeedsRoom,
            "a_rotation_needs_no_room_and_makes_none",
        ),
        (
            Flaw::RotateUndoesRevocation,
            "a_rotation_and_a_revocation_at_once_leave_the_old_key_revoked",
        ),
        (Flaw::ClaimKeepsKeys, "a_claim_revokes_every_key"),
        (Flaw::ClaimUntold, "a_claim_revokes_every_key"),
        (Flaw::RevokedKeyGiven, "a_revoked_key_stays_revoked"),
        (Flaw::RevokeMovesOn, "a_revoked_key_stays_revoked"),
        (
            Flaw::RevokeKeepsALaterEnd,
            "revoking_brings_a_later_end_forward",
        ),
        (Flaw::TouchGoesBack, "a_use_is_noted_forwards_only"),
        (Flaw::TouchTakesRevoked, "a_use_never_undoes_a_revocation"),
        (
            Flaw::TouchStopsInGrace,
            "a_use_is_noted_until_the_end_of_a_grace",
        ),
        (Flaw::UpdateUntold, "what_changes_a_key_is_in_the_feed"),
        (Flaw::RotateUntold, "what_changes_a_key_is_in_the_feed"),
        (Flaw::RevokeUntold, "what_changes_a_key_is_in_the_feed"),
        (Flaw::FeedMissesSome, "no_change_of_a_key_is_missed"),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl ApiKeyStore for Broken {
    async fn insert(
        &self,
        key: &ApiKeyRecord,
        under: AccountVersion,
        at_most: u32,
        now: Timestamp,
    ) -> StoreResult<KeyInserted> {
        self.keep(key.digest.as_bytes());
        self.keep(format!("{} {} {}", key.id, key.hint, key.name.as_str()).as_bytes());
        let sound = self.sound();
        let all = self.keys_of(&key.account).await?;
        let inserted = match self.flaw {
            Flaw::KeyReplacesItsTwin => {
                let inserted = sound.insert(key, under, at_most, now).await;
                Ok(inserted.unwrap_or(KeyInserted::Done))
            }
            Flaw::KeyIgnoresVersion => {
                let under = sound.standing(&key.account).await?.version;
                sound.insert(key, under, at_most, now).await
            }
            Flaw::KeysCountedWithoutLock => {
                let active = all.iter().filter(|key| key.is_active(now)).count();
                self.pause().await;
                if active >= at_most as usize {
                    return Ok(KeyInserted::Full);
                }
                sound.insert(key, under, u32::MAX, now).await
            }
            Flaw::KeysCountedInTheirGrace => {
                let works = |key: &&ApiKeyRecord| key.revoked_at.is_none_or(|end| now < end);
                if all.iter().filter(works).count() >= at_most as usize {
                    return Ok(KeyInserted::Full);
                }
                sound.insert(key, under, at_most, now).await
            }
            Flaw::KeyForgetsAddresses => {
                let key = ApiKeyRecord {
                    allowed_addresses: AllowedAddresses::default(),
                    ..key.clone()
                };
                sound.insert(&key, under, at_most, now).await
            }
            _ => sound.insert(key, under, at_most, now).await,
        };
        if let Ok(KeyInserted::Done) = inserted {
            self.notes().keys.insert(key.id, key.clone());
        }
        inserted
    }

    async fn find(&self, digests: &[KeyDigest]) -> StoreResult<Vec<ApiKeyRecord>> {
        let digests = match self.flaw {
            Flaw::KeyBatchIsCut => &digests[..digests.len().min(64)],
            _ => digests,
        };
        let mut found = self.sound().find(digests).await?;
        let known: Vec<_> = self.notes().keys.values().cloned().collect();
        for digest in digests {
            if found.iter().any(|key| key.digest == *digest) {
                continue;
            }
            match self.flaw {
                Flaw::KeyFoundByAnyDigest => found.extend(known.first().cloned()),
                Flaw::DisabledOwnersKeyGiven => {
                    found.extend(known.iter().filter(|key| key.digest == *digest).cloned());
                }
                _ => {}
            }
        }
        if self.is(Flaw::RevokedKeyHidden) {
            found.retain(|key| key.revoked_at.is_none());
        }
        Ok(found.into_iter().map(|key| self.seen(key)).collect())
    }

    async fn list(&self, account: &AccountId, which: &Listing) -> StoreResult<KeyPage> {
        let sound = self.sound();
        let mut page = match (self.flaw, *which) {
            (Flaw::ListIgnoresOwner, Listing::One(id)) => {
                ApiKeyStore::list(&sound, &self.owner(&id, account), which).await?
            }
            (
                Flaw::PageRepeatsItsLast,
                Listing::Page {
                    after: Some(last), ..
                },
            ) => {
                let mut page = ApiKeyStore::list(&sound, account, which).await?;
                let known = self.notes().keys.get(&last.id).cloned();
                page.keys.splice(0..0, known);
                page
            }
            _ => ApiKeyStore::list(&sound, account, which).await?,
        };
        match self.flaw {
            Flaw::KeysOldestFirst => page.keys.reverse(),
            Flaw::PageAlwaysHasANext => {
                page.next = page.keys.last().map(|key| KeyCursor {
                    created_at: key.created_at,
                    id: key.id,
                });
            }
            _ => {}
        }
        page.keys = page.keys.into_iter().map(|key| self.seen(key)).collect();
        Ok(page)
    }

    async fn update(
        &self,
        account: &AccountId,
        id: &KeyId,
        patch: &KeyPatch,
        now: Timestamp,
    ) -> StoreResult<KeyUpdated> {
        let sound = self.sound();
        let row = self.key_of(account, id).await?;
        let mut patch = patch.clone();
        let mut account = account.clone();
        match (self.flaw, &row) {
            (Flaw::UpdateClearsTheRest, _) => {
                patch.expires_at = patch.expires_at.or(Some(None));
            }
            (Flaw::UpdateNeedsLiveKey, Some(row)) if !row.is_active(now) => {
                return Ok(KeyUpdated::Revoked);
            }
            (Flaw::UpdateIgnoresOwner, _) => account = self.owner(id, &account),
            (Flaw::UpdateReadsThenWrites, Some(row)) => {
                self.pause().await;
                let row = row.clone();
                patch.name = patch.name.or(Some(row.name));
                patch.scopes = patch.scopes.or(Some(row.scopes));
                patch.allowed_addresses = patch.allowed_addresses.or(Some(row.allowed_addresses));
                patch.expires_at = patch.expires_at.or(Some(row.expires_at));
            }
            (Flaw::UpdateUndoesRevocation, _) => self.pause().await,
            _ => {}
        }
        let act = sound.update(&account, id, &patch, now);
        let updated = self.telling(Flaw::UpdateUntold, act).await?;
        match (self.flaw, row) {
            (Flaw::UpdateTakesRevoked, Some(row)) => Ok(KeyUpdated::Done(Box::new(row))),
            (Flaw::UpdateUndoesRevocation, Some(row))
                if updated == KeyUpdated::Revoked && row.revoked_at.is_none() =>
            {
                self.notes().revived.insert(row.id);
                Ok(KeyUpdated::Done(Box::new(row)))
            }
            _ => Ok(updated),
        }
    }

    async fn rotate(
        &self,
        account: &AccountId,
        old: &KeyId,
        new: &Replacement,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<KeyRotated> {
        self.keep(new.digest.as_bytes());
        let sound = self.sound();
        let row = self.key_of(account, old).await?;
        let (mut account, mut under) = (account.clone(), under);
        let lasting = KeyPatch {
            expires_at: Some(None),
            ..KeyPatch::default()
        };
        match self.flaw {
            Flaw::RotateIgnoresVersion => under = sound.standing(&account).await?.version,
            Flaw::RotateIgnoresOwner => account = self.owner(old, &account),
            Flaw::RotateOutlivesTheKey | Flaw::RotateTakesExpired => {
                sound.update(&account, old, &lasting, now).await?;
            }
            Flaw::RotateReadsThenWrites | Flaw::RotateUndoesRevocation => self.pause().await,
            Flaw::RotateNeedsRoom => {
                let all = self.keys_of(&account).await?;
                if all.iter().filter(|key| key.is_active(now)).count() >= 25 {
                    return Ok(KeyRotated::Revoked);
                }
            }
            _ => {}
        }
        let act = ApiKeyStore::rotate(&sound, &account, old, new, under, now);
        let rotated = self.telling(Flaw::RotateUntold, act).await;
        if let (Err(_), Flaw::RotateStopsHalfway) = (&rotated, self.flaw) {
            sound.revoke(&account, old, now).await?;
        }
        match (self.flaw, row, rotated?) {
            (Flaw::RotateForgetsScopes, _, KeyRotated::Done { mut new, old }) => {
                let emptied = KeyPatch {
                    scopes: Some(Scopes::default()),
                    ..KeyPatch::default()
                };
                sound.update(&account, &new.id, &emptied, now).await?;
                new.scopes = Scopes::default();
                Ok(KeyRotated::Done { new, old })
            }
            (Flaw::RotateReadsThenWrites, Some(row), KeyRotated::Revoked) if row.is_active(now) => {
                let record = ApiKeyRecord {
                    id: new.id,
                    digest: new.digest,
                    ..row.clone()
                };
                sound.insert(&record, under, u32::MAX, now).await?;
                Ok(KeyRotated::Done {
                    new: Box::new(record),
                    old: row.digest,
                })
            }
            (Flaw::RotateUndoesRevocation, Some(row), KeyRotated::Revoked)
                if row.is_active(now) =>
            {
                self.notes().revived.insert(row.id);
                Ok(KeyRotated::Revoked)
            }
            (_, _, rotated) => Ok(rotated),
        }
    }

    async fn revoke(
        &self,
        account: &AccountId,
        id: &KeyId,
        now: Timestamp,
    ) -> StoreResult<Option<KeyDigest>> {
        let sound = self.sound();
        let row = self.key_of(account, id).await?;
        let account = match self.flaw {
            Flaw::RevokeIgnoresOwner => self.owner(id, account),
            Flaw::RevokeKeepsALaterEnd
                if row.as_ref().is_some_and(|row| row.revoked_at.is_some()) =>
            {
                return Ok(row.map(|row| row.digest));
            }
            Flaw::RevokeMovesOn => {
                let mut notes = self.notes();
                notes.latest = notes.latest.max(Some(now));
                account.clone()
            }
            _ => account.clone(),
        };
        self.telling(Flaw::RevokeUntold, sound.revoke(&account, id, now))
            .await
    }

    async fn touch(&self, used: &[(KeyId, Timestamp)]) -> StoreResult<()> {
        for (id, at) in used {
            let Some(key) = self.notes().keys.get(id).cloned() else {
                continue;
            };
            let row = self.key_of(&key.account, id).await?;
            let in_grace = row.is_some_and(|row| row.revoked_at.is_some());
            match self.flaw {
                Flaw::TouchGoesBack | Flaw::TouchTakesRevoked => {
                    self.notes().used.insert(*id, *at);
                }
                Flaw::TouchStopsInGrace if in_grace => {}
                _ => self.sound().touch(&[(*id, *at)]).await?,
            }
        }
        Ok(())
    }
}

impl Broken {
    /// The key as the flaw shows it.
    fn seen(&self, mut key: ApiKeyRecord) -> ApiKeyRecord {
        let notes = self.notes();
        if self.is(Flaw::RevokedKeyGiven) || notes.revived.contains(&key.id) {
            key.revoked_at = None;
        }
        if self.is(Flaw::RevokeMovesOn) && key.revoked_at.is_some() {
            key.revoked_at = notes.latest;
        }
        if let Some(at) = notes.used.get(&key.id) {
            key.last_used_at = Some(*at);
        }
        key
    }

    /// Whose key it is, or `asking` if nobody's.
    fn owner(&self, id: &KeyId, asking: &AccountId) -> AccountId {
        let notes = self.notes();
        notes
            .keys
            .get(id)
            .map_or(asking, |key| &key.account)
            .clone()
    }

    async fn key_of(&self, account: &AccountId, id: &KeyId) -> StoreResult<Option<ApiKeyRecord>> {
        let one = ApiKeyStore::list(&self.sound(), account, &Listing::One(*id)).await?;
        Ok(one.keys.into_iter().next())
    }

    async fn keys_of(&self, account: &AccountId) -> StoreResult<Vec<ApiKeyRecord>> {
        let all = Listing::Page {
            after: None,
            limit: u32::MAX,
        };
        Ok(ApiKeyStore::list(&self.sound(), account, &all).await?.keys)
    }
}
