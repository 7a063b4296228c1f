//! The text of the device cookie: which addresses a browser signed in to, and when.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{EmailAddress, KeyPurpose, KeyVersion, MacKey, MacKeys, RootSecrets, Timestamp};
use subtle::ConstantTimeEq;

/// How long a browser is known without signing in again.
pub(crate) const LIFE: Duration = Duration::from_secs(180 * 24 * 3_600);
/// How many addresses a browser is known for.
const MOST: usize = 4;
/// How much earlier than another the clock of one node may be.
const SKEW: Duration = Duration::from_secs(60);
const ENTRY_LABEL: &[u8] = b"ps-auth device v1";
const ADDRESS_LABEL: &[u8] = b"ps-auth device address v1";
const DIGEST: usize = 16;
const MAC: usize = 32;
/// Key version, digest of the address, time, MAC.
const ENTRY: usize = 4 + DIGEST + 8 + MAC;
/// A multiple of three bytes, so that there is one way to write an entry.
const TEXT: usize = ENTRY / 3 * 4;
const BETWEEN: char = '.';

/// Writes and reads device cookies: up to four entries, the newest first.
///
/// An entry names its address by a keyed digest, so the cookie tells nobody who uses the browser. What
/// is garbled, forged, expired or of a root that is out of force is as if it were not there.
#[derive(Debug)]
pub(crate) struct DeviceCookies(MacKeys);

impl DeviceCookies {
    pub(crate) fn new(roots: &RootSecrets) -> Self {
        Self(roots.mac_keys(KeyPurpose::DeviceCookie))
    }

    /// When the browser last signed in to `address`, as its cookie says.
    pub(crate) fn since(
        &self,
        cookie: &str,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let entries = self.entries(cookie, now);
        let of_address = entries.filter(|entry| entry.is_of(address));
        of_address.map(|entry| entry.at).max()
    }

    /// What of a cookie is still worth something.
    #[cfg(any(feature = "oauth", test))]
    pub(crate) fn kept(&self, cookie: &str, now: Timestamp) -> String {
        join(self.entries(cookie, now).map(|entry| entry.text.to_owned()))
    }

    /// The cookie of a browser that signs in to `address` now, and had `cookie` before. The oldest of
    /// five entries is dropped.
    pub(crate) fn renewed(&self, cookie: &str, address: &EmailAddress, now: Timestamp) -> String {
        let mut others: Vec<_> = self.entries(cookie, now).collect();
        others.retain(|entry| !entry.is_of(address));
        others.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        let others = others.into_iter().map(|entry| entry.text.to_owned());
        let all = std::iter::once(self.entry(address, now)).chain(others);
        join(all.take(MOST))
    }

    fn entry(&self, address: &EmailAddress, now: Timestamp) -> String {
        let (version, key) = self.0.current();
        let (digest, at) = (digest(key, address), now.as_millis().to_be_bytes());
        let mut bytes = Vec::with_capacity(ENTRY);
        bytes.extend(version.number().to_be_bytes());
        bytes.extend(digest);
        bytes.extend(at);
        bytes.extend(key.tag(&[ENTRY_LABEL, &digest, &at]).as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The entries that are authentic and not too old. No more are looked at than are ever made.
    fn entries<'a>(&'a self, cookie: &'a str, now: Timestamp) -> impl Iterator<Item = Entry<'a>> {
        let texts = cookie.split(BETWEEN).take(MOST);
        let authentic = texts.filter_map(|text| self.read(text));
        authentic.filter(move |entry| entry.at <= now.plus(SKEW) && now < entry.at.plus(LIFE))
    }

    fn read<'a>(&'a self, text: &'a str) -> Option<Entry<'a>> {
        if text.len() != TEXT {
            return None;
        }
        let mut bytes = [0; ENTRY];
        BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (version, rest) = bytes.split_first_chunk::<4>()?;
        let (digest, rest) = rest.split_first_chunk::<DIGEST>()?;
        let (at, mac) = rest.split_first_chunk::<8>()?;
        let key = self.0.find(KeyVersion::new(u32::from_be_bytes(*version)))?;
        key.verifies(&[ENTRY_LABEL, digest, at], mac.first_chunk()?)
            .then_some(Entry {
                text,
                key,
                digest: *digest,
                at: Timestamp::from_millis(i64::from_be_bytes(*at)),
            })
    }
}

/// An authentic entry.
struct Entry<'a> {
    text: &'a str,
    key: &'a MacKey,
    digest: [u8; DIGEST],
    at: Timestamp,
}

impl Entry<'_> {
    fn is_of(&self, address: &EmailAddress) -> bool {
        self.digest.ct_eq(&digest(self.key, address)).into()
    }
}

fn digest(key: &MacKey, address: &EmailAddress) -> [u8; DIGEST] {
    let tag = key.tag(&[ADDRESS_LABEL, address.as_str().as_bytes()]);
    *tag.as_bytes().first_chunk().expect("a tag has 32 bytes")
}

fn join(entries: impl Iterator<Item = String>) -> String {
    let entries: Vec<String> = entries.collect();
    entries.join(&BETWEEN.to_string())
}

#[cfg(test)]
mod tests;
