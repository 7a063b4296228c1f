//! Stores of identities.

use async_trait::async_trait;
use ps_core::{AccountId, AccountVersion, Accounts, StoreResult, Timestamp};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};
use ps_testkit::conformance::identities as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identities_fail() {
    let table = [
        (Flaw::IdentitiesOfAnybody, "what_was_linked_is_found"),
        (Flaw::LinkForgetsEmail, "every_field_comes_back"),
        (Flaw::IdentityFoldsCase, "an_identity_is_its_exact_bytes"),
        (
            Flaw::IdentityForgetsProvider,
            "an_identity_is_its_exact_bytes",
        ),
        (
            Flaw::IdentityForgetsIssuer,
            "an_identity_is_its_exact_bytes",
        ),
        (Flaw::IdentityRunsTogether, "an_identity_is_its_exact_bytes"),
        (
            Flaw::IdentitiesUnordered,
            "a_list_begins_with_the_first_linked",
        ),
        (
            Flaw::LinkIgnoresVersion,
            "linking_needs_the_version_of_the_proof",
        ),
        (Flaw::LinkOverwrites, "linking_again_changes_nothing"),
        (Flaw::LinkMoves, "what_is_linked_stays_with_its_account"),
        (
            Flaw::LinkReadsThenWrites,
            "of_many_accounts_at_once_one_gets_an_identity",
        ),
        (
            Flaw::LinkReadsThenWrites,
            "many_links_at_once_by_one_account_are_one",
        ),
        (
            Flaw::UnlinkForgets,
            "an_unlinked_identity_opens_nothing_and_is_remembered",
        ),
        (
            Flaw::UnlinkAnswersAgain,
            "an_unlinked_identity_opens_nothing_and_is_remembered",
        ),
        (
            Flaw::UnlinkedListed,
            "an_unlinked_identity_opens_nothing_and_is_remembered",
        ),
        (
            Flaw::UnlinkIgnoresVersion,
            "unlinking_needs_the_version_of_the_proof",
        ),
        (
            Flaw::UnlinkIgnoresOwner,
            "unlinking_needs_an_identity_of_the_account_and_provider",
        ),
        (
            Flaw::UnlinkIgnoresProvider,
            "unlinking_needs_an_identity_of_the_account_and_provider",
        ),
        (
            Flaw::UnlinkRemovesOne,
            "every_identity_of_the_provider_goes",
        ),
        (
            Flaw::UnlinkMovesEarlierRemovals,
            "every_identity_of_the_provider_goes",
        ),
        (Flaw::UnlinkTakesTheLast, "the_last_way_in_stays"),
        (Flaw::UnlinkIgnoresConfigured, "the_last_way_in_stays"),
        (Flaw::UnlinkIgnoresPassword, "the_last_way_in_stays"),
        (Flaw::UnlinkCountsItsOwn, "the_last_way_in_stays"),
        (Flaw::UnlinkCountsRemoved, "the_last_way_in_stays"),
        (
            Flaw::UnlinkCountsBeforeItLocks,
            "of_both_unlinked_at_once_one_stays",
        ),
        (
            Flaw::UnlinkCountsBeforeItLocks,
            "links_and_unlinks_at_once_leave_a_way_in",
        ),
        (
            Flaw::LinkLiftsUnasked,
            "a_removed_identity_stays_removed_unasked",
        ),
        (
            Flaw::UnlinkForgets,
            "a_removed_identity_stays_removed_unasked",
        ),
        (
            Flaw::LinkNeverLifts,
            "a_removed_identity_is_linked_again_where_it_is_asked_for",
        ),
        (
            Flaw::LiftKeepsTheOldAddress,
            "a_removed_identity_is_linked_again_where_it_is_asked_for",
        ),
        (
            Flaw::LiftNeedsItsOwner,
            "whoever_lifts_a_removal_has_the_identity",
        ),
        (
            Flaw::ClaimForgetsLifted,
            "whoever_lifts_a_removal_has_the_identity",
        ),
        (
            Flaw::LinkReadsThenWrites,
            "of_many_who_lift_a_removal_at_once_one_has_the_identity",
        ),
        (Flaw::ClaimKeepsIdentities, "a_claim_forgets_every_identity"),
        (
            Flaw::ClaimKeepsRemovedIdentities,
            "a_claim_forgets_every_identity",
        ),
        (
            Flaw::ClaimForgetsTooEarly,
            "a_claim_that_does_nothing_forgets_nothing",
        ),
        (
            Flaw::DisableForgetsIdentities,
            "a_disabled_owner_keeps_its_identities",
        ),
        (
            Flaw::LinkIgnoresVersion,
            "no_link_in_flight_survives_a_claim",
        ),
        (
            Flaw::ClaimKeepsIdentities,
            "no_link_in_flight_survives_a_claim",
        ),
    ];
    fail(suite::properties(), &table).await;
}

