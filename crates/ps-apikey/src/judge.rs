//! Whether a key that is known may be used, as a pure function.

use std::net::IpAddr;

use ps_core::{Refusal, Timestamp};

use crate::KeyTerms;

/// Judges a key that was found: revoked, expired, or used from elsewhere.
///
/// Asked on every request, whether the key came from memory or from the store. A `revoked_at` in
/// the future is a key that was replaced and works on for its grace.
///
/// # Errors
/// The reason, for the event: the client is told one of two things only.
pub fn judge(key: &KeyTerms, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
    if key.revoked_at.is_some_and(|at| at <= now) {
        Err(Refusal::Revoked)
    } else if key.expires_at.is_some_and(|at| at <= now) {
        Err(Refusal::Expired)
    } else if !key.allowed_addresses.allow(address) {
        Err(Refusal::AddressNotAllowed)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ps_core::{AccountId, KeyId, SystemRandom};

    use super::*;
    use crate::{AllowedAddresses, KeyName, Scopes};

    // AK8
    #[test]
    fn the_table() {
        let at = Timestamp::from_millis;
        let now = at(1_000);
        let inside: IpAddr = [10, 0, 0, 1].into();
        let outside: IpAddr = [10, 0, 1, 1].into();
        let table = [
            (None, None, inside, Ok(())),
            (None, Some(at(1_001)), inside, Ok(())),
            (None, Some(at(1_000)), inside, Err(Refusal::Expired)),
            (None, Some(at(999)), inside, Err(Refusal::Expired)),
            (Some(at(1_001)), None, inside, Ok(())),
            (Some(at(1_000)), None, inside, Err(Refusal::Revoked)),
            (Some(at(1)), Some(at(1)), outside, Err(Refusal::Revoked)),
            (None, Some(at(1)), outside, Err(Refusal::Expired)),
            (None, None, outside, Err(Refusal::AddressNotAllowed)),
        ];
        for (revoked_at, expires_at, address, verdict) in table {
            let key = KeyTerms {
                id: KeyId::random(&SystemRandom),
                account: AccountId::new("a").unwrap(),
                name: KeyName::new("k").unwrap(),
                scopes: Scopes::default(),
                allowed_addresses: AllowedAddresses::parse(["10.0.0.0/24"]).unwrap(),
                expires_at,
                revoked_at,
            };
            assert_eq!(
                judge(&key, address, now),
                verdict,
                "{revoked_at:?} {expires_at:?} {address}"
            );
        }
    }
}
