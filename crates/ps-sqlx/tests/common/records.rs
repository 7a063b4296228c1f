//! Rows to store, the same for every database.

#![allow(dead_code, unreachable_pub)] // each uses some of it

use std::time::Duration;

use ps_apikey::{AllowedAddresses, ApiKeyRecord, KeyName, Scopes};
use ps_core::{
    AccountId, AccountVersion, EmailAddress, KeyDigest, KeyId, SessionId, SystemRandom, Timestamp,
};
use ps_oauth::{Identity, LinkedIdentity};
use ps_session::{FamilyDigest, Method, Opened, SessionRecord, SessionStore};

/// 2026-11-22T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

pub fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

/// A session of an account that nobody has touched.
pub fn session(name: &str) -> SessionRecord {
    let id = SessionId::random(&SystemRandom);
    let mut family = [0; 32];
    family[..22].copy_from_slice(id.as_str().as_bytes());
    SessionRecord {
        id,
        account: account(name),
        version: AccountVersion::default(),
        family: FamilyDigest::from_bytes(family),
        generation: 0,
        rotation_key: None,
        rotation_key_before: None,
        method: Method::MagicCode,
        authenticated_at: NOW,
        refreshed_at: NOW,
        idle_ends_at: NOW.plus(DAY * 7),
        ends_at: NOW.plus(DAY * 30),
        ended_at: None,
        network: "192.0.2.0/24".to_owned(),
        user_agent: None,
    }
}

pub async fn open(store: &impl SessionStore, session: &SessionRecord) {
    let opened = store.open(session, None, u32::MAX, NOW).await.unwrap();
    assert_eq!(opened, Opened::Done { ended: Vec::new() });
}

pub fn key(name: &str) -> ApiKeyRecord {
    ApiKeyRecord {
        id: KeyId::random(&SystemRandom),
        account: account(name),
        digest: KeyDigest::from_bytes([7; 32]),
        hint: "ps_…abcd".to_owned(),
        name: KeyName::new("a key").unwrap(),
        scopes: Scopes::default(),
        allowed_addresses: AllowedAddresses::default(),
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

pub fn identity(name: &str) -> LinkedIdentity {
    LinkedIdentity {
        identity: Identity {
            provider: "google".to_owned(),
            issuer: "https://accounts.google.com".to_owned(),
            subject: "1".to_owned(),
        },
        account: account(name),
        email: Some(email(name)),
        linked_at: NOW,
        removed_at: None,
    }
}
