//! The judgement, over the whole of what it can be asked.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

use ps_core::{AccountId, AccountVersion, EmailAddress, Standing, Timestamp, User, VerifiedEmail};
use ps_oauth::{
    Facts, Holder, Identity, Known, LinkPolicy, Linked, LinkedIdentity, Removed, Weighed,
    judge_link, judge_sign_in,
};

const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);

fn proof() -> VerifiedEmail {
    VerifiedEmail::danger_proven(EmailAddress::parse("alice@example.com").unwrap(), NOW)
}

fn holder(is_proven: bool, is_disabled: bool) -> Holder {
    Holder {
        user: User {
            id: AccountId::new("alice").unwrap(),
            email: EmailAddress::parse("alice@example.com").unwrap(),
            created_at: NOW,
        },
        standing: Standing {
            version: AccountVersion::new(7),
            proven_at: is_proven.then_some(NOW),
            disabled_at: is_disabled.then_some(NOW),
        },
    }
}

const BOTH: [bool; 2] = [false, true];

/// Every state there is: 120 of them.
fn states() -> Vec<Facts> {
    let mut states = Vec::new();
    let mut holders = vec![None];
    for is_proven in BOTH {
        holders.extend(BOTH.map(|is_disabled| Some(holder(is_proven, is_disabled))));
    }
    for known in [Known::Linked, Known::Removed, Known::Unknown] {
        for is_verified in BOTH {
            for is_authoritative in BOTH {
                for has_another in BOTH {
                    states.extend(holders.iter().map(|holder| Facts {
                        known,
                        proof: is_verified.then(proof),
                        is_authoritative,
                        holder: holder.clone(),
                        has_another,
                    }));
                }
            }
        }
    }
    states
}

fn policies() -> [LinkPolicy; 2] {
    [LinkPolicy::default(), LinkPolicy::strict()]
}

/// Holds a rule for every state under every policy.
fn always(rule: impl Fn(&Facts, &LinkPolicy, &Weighed) -> bool) {
    for facts in states() {
        for policy in policies() {
            let weighed = judge_sign_in(facts.clone(), &policy);
            assert!(
                rule(&facts, &policy, &weighed),
                "{facts:?} under {policy:?} comes to {weighed:?}"
            );
        }
    }
}

/// The account that something is done for.
fn granted(weighed: &Weighed) -> Option<&Holder> {
    match weighed {
        Weighed::ClaimThenLink(holder, _) | Weighed::Link(holder) | Weighed::SignIn(holder) => {
            Some(holder)
        }
        _ => None,
    }
}

fn is_refusal(weighed: &Weighed) -> bool {
    granted(weighed).is_none() && !matches!(weighed, Weighed::Register(_))
}

// OA14, OA15: the rules, row by row
#[test]
fn the_table() {
    let (none, good) = (None, Some(holder(true, false)));
    let (planted, disabled) = (Some(holder(false, false)), Some(holder(true, true)));
    let sign_in = &Weighed::SignIn(holder(true, false));
    let link = &Weighed::Link(holder(true, false));
    let claim = &Weighed::ClaimThenLink(holder(false, false), proof());
    let register = &Weighed::Register(proof());
    let (code, closed) = (&Weighed::CodeNeeded, &Weighed::AccountDisabled);
    let (removed, unverified) = (&Weighed::IdentityRemoved, &Weighed::EmailUnverified);
    // facts, the account, what it comes to by default, and strictly
    let table = [
        ("linked", &good, sign_in, sign_in),
        ("linked verified own another", &good, sign_in, sign_in),
        ("linked verified own", &disabled, closed, closed),
        ("linked verified own", &none, closed, closed),
        ("linked verified own", &planted, code, code),
        ("removed", &disabled, removed, removed),
        ("removed verified own", &good, removed, removed),
        ("removed verified own", &none, removed, removed),
        ("unknown", &none, unverified, unverified),
        ("unknown", &good, unverified, unverified),
        ("unknown", &disabled, unverified, unverified),
        ("unknown verified", &none, register, register),
        ("unknown verified own", &none, register, register),
        ("unknown verified own", &good, link, link),
        ("unknown verified own another", &good, link, code),
        ("unknown verified", &good, link, code),
        ("unknown verified another", &good, link, code),
        ("unknown verified own", &planted, claim, claim),
        ("unknown verified own another", &planted, claim, code),
        ("unknown verified", &planted, code, code),
        ("unknown verified own", &disabled, closed, closed),
        ("unknown verified another", &disabled, closed, closed),
    ];
    for (words, account, by_default, strictly) in table {
        let says = |word| words.split(' ').any(|one| one == word);
        let facts = Facts {
            known: match words {
                _ if says("linked") => Known::Linked,
                _ if says("removed") => Known::Removed,
                _ => Known::Unknown,
            },
            proof: says("verified").then(proof),
            is_authoritative: says("own"),
            holder: account.clone(),
            has_another: says("another"),
        };
        let [default, strict] = policies().map(|policy| judge_sign_in(facts.clone(), &policy));
        assert_eq!(default, *by_default, "{words}, {account:?}");
        assert_eq!(strict, *strictly, "{words}, {account:?}, strictly");
    }
}

