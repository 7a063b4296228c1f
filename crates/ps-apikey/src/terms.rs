//! What is remembered of a key: on what terms it is used.

use ps_core::{AccountId, KeyId, Timestamp};

use crate::{AllowedAddresses, ApiKeyRecord, KeyName, Scopes};

/// What checking a key and answering its caller needs, and no more: a node remembers it of every key
/// that it has seen lately, so each byte counts a million times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// From when on it is refused, if it expires.
    pub expires_at: Option<Timestamp>,
    /// From when on it is revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Where it may be used from.
    pub allowed_addresses: AllowedAddresses,
    /// Whose it is.
    pub account: AccountId,
    /// What it may do.
    pub scopes: Scopes,
    /// What its owner calls it.
    pub name: KeyName,
    /// Its name in lists and URLs.
    pub id: KeyId,
}

impl From<ApiKeyRecord> for KeyTerms {
    fn from(record: ApiKeyRecord) -> Self {
        Self {
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            allowed_addresses: record.allowed_addresses,
            account: record.account,
            scopes: record.scopes,
            name: record.name,
            id: record.id,
        }
    }
}
