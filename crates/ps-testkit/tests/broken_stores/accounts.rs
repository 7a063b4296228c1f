//! Stores of accounts.

use async_trait::async_trait;
use ps_apikey::{ApiKeyStore, Listing};
use ps_core::{
    AccountId, AccountVersion, Accounts, Raised, Standing, StoreResult, Timestamp, VerifiedEmail,
};
use ps_oauth::{IdentityStore, Removed};
use ps_password::PasswordStore;
use ps_session::{End, SessionStore};
use ps_testkit::conformance::accounts as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_fail() {
    let table = [
        (
            Flaw::StandingProven,
            "an_account_nobody_touched_stands_at_the_default",
        ),
        (Flaw::ClaimProvesNothing, "a_claim_proves_and_raises"),
        (
            Flaw::ClaimIgnoresVersion,
            "a_claim_under_another_version_does_nothing",
        ),
        (
            Flaw::ClaimIgnoresVersion,
            "of_many_claims_at_once_one_is_done",
        ),
        (
            Flaw::ClaimEnables,
            "a_claim_of_a_disabled_account_does_nothing",
        ),
        (
            Flaw::ClaimRemembersTheLast,
            "the_first_proof_is_the_one_remembered",
        ),
        (
            Flaw::DisableRaisesNothing,
            "disabling_raises_and_enabling_does_not",
        ),
        (Flaw::EnableRaises, "disabling_raises_and_enabling_does_not"),
        (Flaw::DisableAnswersAlways, "disabling_at_once_is_done_once"),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl Accounts for Broken {
    async fn standing(&self, id: &AccountId) -> StoreResult<Standing> {
        let sound = self.sound().standing(id).await?;
        Ok(match self.flaw {
            Flaw::StandingProven => Standing {
                proven_at: sound.proven_at.or(Some(Timestamp::from_millis(0))),
                ..sound
            },
            Flaw::ClaimProvesNothing => Standing {
                proven_at: None,
                ..sound
            },
            Flaw::ClaimRemembersTheLast => Standing {
                proven_at: self.notes().latest.or(sound.proven_at),
                ..sound
            },
            Flaw::DisableRaisesNothing if sound.disabled_at.is_some() => Standing {
                version: AccountVersion::new(sound.version.number() - 1),
                ..sound
            },
            _ => sound,
        })
    }

    async fn claim(
        &self,
        id: &AccountId,
        proof: &VerifiedEmail,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Raised> {
        let sound = self.sound();
        let standing = sound.standing(id).await?;
        let page = Listing::Page {
            after: None,
            limit: u32::MAX,
        };
        match self.flaw {
            Flaw::ClaimIgnoresVersion => {
                return sound.claim(id, proof, standing.version, now).await;
            }
            Flaw::ClaimEnables => {
                sound.enable(id, now).await?;
            }
            Flaw::ClaimRemembersTheLast => self.notes().latest = Some(now),
            Flaw::ClaimKeepsKeys => {
                let keys = ApiKeyStore::list(&sound, id, &page).await?.keys;
                let active = keys.iter().filter(|key| key.is_active(now));
                self.notes().revived.extend(active.map(|key| key.id));
            }
            Flaw::ClaimKeepsSessions => {
                let sessions = SessionStore::list(&sound, id, now).await?;
                let raised = sound.claim(id, proof, under, now).await?;
                self.notes()
                    .revived_sessions
                    .extend(sessions.iter().map(|one| one.id));
                return Ok(raised);
            }
            Flaw::ClaimKeepsPassword => {
                let kept = PasswordStore::find(&sound, id).await?;
                let raised = sound.claim(id, proof, under, now).await?;
                self.notes().passwords.insert(id.clone(), kept);
                return Ok(raised);
            }
            Flaw::ClaimForgetsTooEarly => {
                self.hide_identities(id);
                self.notes().passwords.insert(id.clone(), None);
            }
            Flaw::ClaimForgetsLifted => self.hide_identities(id),
            Flaw::ClaimKeepsIdentities | Flaw::ClaimKeepsRemovedIdentities => {
                let linked = IdentityStore::list(&sound, id).await?;
                let all = self.notes().linked.clone();
                let raised = sound.claim(id, proof, under, now).await?;
                let Raised::To(version) = raised else {
                    return Ok(raised);
                };
                for row in all.iter().filter(|row| row.account == *id) {
                    let is_removed = linked.iter().all(|one| one.identity != row.identity);
                    if is_removed != self.is(Flaw::ClaimKeepsRemovedIdentities) {
                        continue;
                    }
                    sound.link(row, Removed::IsLifted, version).await?;
                    if is_removed {
                        let provider = &row.identity.provider;
                        sound
                            .unlink_unless_last(id, provider, &[], true, version, now)
                            .await?;
                    }
                }
                return Ok(raised);
            }
            _ => {}
        }
        self.telling(Flaw::ClaimUntold, sound.claim(id, proof, under, now))
            .await
    }

    async fn disable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let sound = self.sound();
        let done = self
            .telling(Flaw::DisableUntold, sound.disable(id, now))
            .await?;
        match self.flaw {
            Flaw::DisableForgetsIdentities => self.hide_identities(id),
            Flaw::DisableForgetsPassword => {
                self.notes().passwords.insert(id.clone(), None);
            }
            _ => {}
        }
        Ok(done || self.is(Flaw::DisableAnswersAlways))
    }

    async fn enable(&self, id: &AccountId, now: Timestamp) -> StoreResult<bool> {
        let sound = self.sound();
        let done = self
            .telling(Flaw::EnableUntold, sound.enable(id, now))
            .await?;
        if self.is(Flaw::EnableRaises) {
            sound.end(End::All(id), now).await?;
        }
        Ok(done)
    }
}