// OA14, OA16
#[test]
fn an_unverified_address_never_opens_registers_or_links_anything() {
    always(|facts, _, weighed| {
        facts.proof.is_some() || is_refusal(weighed) || matches!(weighed, Weighed::SignIn(_))
    });
    always(|facts, _, weighed| match facts.known {
        Known::Unknown if facts.proof.is_none() => *weighed == Weighed::EmailUnverified,
        _ => *weighed != Weighed::EmailUnverified,
    });
}

// OA15
#[test]
fn an_unproven_account_gets_nothing_without_a_claim() {
    always(|_, _, weighed| match weighed {
        Weighed::SignIn(holder) | Weighed::Link(holder) => holder.standing.proven_at.is_some(),
        _ => true,
    });
    always(|facts, _, weighed| match weighed {
        Weighed::ClaimThenLink(holder, _) => {
            facts.is_authoritative && holder.standing.proven_at.is_none()
        }
        _ => true,
    });
}

#[test]
fn a_disabled_account_gets_nothing() {
    always(|_, _, weighed| {
        granted(weighed).is_none_or(|holder| holder.standing.disabled_at.is_none())
    });
}

// OA12
#[test]
fn a_known_identity_opens_its_account_and_no_address_is_looked_at() {
    always(|facts, policy, weighed| {
        let elsewhere = Facts {
            proof: None,
            is_authoritative: false,
            has_another: false,
            ..facts.clone()
        };
        facts.known == Known::Unknown || *weighed == judge_sign_in(elsewhere, policy)
    });
    always(|facts, _, weighed| {
        let is_good = |holder: &Holder| holder.standing.is_good();
        let opens = facts.known == Known::Linked && facts.holder.as_ref().is_some_and(is_good);
        matches!(weighed, Weighed::SignIn(_)) == opens
    });
}

#[test]
fn what_was_removed_stays_removed() {
    always(|facts, _, weighed| {
        (facts.known == Known::Removed) == (*weighed == Weighed::IdentityRemoved)
    });
}

// OA16
#[test]
fn an_account_is_made_of_a_verified_address_that_nobody_has() {
    always(|facts, _, weighed| {
        let nobody = facts.known == Known::Unknown && facts.holder.is_none();
        match (weighed, &facts.proof) {
            (Weighed::Register(found), Some(given)) => nobody && found == given,
            (Weighed::Register(_), None) => false,
            (_, given) => !nobody || given.is_none(),
        }
    });
}

#[test]
fn what_is_granted_is_granted_to_the_account_that_was_given() {
    always(|facts, _, weighed| {
        granted(weighed).is_none_or(|holder| facts.holder.as_ref() == Some(holder))
    });
}

#[test]
fn to_be_strict_only_ever_takes_away() {
    for facts in states() {
        let [default, strict] = policies().map(|policy| judge_sign_in(facts.clone(), &policy));
        assert!(
            strict == default || strict == Weighed::CodeNeeded,
            "{facts:?}"
        );
        if matches!(strict, Weighed::Link(_) | Weighed::ClaimThenLink(..)) {
            assert!(facts.is_authoritative && !facts.has_another, "{facts:?}");
        }
    }
}

// OA17
#[test]
fn an_owner_links_what_opens_no_other_account() {
    use Removed::{IsLifted, Stays};
    let (alice, bob) = ("alice", "bob");
    let row = |account, is_removed: bool| {
        Some(LinkedIdentity {
            identity: Identity {
                provider: "google".to_owned(),
                issuer: "https://accounts.google.com".to_owned(),
                subject: "1".to_owned(),
            },
            account: AccountId::new(account).unwrap(),
            email: None,
            linked_at: NOW,
            removed_at: is_removed.then_some(NOW),
        })
    };
    let table = [
        (None, Stays, Linked::Done),
        (None, IsLifted, Linked::Done),
        (row(alice, false), Stays, Linked::Already),
        (row(alice, false), IsLifted, Linked::Already),
        (row(bob, false), Stays, Linked::OfAnother),
        (row(bob, false), IsLifted, Linked::OfAnother),
        (row(alice, true), Stays, Linked::Removed),
        (row(alice, true), IsLifted, Linked::Done),
        (row(bob, true), Stays, Linked::Removed),
        (row(bob, true), IsLifted, Linked::Done),
    ];
    let account = AccountId::new(alice).unwrap();
    for (found, removed, linked) in table {
        let judged = judge_link(found.as_ref(), &account, removed);
        assert_eq!(judged, linked, "{found:?} {removed:?}");
    }
}
