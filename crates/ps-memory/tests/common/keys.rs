//! API keys as a flow makes them.

use ps_apikey::{AllowedAddresses, ApiKeyRecord, KeyName, Scopes};
use ps_core::{KeyDigest, KeyId, SystemRandom, Timestamp};

use super::account;

/// A key that lasts.
pub fn key(name: &str, now: Timestamp) -> ApiKeyRecord {
    let id = KeyId::random(&SystemRandom);
    let mut digest = [0; 32];
    digest[..22].copy_from_slice(id.as_str().as_bytes());
    ApiKeyRecord {
        id,
        account: account(name),
        digest: KeyDigest::from_bytes(digest),
        hint: "ps_…abcd".to_owned(),
        name: KeyName::new("a key").unwrap(),
        scopes: Scopes::default(),
        allowed_addresses: AllowedAddresses::default(),
        created_at: now,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}
