//! Which account an identity opens, and which identities open an account.

use ps_core::{
    AccountId, AccountVersion, AuthEvent, Outcome, Refusal, Requester, StoreResult, Timestamp,
};

use super::SocialLogins;
use crate::{
    Facts, Holder, Identity, Known, LinkPolicy, Linked, LinkedIdentity, Profile, Provider, Removed,
    SocialError, UnlinkError, Unlinked, Weighed, judge_sign_in,
};

/// How often an identity is looked at again that was linked or unlinked between two looks at it.
const TRIES: u32 = 3;

impl SocialLogins {
    /// What a sign-in by `profile` comes to, under the policy. It changes nothing.
    ///
    /// The account that the identity opens is read, then the identity once more: so a claim in
    /// between, which makes the identity open nothing, is seen, and a later one raises the version.
    ///
    /// # Errors
    /// [`SocialError::AccountChanged`] where the identity is linked and unlinked all the while,
    /// [`SocialError::Store`].
    pub async fn weigh(
        &self,
        profile: &Profile,
        requester: &Requester,
    ) -> Result<Weighed, SocialError> {
        let facts = self.facts(profile).await;
        let now = self.ambient.clock.now();
        let facts = facts.inspect_err(|error| self.tell_error(error, Some(requester), now))?;
        let account = facts.holder.as_ref().map(|holder| holder.user.id.clone());
        let weighed = judge_sign_in(facts, &self.policy.linking);
        self.ambient.events.record(&AuthEvent {
            account: account.as_ref(),
            address: profile.email(),
            ..AuthEvent::new(outcome(&weighed), now).by(requester)
        });
        Ok(weighed)
    }

    /// What it would come to under another policy: a dry run, told to nobody.
    ///
    /// # Errors
    /// As [`weigh`](Self::weigh).
    pub async fn weigh_under(
        &self,
        policy: &LinkPolicy,
        profile: &Profile,
    ) -> Result<Weighed, SocialError> {
        Ok(judge_sign_in(self.facts(profile).await?, policy))
    }

    /// Links `profile` to an account; whether that is new, and its owner to be told by mail.
    ///
    /// `under` is the account's version as it was weighed, or as the session has it that asks for
    /// the link. An identity that was removed is linked again only where `removed` lifts that: its
    /// owner is signed in and asked for it. The address is kept, to be shown, if it is verified.
    ///
    /// # Errors
    /// [`SocialError::AccountChanged`], [`SocialError::IdentityInUse`],
    /// [`SocialError::IdentityRemoved`], [`SocialError::Store`].
    pub async fn link(
        &self,
        account: &AccountId,
        profile: &Profile,
        removed: Removed,
        under: AccountVersion,
        requester: &Requester,
    ) -> Result<bool, SocialError> {
        let now = self.ambient.clock.now();
        let new = LinkedIdentity {
            identity: profile.identity().clone(),
            account: account.clone(),
            email: profile.proof().map(|proof| proof.address().clone()),
            linked_at: now,
            removed_at: None,
        };
        let linked = match self.store.link(&new, removed, under).await? {
            Linked::Done => Ok(true),
            Linked::Already => Ok(false),
            Linked::AccountChanged => Err(SocialError::AccountChanged),
            Linked::OfAnother => Err(SocialError::IdentityInUse),
            Linked::Removed => Err(SocialError::IdentityRemoved),
        };
        let outcome = match &linked {
            Ok(true) => Some(Outcome::IdentityLinked),
            Ok(false) => None,
            Err(error) => error.outcome(),
        };
        if let Some(outcome) = outcome {
            self.ambient.events.record(&AuthEvent {
                address: profile.email(),
                ..AuthEvent::new(outcome, now).of(account).by(requester)
            });
        }
        linked
    }

    /// Links `profile` as its owner has asked for while signed in, at `asked_at`; whether that is new.
    ///
    /// It lifts a removal that was made before. One made since then stays: the wish was heard, and
    /// its callback has come again.
    ///
    /// # Errors
    /// As [`link`](Self::link); [`SocialError::IdentityRemoved`] is a wish that was heard before.
    pub async fn link_asked(
        &self,
        account: &AccountId,
        profile: &Profile,
        asked_at: Timestamp,
        under: AccountVersion,
        requester: &Requester,
    ) -> Result<bool, SocialError> {
        let found = self.store.find(profile.identity()).await?;
        let removed_at = found.and_then(|row| row.removed_at);
        let removed = match removed_at {
            Some(at) if at > asked_at => Removed::Stays,
            _ => Removed::IsLifted,
        };
        self.link(account, profile, removed, under, requester).await
    }