impl Broken {
    /// The identity as a store with this flaw knows it.
    fn known_as(&self, identity: &Identity) -> Identity {
        let mut known = identity.clone();
        match self.flaw {
            Flaw::IdentityFoldsCase => known.subject = known.subject.to_lowercase(),
            Flaw::IdentityForgetsIssuer => known.issuer.clear(),
            Flaw::IdentityForgetsProvider => known.provider.clear(),
            Flaw::IdentityRunsTogether => {
                let Identity {
                    provider,
                    issuer,
                    subject,
                } = &identity;
                known.subject = format!("{provider}{issuer}{subject}");
                known.issuer.clear();
                known.provider.clear();
            }
            _ => {}
        }
        known
    }

    /// Whatever the account ever linked is seen no more.
    pub(crate) fn hide_identities(&self, account: &AccountId) {
        let notes = &mut *self.notes();
        let theirs = notes.linked.iter().filter(|row| row.account == *account);
        notes.hidden.extend(theirs.map(|row| row.identity.clone()));
    }

    /// Links it whatever it opens now, as an account that may.
    async fn force(&self, new: &LinkedIdentity) -> StoreResult<()> {
        let sound = self.sound();
        if let Some(row) = IdentityStore::find(&sound, &new.identity).await?
            && row.removed_at.is_none()
        {
            let under = sound.standing(&row.account).await?.version;
            let (provider, now) = (&row.identity.provider, row.linked_at);
            sound
                .unlink_unless_last(&row.account, provider, &[], true, under, now)
                .await?;
        }
        let under = sound.standing(&new.account).await?.version;
        sound.link(new, Removed::IsLifted, under).await?;
        Ok(())
    }
}

#[async_trait]
impl IdentityStore for Broken {
    async fn find(&self, identity: &Identity) -> StoreResult<Option<LinkedIdentity>> {
        let known = self.known_as(identity);
        let found = IdentityStore::find(&self.sound(), &known).await?;
        let is_shown = |row: &LinkedIdentity| {
            !self.notes().hidden.contains(identity)
                && (row.removed_at.is_none() || !self.is(Flaw::UnlinkForgets))
        };
        Ok(found.filter(is_shown).map(|row| LinkedIdentity {
            identity: identity.clone(),
            removed_at: row.removed_at.map(|at| self.notes().latest.unwrap_or(at)),
            ..row
        }))
    }

    async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>> {
        let mut rows = IdentityStore::list(&self.sound(), account).await?;
        let all = self.notes().linked.clone();
        match self.flaw {
            Flaw::IdentitiesOfAnybody => rows = all,
            Flaw::UnlinkedListed => {
                rows = all;
                rows.retain(|row| row.account == *account);
            }
            Flaw::IdentitiesUnordered => rows.sort_by(|a, b| a.identity.cmp(&b.identity)),
            _ => {}
        }
        rows.retain(|row| !self.notes().hidden.contains(&row.identity));
        Ok(rows)
    }

