//! Stores of passwords.

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Accounts, Raised, SessionId, StoreResult, Timestamp};
use ps_password::{PasswordHash, PasswordStore};
use ps_session::{End, SessionStore};
use ps_testkit::conformance::passwords as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passwords_fail() {
    let table = [
        (Flaw::PasswordIsCut, "a_password_is_found_as_it_was_set"),
        (Flaw::PasswordIsSetOnce, "a_password_is_found_as_it_was_set"),
        (
            Flaw::ReplaceRaisesNothing,
            "a_new_password_raises_the_version",
        ),
        (
            Flaw::ReplaceIgnoresVersion,
            "a_new_password_needs_the_version_of_the_proof",
        ),
        (
            Flaw::ReplaceTakesDisabled,
            "a_new_password_needs_the_version_of_the_proof",
        ),
        (
            Flaw::ReplaceReadsThenWrites,
            "of_many_new_passwords_at_once_one_is_set",
        ),
        (
            Flaw::ReplaceKeepsAnything,
            "a_session_that_is_not_there_cannot_be_kept",
        ),
        (Flaw::RehashDoesNothing, "a_rehash_raises_nothing"),
        (Flaw::RehashRaises, "a_rehash_raises_nothing"),
        (
            Flaw::RehashIsUnconditional,
            "a_rehash_of_what_was_replaced_does_nothing",
        ),
        (
            Flaw::RehashReadsThenWrites,
            "no_rehash_outlives_a_new_password",
        ),
        (Flaw::ClaimKeepsPassword, "a_claim_removes_the_password"),
        (Flaw::ClaimForgetsTooEarly, "a_claim_removes_the_password"),
        (
            Flaw::DisableForgetsPassword,
            "a_disabled_owner_keeps_its_password",
        ),
        (
            Flaw::ReplaceIgnoresVersion,
            "no_password_in_flight_survives_a_claim",
        ),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl PasswordStore for Broken {
    async fn find(&self, account: &AccountId) -> StoreResult<Option<PasswordHash>> {
        if let Some(seen) = self.notes().passwords.get(account) {
            return Ok(seen.clone());
        }
        PasswordStore::find(&self.sound(), account).await
    }

    async fn replace(
        &self,
        account: &AccountId,
        new: &PasswordHash,
        keep: Option<&SessionId>,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let sound = self.sound();
        let (mut new, mut keep, mut under) = (new.clone(), keep, under);
        let sessions = SessionStore::list(&sound, account, now).await?;
        match self.flaw {
            Flaw::PasswordIsCut => {
                new = PasswordHash::new(new.as_str().chars().take(255).collect::<String>())
            }
            Flaw::PasswordIsSetOnce => {
                if let Some(first) = PasswordStore::find(&sound, account).await? {
                    new = first;
                }
            }
            Flaw::ReplaceIgnoresVersion => under = sound.standing(account).await?.version,
            Flaw::ReplaceReadsThenWrites if sound.standing(account).await?.version == under => {
                self.pause().await;
                under = sound.standing(account).await?.version;
            }
            Flaw::ReplaceTakesDisabled => {
                sound.enable(account, now).await?;
            }
            Flaw::ReplaceKeepsAnything => {
                keep = keep.filter(|id| sessions.iter().any(|one| one.id == **id));
            }
            Flaw::ReplaceCarriesNothing => {
                self.notes().revived_sessions.extend(keep.take());
            }
            Flaw::ReplaceEndsTheKept => keep = None,
            _ => {}
        }
        let act = sound.replace(account, &new, keep, under, now);
        let raised = self.telling(Flaw::ReplaceUntold, act).await?;
        if raised != Raised::Changed {
            self.notes().passwords.remove(account);
            match self.flaw {
                Flaw::ReplaceKeepsSessions => {
                    let kept = sessions.iter().map(|one| one.id);
                    self.notes().revived_sessions.extend(kept);
                }
                Flaw::ReplaceRaisesNothing => return Ok(Raised::To(under)),
                _ => {}
            }
        }
        Ok(raised)
    }

    async fn rehash(
        &self,
        account: &AccountId,
        from: &PasswordHash,
        to: &PasswordHash,
    ) -> StoreResult<()> {
        let sound = self.sound();
        let stored = PasswordStore::find(&sound, account).await?;
        let is_from = stored.as_ref() == Some(from);
        match self.flaw {
            Flaw::RehashDoesNothing => return Ok(()),
            Flaw::RehashRaises => {
                sound
                    .end(End::All(account), Timestamp::from_millis(0))
                    .await?;
            }
            Flaw::RehashIsUnconditional => {
                self.notes()
                    .passwords
                    .insert(account.clone(), Some(to.clone()));
            }
            Flaw::RehashReadsThenWrites if is_from => {
                self.pause().await;
                if let Some(now) = PasswordStore::find(&sound, account).await? {
                    return sound.rehash(account, &now, to).await;
                }
            }
            _ => {}
        }
        sound.rehash(account, from, to).await
    }
}
