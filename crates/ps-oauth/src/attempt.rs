//! The attempt: one round trip to a provider, kept whole in a cookie of the browser that makes it.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ps_core::{
    AccountId, AccountVersion, KeyPurpose, KeyVersion, MacKey, MacKeys, Refusal, RootSecrets,
    SessionId, Timestamp,
};
use zeroize::Zeroizing;

use crate::{ReturnTo, client::Secrets};

const FORMAT: u8 = 1;
const MAC_LABEL: &[u8] = b"ps-auth sign-in attempt v1";
const REFERENCE_LABEL: &[u8] = b"ps-auth social session family v1";
const STATE_LABEL: &[u8] = b"state";
const NONCE_LABEL: &[u8] = b"nonce";
const VERIFIER_LABEL: &[u8] = b"verifier";
const MAC_LENGTH: usize = 32;
/// The longest text that is carried.
const CARRIED: usize = 384;
/// The longest that is ever made: a sign-in that replaces a session and carries as much as it may, to
/// the longest path.
const LONGEST: usize = 1 + 4 + 32 + 8 + (1 + 1 + 32 + 2 + CARRIED) + 512 + MAC_LENGTH;
/// How much earlier than another the clock of one node may be.
const SKEW: Duration = Duration::from_secs(60);

/// What an attempt is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// The account's owner, signed in, wants one more way in.
    Link {
        /// Whose wish it is.
        account: AccountId,
        /// The session that it was said in.
        session: SessionId,
        /// The account's version by then.
        under: AccountVersion,
    },
    /// Somebody wants to sign in, or to have an account.
    SignIn {
        /// The session that the browser has, as the host names it. It goes along because a cookie
        /// that is `SameSite=Strict` does not come with the callback.
        replaces: Option<[u8; 32]>,
        /// What the host wants to have back with the callback, for the same reason.
        carries: Option<Carried>,
    },
}

/// A text that goes along with an attempt and comes back as it was. Its browser can read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Carried(Box<str>);

impl Carried {
    /// Takes a text of 1 to 384 bytes.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (1..=CARRIED)
            .contains(&text.len())
            .then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Carried {
    /// Shows nothing of it: a host may have put a cookie there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carried(…)")
    }
}

/// One round trip to a provider, as it was begun in this browser.
pub struct Attempt {
    secret: Zeroizing<[u8; 32]>,
    begun_at: Timestamp,
    intent: Intent,
    return_to: ReturnTo,
    reference: Zeroizing<[u8; 32]>,
}

impl Attempt {
    /// What it was begun for.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Where the browser goes afterwards.
    #[must_use]
    pub fn return_to(&self) -> &ReturnTo {
        &self.return_to
    }

    /// When it was begun.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// The reference of the one session that it can open, unguessable and the same at every
    /// delivery of its callback.
    ///
    /// A session store that is unique on it makes the attempt good for one use.
    #[must_use]
    pub fn reference(&self) -> &[u8; 32] {
        &self.reference
    }

    /// Whether this is the state that went with it to the provider, in time that does not depend on
    /// where they differ.
    pub(crate) fn is_state(&self, text: &str) -> bool {
        let mut bytes = [0; 33];
        let read = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes);
        match (read, bytes.first_chunk()) {
            (Ok(32), Some(tag)) => MacKey::new(&self.secret).verifies(&[STATE_LABEL], tag),
            _ => false,
        }
    }

    /// Why its time is not now, if it is not.
    pub(crate) fn untimely(&self, life: Duration, now: Timestamp) -> Option<Refusal> {
        if self.begun_at > now.plus(SKEW) {
            Some(Refusal::TooEarly)
        } else if now >= self.begun_at.plus(life) {
            Some(Refusal::Expired)
        } else {
            None
        }
    }

    /// What goes with it to the provider.
    pub(crate) fn derived(&self) -> Derived {
        let key = MacKey::new(&self.secret);
        let derive = |label: &[u8]| {
            let tag = key.tag(&[label]);
            Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(tag.as_bytes()))
        };
        Derived {
            state: derive(STATE_LABEL),
            nonce: derive(NONCE_LABEL),
            verifier: derive(VERIFIER_LABEL),
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("begun_at", &self.begun_at)
            .field("intent", &self.intent)
            .field("return_to", &self.return_to)
            .finish_non_exhaustive()
    }
}

/// State, nonce and PKCE verifier: HMACs of the attempt's secret under labels.
pub(crate) struct Derived {
    state: Zeroizing<String>,
    nonce: Zeroizing<String>,
    verifier: Zeroizing<String>,
}

impl Derived {
    pub(crate) fn secrets(&self) -> Secrets<'_> {
        Secrets {
            state: &self.state,
            nonce: &self.nonce,
            verifier: &self.verifier,
        }
    }
}

/// The attempt as its browser keeps it, in a cookie of its provider's own.
///
/// At most 1 346 characters of base64url. It neither prints, clones nor serialises, and is wiped
/// when dropped. The cookie is `HttpOnly`, and `SameSite=Lax`, since it has to come with a
/// navigation from another site.
pub struct AttemptCookie(Zeroizing<String>);

impl AttemptCookie {
    /// The cookie's value.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AttemptCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptCookie(…)")
    }
}

/// Makes and reads attempts. None is stored: what the cookie says is authentic, and nothing in it is
/// a secret from its own browser.
#[derive(Debug)]
pub(crate) struct Attempts(MacKeys);

