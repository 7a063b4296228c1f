//! What happened, told once, without secrets.

use std::{fmt, sync::Arc};

use crate::{AccountId, EmailAddress, KeyId, Requester, SessionId, Timestamp};

/// One outcome of one operation.
///
/// It is borrowed, so that telling nobody costs nothing; a sink that keeps it takes what it needs.
/// No field can hold a secret, and an address is shown masked.
#[derive(Clone, Copy, Debug)]
pub struct AuthEvent<'a> {
    /// When it was judged.
    pub at: Timestamp,
    /// What came out.
    pub outcome: Outcome,
    /// Whose account it is about, where that is known.
    pub account: Option<&'a AccountId>,
    /// Which address it is about, where there is one. Show it [masked](EmailAddress::masked).
    pub address: Option<&'a EmailAddress>,
    /// Who asked, if it was a request.
    pub requester: Option<&'a Requester>,
}

impl<'a> AuthEvent<'a> {
    /// An outcome of which nothing else is known yet.
    #[must_use]
    pub fn new(outcome: Outcome, at: Timestamp) -> Self {
        Self {
            at,
            outcome,
            account: None,
            address: None,
            requester: None,
        }
    }

    /// About this account.
    #[must_use]
    pub fn of(mut self, account: &'a AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// About this address.
    #[must_use]
    pub fn to(mut self, address: &'a EmailAddress) -> Self {
        self.address = Some(address);
        self
    }

    /// Asked by this client.
    #[must_use]
    pub fn by(mut self, requester: &'a Requester) -> Self {
        self.requester = Some(requester);
        self
    }
}

/// What came out of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The first proof of an account's mailbox wiped what stood there before.
    AccountClaimed,
    /// An account was disabled.
    AccountDisabled,
    /// An account was enabled again.
    AccountEnabled,
    /// An account was made.
    AccountRegistered,
    /// A code was right, and is spent.
    CodeAccepted,
    /// A code was not taken.
    CodeRefused(Refusal),
    /// A code was asked for, and a mail queued.
    CodeRequested,
    /// An identity of a provider opens the account from now on.
    IdentityLinked,
    /// An identity of a provider opens the account no more.
    IdentityUnlinked,
    /// A key opened a request.
    KeyAccepted(KeyId),
    /// A key's name, scopes, addresses or expiry were changed.
    KeyChanged(KeyId),
    /// A key was made.
    KeyIssued(KeyId),
    /// A key opened nothing.
    KeyRefused(Refusal),
    /// A key was revoked.
    KeyRevoked(KeyId),
    /// A key was replaced, and will be revoked when its grace is over.
    KeyRotated(KeyId),
    /// A mail could not be sent yet, and will be tried again.
    MailDelayed,
    /// A mail was given up: the queue was full, or the process ended.
    MailDropped,
    /// A mail was refused, or could not be sent while it was of use.
    MailFailed,
    /// A mail was taken by the mail server.
    MailSent,
    /// A mail was handed to the mail server, and whether it was taken is not known. It is not sent
    /// again.
    MailUnknown,
    /// A password was right.
    PasswordAccepted,
    /// A password was set or changed, and every other session ended.
    PasswordChanged,
    /// A password was not taken.
    PasswordRefused(Refusal),
    /// A refresh token brought nothing.
    RefreshRefused(Refusal),
    /// A refresh token that was used up came back: its session ended.
    RefreshReplayed(SessionId),
    /// A session ended by its owner's wish, by a newer one, or with its account.
    SessionEnded(SessionId),
    /// Somebody signed in.
    SessionOpened(SessionId),
    /// A session was carried on, or its last answer repeated.
    SessionRefreshed(SessionId),
    /// An access token opened nothing.
    SessionRefused(Refusal),
    /// A provider vouched for somebody, and its word was taken.
    SocialAccepted,
    /// An attempt to sign in or link by a provider came to nothing.
    SocialRefused(Refusal),
    /// A refresh token is ahead of its row: the store was restored from a backup.
    StoreBehindToken(SessionId),
}

