//! What a provider's word is worth, and what linking comes to, as pure functions.

use ps_core::{AccountId, Standing, User, VerifiedEmail};

use crate::{LinkPolicy, Linked, LinkedIdentity, Removed};

/// An account, and where it stood before it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose it is.
    pub user: User,
    /// Where it stood. What is done for it is done under `standing.version`.
    pub standing: Standing,
}

/// What is known of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It opens an account.
    Linked,
    /// It opened an account until its owner removed it.
    Removed,
    /// Nothing.
    Unknown,
}

/// Everything that a sign-in by a provider is judged by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is known of the identity.
    pub known: Known,
    /// That the provider has verified the address, if it has.
    pub proof: Option<VerifiedEmail>,
    /// Whether the provider hosts the mailbox, and so knows who reads it now.
    pub is_authoritative: bool,
    /// The account that a linked identity opens; for any other, the one that has the verified
    /// address.
    pub holder: Option<Holder>,
    /// Whether that account has another identity of the same provider.
    pub has_another: bool,
}

/// What a sign-in by a provider comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// The account is disabled, or its user is gone.
    AccountDisabled,
    /// The provider hosts the mailbox of an account whose mailbox was never proven, and this proves
    /// it: claim the account, which wipes what was planted in it, then link, then open a session.
    ClaimThenLink(Holder, VerifiedEmail),
    /// There is an account, and the provider's word is not enough for it: the person proves the
    /// mailbox by a code first.
    CodeNeeded,
    /// The provider has not verified the address: the person proves it by a code, and links from
    /// the settings.
    EmailUnverified,
    /// The owner has removed this identity: only the owner links it again, from the settings.
    IdentityRemoved,
    /// Link the identity, tell the owner by mail, open a session.
    Link(Holder),
    /// Nobody has the address: register, claim, link, open a session.
    Register(VerifiedEmail),
    /// The identity opens this account, whatever its address is by now: open a session.
    SignIn(Holder),
}

/// Judges a sign-in by a provider.
///
/// An identity is who the issuer says it is and nothing else: the address is looked at only where
/// the identity is unknown. The rest is about accounts that exist by then. One whose mailbox was
/// never proven may have been made by somebody else, with the address of the person who comes now;
/// to merge the two would let him stay, and to refuse would let him keep the owner out.
#[must_use]
pub fn judge_sign_in(facts: Facts, policy: &LinkPolicy) -> Weighed {
    match facts.known {
        Known::Linked => open(facts.holder),
        Known::Removed => Weighed::IdentityRemoved,
        Known::Unknown => match (facts.proof, facts.holder) {
            (None, _) => Weighed::EmailUnverified,
            (Some(proof), None) => Weighed::Register(proof),
            (Some(proof), Some(holder)) => {
                let is_settled = facts.is_authoritative && !facts.has_another;
                if holder.standing.disabled_at.is_some() {
                    Weighed::AccountDisabled
                } else if policy.is_strict && !is_settled {
                    Weighed::CodeNeeded
                } else if holder.standing.proven_at.is_some() {
                    Weighed::Link(holder)
                } else if facts.is_authoritative {
                    Weighed::ClaimThenLink(holder, proof)
                } else {
                    Weighed::CodeNeeded
                }
            }
        },
    }
}

fn open(holder: Option<Holder>) -> Weighed {
    match holder {
        Some(holder) if holder.standing.is_good() => Weighed::SignIn(holder),
        // What a claim would wipe proves nothing. No identity is linked to such an account here,
        // but a host's import may do so.
        Some(holder) if holder.standing.disabled_at.is_none() => Weighed::CodeNeeded,
        _ => Weighed::AccountDisabled,
    }
}

/// Judges linking to `account`, which is enabled and at the version that the wish was made under:
/// what [`IdentityStore::link`](crate::IdentityStore::link) decides in its transaction, where
/// `found` is the row that there is.
///
/// The provider's word for an address is no condition: an owner who is signed in may link any
/// identity that opens no other account.
#[must_use]
pub fn judge_link(found: Option<&LinkedIdentity>, account: &AccountId, removed: Removed) -> Linked {
    match found {
        None => Linked::Done,
        Some(row) if row.removed_at.is_some() => match removed {
            Removed::IsLifted => Linked::Done,
            Removed::Stays => Linked::Removed,
        },
        Some(row) if row.account == *account => Linked::Already,
        Some(_) => Linked::OfAnother,
    }
}