    async fn link(
        &self,
        new: &LinkedIdentity,
        removed: Removed,
        under: AccountVersion,
    ) -> StoreResult<Linked> {
        let sound = self.sound();
        let mut new = LinkedIdentity {
            identity: self.known_as(&new.identity),
            ..new.clone()
        };
        let (mut removed, mut under) = (removed, under);
        let before = IdentityStore::find(&sound, &new.identity).await?;
        match (self.flaw, &before) {
            (Flaw::LinkForgetsEmail, _) => new.email = None,
            (Flaw::LinkIgnoresVersion, _) => under = sound.standing(&new.account).await?.version,
            (Flaw::LinkLiftsUnasked | Flaw::UnlinkForgets, _) => removed = Removed::IsLifted,
            (Flaw::LinkNeverLifts, _) => removed = Removed::Stays,
            (Flaw::LiftKeepsTheOldAddress, Some(row)) => new.email.clone_from(&row.email),
            (Flaw::LiftNeedsItsOwner, Some(row)) if row.account != new.account => {
                removed = Removed::Stays;
            }
            (Flaw::LinkReadsThenWrites, _) => self.pause().await,
            _ => {}
        }
        let linked = sound.link(&new, removed, under).await?;
        let was_free = before.is_none_or(|row| row.removed_at.is_some());
        Ok(match (self.flaw, linked) {
            (Flaw::LinkOverwrites, Linked::Already) | (Flaw::LinkMoves, Linked::OfAnother) => {
                self.force(&new).await?;
                linked
            }
            (Flaw::LinkReadsThenWrites, Linked::Already | Linked::OfAnother) if was_free => {
                self.force(&new).await?;
                Linked::Done
            }
            (_, Linked::Done) => {
                self.notes().linked.push(new);
                linked
            }
            _ => linked,
        })
    }

    async fn unlink_unless_last(
        &self,
        account: &AccountId,
        provider: &str,
        configured: &[&str],
        has_password: bool,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Unlinked> {
        let sound = self.sound();
        let (mut account, mut provider) = (account.clone(), provider.to_owned());
        let (mut has_password, mut under) = (has_password, under);
        let before = IdentityStore::list(&sound, &account).await?;
        let linked = self.notes().linked.clone();
        let is_another = |row: &LinkedIdentity| row.identity.provider != provider;
        let is_configured =
            |row: &LinkedIdentity| configured.contains(&row.identity.provider.as_str());
        match self.flaw {
            Flaw::UnlinkIgnoresVersion => under = sound.standing(&account).await?.version,
            Flaw::UnlinkTakesTheLast => has_password = true,
            Flaw::UnlinkIgnoresPassword => has_password = false,
            Flaw::UnlinkIgnoresConfigured => has_password |= before.iter().any(is_another),
            Flaw::UnlinkCountsItsOwn => {
                has_password |= before.iter().filter(|row| is_configured(row)).count() > 1;
            }
            Flaw::UnlinkCountsRemoved => {
                let counts = |row: &&LinkedIdentity| row.account == account && is_another(row);
                has_password |= linked.iter().filter(counts).any(is_configured);
            }
            Flaw::UnlinkCountsBeforeItLocks => {
                let mut others = before.iter().filter(|row| is_another(row));
                has_password |= others.any(is_configured);
                self.pause().await;
            }
            Flaw::UnlinkIgnoresOwner => {
                if let Some(row) = linked.iter().find(|row| !is_another(row)) {
                    account = row.account.clone();
                }
            }
            Flaw::UnlinkIgnoresProvider => {
                if let Some(row) = before.first() {
                    provider.clone_from(&row.identity.provider);
                }
            }
            _ => {}
        }
        let unlinked = sound
            .unlink_unless_last(&account, &provider, configured, has_password, under, now)
            .await?;
        match (self.flaw, unlinked) {
            (Flaw::UnlinkAnswersAgain, Unlinked::NotLinked) => return Ok(Unlinked::Done),
            (Flaw::UnlinkMovesEarlierRemovals, Unlinked::Done) => self.notes().latest = Some(now),
            (Flaw::UnlinkRemovesOne, Unlinked::Done) => {
                let named = |row: &&LinkedIdentity| row.identity.provider == provider;
                for row in before.iter().filter(named).skip(1) {
                    self.force(row).await?;
                }
            }
            _ => {}
        }
        Ok(unlinked)
    }
}