impl Outcome {
    /// Its stable name, for metrics and logs: `key.accepted`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountClaimed => "account.claimed",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountRegistered => "account.registered",
            Self::CodeAccepted => "code.accepted",
            Self::CodeRefused(_) => "code.refused",
            Self::CodeRequested => "code.requested",
            Self::IdentityLinked => "identity.linked",
            Self::IdentityUnlinked => "identity.unlinked",
            Self::KeyAccepted(_) => "key.accepted",
            Self::KeyChanged(_) => "key.changed",
            Self::KeyIssued(_) => "key.issued",
            Self::KeyRefused(_) => "key.refused",
            Self::KeyRevoked(_) => "key.revoked",
            Self::KeyRotated(_) => "key.rotated",
            Self::MailDelayed => "mail.delayed",
            Self::MailDropped => "mail.dropped",
            Self::MailFailed => "mail.failed",
            Self::MailSent => "mail.sent",
            Self::MailUnknown => "mail.unknown",
            Self::PasswordAccepted => "password.accepted",
            Self::PasswordChanged => "password.changed",
            Self::PasswordRefused(_) => "password.refused",
            Self::RefreshRefused(_) => "refresh.refused",
            Self::RefreshReplayed(_) => "refresh.replayed",
            Self::SessionEnded(_) => "session.ended",
            Self::SessionOpened(_) => "session.opened",
            Self::SessionRefreshed(_) => "session.refreshed",
            Self::SessionRefused(_) => "session.refused",
            Self::SocialAccepted => "social.accepted",
            Self::SocialRefused(_) => "social.refused",
            Self::StoreBehindToken(_) => "store.behind_token",
        }
    }

    /// Why it was refused, if it was.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::CodeRefused(why)
            | Self::KeyRefused(why)
            | Self::PasswordRefused(why)
            | Self::RefreshRefused(why)
            | Self::SessionRefused(why)
            | Self::SocialRefused(why) => Some(why),
            _ => None,
        }
    }

    /// The key or session it is about, if it is about one.
    #[must_use]
    pub fn subject(self) -> Option<String> {
        match self {
            Self::KeyAccepted(id)
            | Self::KeyChanged(id)
            | Self::KeyIssued(id)
            | Self::KeyRevoked(id)
            | Self::KeyRotated(id) => Some(id.to_string()),
            Self::RefreshReplayed(id)
            | Self::SessionEnded(id)
            | Self::SessionOpened(id)
            | Self::SessionRefreshed(id)
            | Self::StoreBehindToken(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

/// Why something was refused. The client is not told; the operator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The account was changed while the request was under way.
    AccountChanged,
    /// The account is disabled, or gone.
    AccountDisabled,
    /// The client's address is not among those allowed.
    AddressNotAllowed,
    /// The person, or the provider, called it off.
    Cancelled,
    /// The session has ended.
    Ended,
    /// Its time is over.
    Expired,
    /// It does not have the form of one.
    Malformed,
    /// No account has that address.
    NoAccount,
    /// It belongs to another account.
    OfAnother,
    /// It belongs to another address or purpose.
    OtherPurpose,
    /// The provider answered with an error, or with what it must not.
    ProviderFailed,
    /// Its owner removed it.
    Removed,
    /// The key was revoked.
    Revoked,
    /// A scope is missing.
    ScopeMissing,
    /// It was used, or its attempts were.
    Spent,
    /// Another request has just used the same refresh token.
    Superseded,
    /// Too many in too short a time.
    Throttled,
    /// Its time has not come: the clocks of two nodes differ too much.
    TooEarly,
    /// Nothing is known of it.
    Unknown,
    /// The account's mailbox is not proven.
    Unproven,
    /// It is not authentic: the signature, the MAC or the code is wrong.
    Wrong,
}

impl Refusal {
    /// Its stable name, for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountChanged => "account_changed",
            Self::AccountDisabled => "account_disabled",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::NoAccount => "no_account",
            Self::OfAnother => "of_another",
            Self::OtherPurpose => "other_purpose",
            Self::ProviderFailed => "provider_failed",
            Self::Removed => "removed",
            Self::Revoked => "revoked",
            Self::ScopeMissing => "scope_missing",
            Self::Spent => "spent",
            Self::Superseded => "superseded",
            Self::Throttled => "throttled",
            Self::TooEarly => "too_early",
            Self::Unknown => "unknown",
            Self::Unproven => "unproven",
            Self::Wrong => "wrong",
        }
    }
}

/// Hears every outcome: a log, a counter, an audit table.
pub trait EventSink: fmt::Debug + Send + Sync + 'static {
    /// Takes note of one. It is called on the request's path, so it must not wait.
    fn record(&self, event: &AuthEvent<'_>);
}

/// Tells several sinks, in order.
#[derive(Clone, Debug, Default)]
pub struct EventSinks(Vec<Arc<dyn EventSink>>);

impl EventSinks {
    /// Tells each of `sinks`.
    #[must_use]
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn EventSink>>) -> Self {
        Self(sinks.into_iter().collect())
    }
}

impl EventSink for EventSinks {
    fn record(&self, event: &AuthEvent<'_>) {
        for sink in &self.0 {
            sink.record(event);
        }
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn record(&self, _: &AuthEvent<'_>) {}
}