    /// Removes the account's identities of a provider, unless they are the last way in: a password,
    /// or an identity of another configured provider, has to be left. The owner is to be told by
    /// mail.
    ///
    /// `has_password` may be read before, but after `under`.
    ///
    /// # Errors
    /// [`UnlinkError`], all of them.
    pub async fn unlink(
        &self,
        account: &AccountId,
        provider: &str,
        has_password: bool,
        under: AccountVersion,
        requester: &Requester,
    ) -> Result<(), UnlinkError> {
        let now = self.ambient.clock.now();
        let configured: Vec<_> = self.providers().map(Provider::name).collect();
        let unlinked =
            self.store
                .unlink_unless_last(account, provider, &configured, has_password, under, now);
        match unlinked.await? {
            Unlinked::AccountChanged => Err(UnlinkError::AccountChanged),
            Unlinked::Done => {
                let event = AuthEvent::new(Outcome::IdentityUnlinked, now);
                self.ambient.events.record(&event.of(account).by(requester));
                Ok(())
            }
            Unlinked::Last => Err(UnlinkError::Last),
            Unlinked::NotLinked => Err(UnlinkError::NotLinked),
        }
    }

    /// The account's identities, the one linked first first.
    ///
    /// # Errors
    /// What the store said.
    pub async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>> {
        self.store.list(account).await
    }
}

/// What the judgement is made of.
impl SocialLogins {
    async fn facts(&self, profile: &Profile) -> Result<Facts, SocialError> {
        let identity = profile.identity();
        let mut found = self.store.find(identity).await?;
        for _ in 0..TRIES {
            let holder = self.holder(opened_by(found.as_ref()), profile).await?;
            let has_another = match &holder {
                Some(holder) => self.has_another(&holder.user.id, identity).await?,
                None => false,
            };
            let again = self.store.find(identity).await?;
            if opened_by(again.as_ref()) == opened_by(found.as_ref()) {
                return Ok(Facts {
                    known: known(again.as_ref()),
                    proof: profile.proof(),
                    is_authoritative: profile.is_authoritative(),
                    holder,
                    has_another,
                });
            }
            found = again;
        }
        Err(SocialError::AccountChanged)
    }

    /// The account that `linked` names; without one, the account that has the verified address.
    async fn holder(
        &self,
        linked: Option<&AccountId>,
        profile: &Profile,
    ) -> StoreResult<Option<Holder>> {
        let user = match (linked, profile.proof()) {
            (Some(account), _) => self.users.find(account).await?,
            (None, Some(proof)) => {
                let user = self.users.find_by_email(proof.address()).await?;
                // A users table that folds more than the canonical form would hand over another's.
                user.filter(|user| user.email == *proof.address())
            }
            (None, None) => None,
        };
        let Some(user) = user else { return Ok(None) };
        let standing = self.accounts.standing(&user.id).await?;
        Ok(Some(Holder { user, standing }))
    }

    async fn has_another(&self, account: &AccountId, identity: &Identity) -> StoreResult<bool> {
        let linked = self.store.list(account).await?;
        Ok(linked
            .iter()
            .map(|row| &row.identity)
            .any(|other| other.provider == identity.provider && other != identity))
    }
}

fn outcome(weighed: &Weighed) -> Outcome {
    match weighed {
        Weighed::AccountDisabled => Outcome::SocialRefused(Refusal::AccountDisabled),
        Weighed::CodeNeeded | Weighed::EmailUnverified => Outcome::SocialRefused(Refusal::Unproven),
        Weighed::IdentityRemoved => Outcome::SocialRefused(Refusal::Removed),
        Weighed::ClaimThenLink(..)
        | Weighed::Link(_)
        | Weighed::Register(_)
        | Weighed::SignIn(_) => Outcome::SocialAccepted,
    }
}

/// The account that an identity opens, if it opens one.
fn opened_by(found: Option<&LinkedIdentity>) -> Option<&AccountId> {
    found
        .filter(|row| row.removed_at.is_none())
        .map(|row| &row.account)
}

fn known(found: Option<&LinkedIdentity>) -> Known {
    match found {
        None => Known::Unknown,
        Some(row) if row.removed_at.is_some() => Known::Removed,
        Some(_) => Known::Linked,
    }
}
