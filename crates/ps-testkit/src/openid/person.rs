//! Who has an account at the provider, and what it says of them.

use serde_json::Value;

/// Somebody with an account at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The provider's name for the person, which never changes: `sub`.
    pub subject: String,
    /// The address; without one, nothing is said of it.
    pub email: Option<String>,
    /// What the provider says of the address.
    pub email_verified: EmailVerified,
    /// The name that is shown.
    pub name: String,
    /// The Google Workspace that the person belongs to: `hd`.
    pub hosted_domain: Option<String>,
}

impl Person {
    /// Somebody with a verified address and no Workspace, whose name is the address.
    #[must_use]
    pub fn new(subject: impl Into<String>, email: impl Into<String>) -> Self {
        let email = email.into();
        Self {
            subject: subject.into(),
            name: email.clone(),
            email: Some(email),
            email_verified: EmailVerified::True,
            hosted_domain: None,
        }
    }
}

/// What `email_verified` is in the JSON. Only the first two say that the address is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmailVerified {
    /// `true`.
    True,
    /// `"true"`.
    TrueText,
    /// `"True"`.
    CapitalTrueText,
    /// `"yes"`.
    YesText,
    /// `1`.
    One,
    /// `"false"`: a text that is not empty, so that a loose language takes it for true.
    FalseText,
    /// `false`.
    False,
    /// `null`.
    Null,
    /// Not there.
    Absent,
}

impl EmailVerified {
    /// Every value but those that say that the address is verified.
    pub const UNVERIFIED: [Self; 7] = [
        Self::CapitalTrueText,
        Self::YesText,
        Self::One,
        Self::FalseText,
        Self::False,
        Self::Null,
        Self::Absent,
    ];

    pub(super) fn to_json(self) -> Option<Value> {
        Some(match self {
            Self::True => true.into(),
            Self::TrueText => "true".into(),
            Self::CapitalTrueText => "True".into(),
            Self::YesText => "yes".into(),
            Self::One => 1.into(),
            Self::FalseText => "false".into(),
            Self::False => false.into(),
            Self::Null => Value::Null,
            Self::Absent => return None,
        })
    }

    /// The same, with a truth value written as a text.
    pub(super) fn as_text(self) -> Self {
        match self {
            Self::True => Self::TrueText,
            Self::False => Self::FalseText,
            other => other,
        }
    }

    /// The same, with a text written as a truth value.
    pub(super) fn as_bool(self) -> Self {
        match self {
            Self::TrueText => Self::True,
            Self::FalseText => Self::False,
            other => other,
        }
    }
}
