//! Identities as a flow links them.

use ps_oauth::{Identity, LinkedIdentity};

use super::super::common::{NOW, account, email};

/// `subject` at `provider`, who is to open the account.
pub(crate) fn identity(name: &str, provider: &str, subject: &str) -> LinkedIdentity {
    LinkedIdentity {
        identity: Identity {
            provider: provider.to_owned(),
            issuer: format!("https://{provider}.example.com"),
            subject: subject.to_owned(),
        },
        account: account(name),
        email: Some(email("alice@example.com")),
        linked_at: NOW,
        removed_at: None,
    }
}
