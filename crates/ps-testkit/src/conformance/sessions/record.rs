//! Sessions as a flow makes them.

use std::time::Duration;

use ps_core::{AccountVersion, SessionId, SystemRandom, Timestamp};
use ps_session::{FamilyDigest, Method, SessionRecord};

use super::super::common::{DAY, account};

/// How long a session lives that nobody refreshes.
pub(crate) const IDLE: Duration = DAY.saturating_mul(7);

/// A session of an account that nobody has touched.
pub(crate) fn session(name: &str, now: Timestamp) -> SessionRecord {
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
        authenticated_at: now,
        refreshed_at: now,
        idle_ends_at: now.plus(IDLE),
        ends_at: now.plus(DAY * 30),
        ended_at: None,
        network: "192.0.2.0/24".to_owned(),
        user_agent: None,
    }
}