impl Attempts {
    pub(crate) fn new(roots: &RootSecrets) -> Self {
        Self(roots.mac_keys(KeyPurpose::SignInAttempt))
    }

    /// A new attempt with this secret, and its cookie, which is good for `provider` only.
    pub(crate) fn begin(
        &self,
        provider: &str,
        secret: Zeroizing<[u8; 32]>,
        intent: Intent,
        return_to: ReturnTo,
        now: Timestamp,
    ) -> (Attempt, AttemptCookie) {
        let (version, key) = self.0.current();
        let attempt = Attempt {
            reference: reference(key, &secret),
            secret,
            begun_at: now,
            intent,
            return_to,
        };
        let cookie = write(&attempt, version, key, provider);
        (attempt, cookie)
    }

    /// Reads the cookie that a browser sent to the callback of `provider`.
    pub(crate) fn read(&self, provider: &str, cookie: &str) -> Result<Attempt, Refusal> {
        let bytes = decode(cookie).ok_or(Refusal::Malformed)?;
        let (signed, mac) = bytes
            .split_last_chunk::<MAC_LENGTH>()
            .ok_or(Refusal::Malformed)?;
        let mut reader = Reader(signed);
        if reader.byte() != Some(FORMAT) {
            return Err(Refusal::Malformed);
        }
        let version = reader.chunk().ok_or(Refusal::Malformed)?;
        let version = KeyVersion::new(u32::from_be_bytes(*version));
        let key = self.0.find(version).ok_or(Refusal::Unknown)?;
        if !key.verifies(&signed_parts(provider, signed), mac) {
            return Err(Refusal::Wrong);
        }
        reader.attempt(key).ok_or(Refusal::Malformed)
    }
}

/// The provider's name is no part of the cookie: it comes from the path, and must be the one that
/// the cookie was made for.
fn signed_parts<'a>(provider: &'a str, signed: &'a [u8]) -> [&'a [u8]; 4] {
    [MAC_LABEL, provider.as_bytes(), &[0], signed]
}

fn reference(key: &MacKey, secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(*key.tag(&[REFERENCE_LABEL, secret]).as_bytes())
}

fn write(attempt: &Attempt, version: KeyVersion, key: &MacKey, provider: &str) -> AttemptCookie {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    bytes.push(FORMAT);
    bytes.extend(version.number().to_be_bytes());
    bytes.extend(attempt.secret.as_slice());
    bytes.extend(attempt.begun_at.as_millis().to_be_bytes());
    match &attempt.intent {
        Intent::SignIn {
            replaces,
            carries: None,
        } => write_session(&mut bytes, replaces.as_ref()),
        Intent::SignIn {
            replaces,
            carries: Some(Carried(text)),
        } => {
            bytes.push(3);
            write_session(&mut bytes, replaces.as_ref());
            bytes.extend((text.len() as u16).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        Intent::Link {
            account,
            session,
            under,
        } => {
            let account = account.as_str().as_bytes();
            bytes.extend([2, account.len() as u8]);
            bytes.extend(account);
            bytes.extend(session.as_str().as_bytes());
            bytes.extend(under.number().to_be_bytes());
        }
    }
    bytes.extend(attempt.return_to.as_str().as_bytes());
    let tag = key.tag(&signed_parts(provider, &bytes));
    bytes.extend(tag.as_bytes());
    AttemptCookie(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(&*bytes)))
}

fn write_session(bytes: &mut Vec<u8>, session: Option<&[u8; 32]>) {
    bytes.push(session.is_some().into());
    bytes.extend(session.into_iter().flatten());
}

/// The bytes of `text`, if it is the one way to write them and not longer than any that is made.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > LONGEST.div_ceil(3) * 4 {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok().map(Zeroizing::new)
}

/// Takes one field after the other from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.take(N)?.first_chunk()
    }

    fn byte(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| *byte)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// What stands behind the key's version.
    fn attempt(mut self, key: &MacKey) -> Option<Attempt> {
        let secret = Zeroizing::new(*self.chunk()?);
        let begun_at = Timestamp::from_millis(i64::from_be_bytes(*self.chunk()?));
        let intent = self.intent()?;
        let return_to = ReturnTo::parse(self.text(self.0.len())?).ok()?;
        Some(Attempt {
            reference: reference(key, &secret),
            secret,
            begun_at,
            intent,
            return_to,
        })
    }

    fn intent(&mut self) -> Option<Intent> {
        match self.byte()? {
            0 => Some(Intent::SignIn {
                replaces: None,
                carries: None,
            }),
            1 => Some(Intent::SignIn {
                replaces: Some(*self.chunk()?),
                carries: None,
            }),
            2 => {
                let length = self.byte()?;
                Some(Intent::Link {
                    account: AccountId::new(self.text(length.into())?).ok()?,
                    session: self.text(22)?.parse().ok()?,
                    under: AccountVersion::new(u64::from_be_bytes(*self.chunk()?)),
                })
            }
            3 => {
                let replaces = match self.byte()? {
                    0 => None,
                    1 => Some(*self.chunk()?),
                    _ => return None,
                };
                let length = u16::from_be_bytes(*self.chunk()?);
                let carries = Carried::new(self.text(length.into())?)?;
                Some(Intent::SignIn {
                    replaces,
                    carries: Some(carries),
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
