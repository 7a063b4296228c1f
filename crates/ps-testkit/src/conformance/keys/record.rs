//! API keys as a flow makes them.

use ps_apikey::{AllowedAddresses, ApiKeyRecord, KeyName, Replacement, Scopes};
use ps_core::{KeyDigest, KeyId, SystemRandom, Timestamp};

use super::super::common::account;

/// A key that lasts.
pub(crate) fn key(name: &str, now: Timestamp) -> ApiKeyRecord {
    let (id, digest) = drawn();
    ApiKeyRecord {
        id,
        account: account(name),
        digest,
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

/// What takes the place of a key that works on until `old_ends`.
pub(crate) fn replacement(old_ends: Timestamp) -> Replacement {
    let (id, digest) = drawn();
    Replacement {
        id,
        digest,
        hint: "ps_…wxyz".to_owned(),
        old_ends,
    }
}

/// A name and a digest that nobody else has.
fn drawn() -> (KeyId, KeyDigest) {
    let id = KeyId::random(&SystemRandom);
    let mut digest = [0xff; 32];
    digest[..22].copy_from_slice(id.as_str().as_bytes());
    (id, KeyDigest::from_bytes(digest))
}
