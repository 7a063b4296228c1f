//! Browsers that are known again, and owners who are told of a sign-in that is not like the others.

mod cookie;

use std::{fmt, sync::Arc, time::Duration};

use ps_core::{
    EmailAddress, Hit, LimitKey, LimitRule, Limited, Limiter, Requester, RootSecrets, StoreError,
    StoreResult, Timestamp, User,
};

use crate::{Notices, Occurrence};
use cookie::DeviceCookies;
pub(crate) use cookie::LIFE;

const HOUR: Duration = Duration::from_secs(3_600);
/// From how many failed attempts in an hour on the owner is told of the one that went well.
const SEVERAL: LimitRule = LimitRule {
    limit: 3,
    per: HOUR,
};
/// How many failed attempts are counted: more would tell nothing.
#[cfg(any(feature = "magiccode", feature = "password"))]
const COUNTED: LimitRule = LimitRule {
    limit: 30,
    per: HOUR,
};
/// The same failures are told once.
const ONCE: LimitRule = LimitRule {
    limit: 1,
    per: HOUR,
};
/// How many of these mails an address gets, whatever somebody does who can sign in.
const MAILS: [(&str, LimitRule); 2] = [
    (
        "sign-in notice",
        LimitRule {
            limit: 5,
            per: HOUR,
        },
    ),
    (
        "sign-in notice, day",
        LimitRule {
            limit: 10,
            per: Duration::from_secs(24 * 3_600),
        },
    ),
];

/// Knows a browser again that signed in to an address before, by a cookie that it keeps for 180 days.
///
/// Such a browser has a lane to itself: strangers who use up the mails or the wrong passwords of the
/// address, or the requests of its network, take nothing from it. The cookie signs nobody in. It is
/// good for up to four addresses, and for each only if it was made since the account's mailbox was
/// first proven.
///
/// Of a sign-in with a browser that is not known, or after three attempts in an hour that failed, the
/// account's owner is told by mail, at most five times an hour and ten times a day.
pub struct KnownBrowsers {
    cookies: DeviceCookies,
    limiter: Arc<dyn Limiter>,
    notices: Notices,
}

impl KnownBrowsers {
    /// Cookies under a key of `roots`, failures counted in `limiter`, owners told by `notices`.
    #[must_use]
    pub fn new(roots: &RootSecrets, limiter: Arc<dyn Limiter>, notices: Notices) -> Self {
        Self {
            cookies: DeviceCookies::new(roots),
            limiter,
            notices,
        }
    }

    pub(crate) fn notices(&self) -> &Notices {
        &self.notices
    }

    pub(crate) fn cookies(&self) -> &DeviceCookies {
        &self.cookies
    }

    /// Counts an attempt at `address` that failed. One that cannot be counted is let go.
    #[cfg(any(feature = "magiccode", feature = "password"))]
    pub(crate) async fn note_failure(&self, address: &EmailAddress, now: Timestamp) {
        let hit = Hit::new(failures(address), COUNTED);
        if let Err(error) = self.limiter.hit(&[hit], now).await {
            unheard(&error);
        }
    }

    /// Tells the owner that somebody signed in, if that is worth a mail. `known` is whether the browser
    /// was.
    pub(crate) async fn note_success(
        &self,
        user: &User,
        known: bool,
        requester: &Requester,
        now: Timestamp,
    ) {
        let new_browser = !known;
        let follows = self.follows_failures(&user.email, now).await;
        let after_failures = follows.unwrap_or_else(|error| {
            unheard(&error);
            false
        });
        if !(new_browser || after_failures) {
            return;
        }
        let occurrence = Occurrence::SignedIn {
            new_browser,
            after_failures,
        };
        let mails = MAILS.map(|(act, rule)| Hit::new(LimitKey::new(act, &user.email), rule));
        match self.limiter.hit(&mails, now).await {
            Ok(Limited::Refused { .. }) => {}
            Ok(Limited::Passed { .. }) => self.notices.tell(user, occurrence, requester),
            Err(error) => {
                unheard(&error);
                self.notices.tell(user, occurrence, requester);
            }
        }
    }

    /// Whether several attempts failed before this one, of which the owner was not told yet.
    async fn follows_failures(&self, address: &EmailAddress, now: Timestamp) -> StoreResult<bool> {
        let several = Hit::peek(failures(address), SEVERAL);
        if let Limited::Passed { .. } = self.limiter.hit(&[several], now).await? {
            return Ok(false);
        }
        let told = Hit::new(LimitKey::new("failed sign-ins told", address), ONCE);
        let told = self.limiter.hit(&[told], now).await?;
        Ok(matches!(told, Limited::Passed { .. }))
    }
}

impl fmt::Debug for KnownBrowsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownBrowsers(…)")
    }
}

fn failures(address: &EmailAddress) -> LimitKey {
    LimitKey::new("failed sign-in", address)
}

/// Nobody's sign-in depends on what is only counted.
fn unheard(error: &StoreError) {
    tracing::error!(error = %crate::answer::chain(error), "sign-ins are not counted");
}
