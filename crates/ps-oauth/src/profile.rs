//! Who a provider says has signed in.

use ps_core::{EmailAddress, Timestamp, VerifiedEmail};

use crate::Identity;

/// A provider's word for who has signed in. It exists only after every check.
///
/// The email address is what the provider says of the person today. It names nobody: a person is
/// recognised by the [`Identity`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    identity: Identity,
    email: Option<Email>,
    told_at: Timestamp,
}

/// An address, and how much the provider's word for it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) address: EmailAddress,
    pub(crate) is_verified: bool,
    /// The provider runs the mailbox itself.
    pub(crate) is_own: bool,
}

impl Profile {
    /// Only what has passed every check may be passed.
    pub(crate) fn new(identity: Identity, email: Option<Email>, told_at: Timestamp) -> Self {
        Self {
            identity,
            email,
            told_at,
        }
    }

    /// Who, where.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The person's address, verified or not; `None` where the provider tells none, or none that
    /// could be written to.
    #[must_use]
    pub fn email(&self) -> Option<&EmailAddress> {
        self.email.as_ref().map(|email| &email.address)
    }

    /// Whether the provider says that the address was once shown to be the person's.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.email.as_ref().is_some_and(|email| email.is_verified)
    }

    /// Whether the address is verified and its mailbox one that the provider runs itself, so that its
    /// word is as good as a look into the mailbox today.
    #[must_use]
    pub fn is_authoritative(&self) -> bool {
        self.is_verified() && self.email.as_ref().is_some_and(|email| email.is_own)
    }

    /// When the provider said so.
    #[must_use]
    pub fn verified_at(&self) -> Timestamp {
        self.told_at
    }

    /// The provider's word as a proof of the mailbox: of a verified address, and none without.
    ///
    /// Whether that is enough to claim an account is for the linking rules to say.
    #[must_use]
    pub fn proof(&self) -> Option<VerifiedEmail> {
        let email = self.email.as_ref().filter(|email| email.is_verified)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the provider has just vouched for the mailbox in a token that passed every check"
        )]
        let proof = VerifiedEmail::danger_proven(email.address.clone(), self.told_at);
        Some(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(is_verified: bool, is_own: bool) -> Profile {
        let identity = Identity {
            provider: "google".to_owned(),
            issuer: "https://accounts.google.com".to_owned(),
            subject: "1".to_owned(),
        };
        let address = EmailAddress::parse("alice@gmail.com").unwrap();
        let email = Email {
            address,
            is_verified,
            is_own,
        };
        Profile::new(identity, Some(email), Timestamp::from_seconds(7))
    }

    // OA14
    #[test]
    fn only_a_verified_address_proves_anything() {
        for is_own in [false, true] {
            let unverified = profile(false, is_own);
            assert_eq!(unverified.proof(), None);
            assert!(!unverified.is_authoritative());
            assert!(unverified.email().is_some());
        }
        let proof = profile(true, false).proof().unwrap();
        assert_eq!(proof.address().as_str(), "alice@gmail.com");
        assert_eq!(proof.at(), Timestamp::from_seconds(7));
        assert!(!profile(true, false).is_authoritative());
        assert!(profile(true, true).is_authoritative());
    }

    #[test]
    fn without_an_address_there_is_no_proof() {
        let Profile {
            identity, told_at, ..
        } = profile(true, true);
        let profile = Profile::new(identity, None, told_at);
        assert_eq!(profile.proof(), None);
        assert!(!profile.is_verified() && !profile.is_authoritative());
    }
}
