//! Who calls: access tokens against the sessions that they belong to.

use ps_core::{AccountId, Refusal, Requester, SessionId, Timestamp};

use super::{ATTEMPTS, Sessions, unfit};
use crate::{SessionCaller, SessionError, SessionRecord, Which, ended::Known, judge};

impl Sessions {
    /// Who presents this access token. A session that has ended is refused at once; while the feed
    /// is followed no store is asked.
    ///
    /// # Errors
    /// [`SessionError::Denied`] if the token is garbled, forged or expired, or its session ended.
    pub async fn authenticate(
        &self,
        access_token: &str,
        requester: &Requester,
    ) -> Result<SessionCaller, SessionError> {
        let now = self.ambient.clock.now();
        let caller = self
            .access
            .verify(access_token, now)
            .map_err(|why| self.refused(why, None, Some(requester), now))?;
        match self.why_over(&caller, now).await? {
            None => Ok(caller),
            Some(why) => Err(self.refused(why, Some(&caller.account), Some(requester), now)),
        }
    }

    /// The caller's session as it is stored now: alive, its account good and not overturned since.
    ///
    /// What makes or changes a credential asks this, and makes it under the version answered.
    ///
    /// # Errors
    /// [`SessionError::Denied`] if the session or its account is good no more.
    pub async fn confirm(&self, caller: &SessionCaller) -> Result<SessionRecord, SessionError> {
        self.confirm_id(&caller.account, &caller.session).await
    }

    /// The account's session of this name, as [`confirm`](Self::confirm) answers a caller's: for
    /// what a caller has begun and comes back without an access token.
    ///
    /// # Errors
    /// As [`confirm`](Self::confirm).
    pub async fn confirm_id(
        &self,
        account: &AccountId,
        session: &SessionId,
    ) -> Result<SessionRecord, SessionError> {
        let now = self.ambient.clock.now();
        let mut why = Refusal::AccountChanged;
        // A row that was carried to a new version between the two reads is read again.
        for _ in 0..ATTEMPTS {
            // The standing first: whatever overturns the account after that shows in the row.
            let standing = self.accounts.standing(account).await?;
            let row = self.store.find(Which::Id(session)).await?;
            let Some(row) = row.filter(|row| row.account == *account) else {
                why = Refusal::Unknown;
                break;
            };
            match judge::over(&row, &standing, now).or_else(|| unfit(&standing)) {
                None => return Ok(row),
                Some(Refusal::AccountChanged) => {}
                Some(other) => {
                    why = other;
                    break;
                }
            }
        }
        Err(self.refused(why, Some(account), None, now))
    }

    /// Why the caller's session is over, if it is.
    async fn why_over(
        &self,
        caller: &SessionCaller,
        now: Timestamp,
    ) -> Result<Option<Refusal>, SessionError> {
        // Asked before the set is read: a poll in between could make it trusted by what the reading
        // has missed.
        let trusted = self.following.is_trusted(now);
        match self.ended.know(&caller.session, now) {
            Known::Ended => Ok(Some(Refusal::Ended)),
            Known::NotEnded if trusted => Ok(None),
            Known::NotEnded | Known::Nothing => {
                let row = self.store.find(Which::Id(&caller.session)).await?;
                Ok(match row.filter(|row| row.account == caller.account) {
                    None => Some(Refusal::Unknown),
                    Some(row) if row.ended_at.is_some() => Some(Refusal::Ended),
                    Some(row) if !row.is_alive(now) => Some(Refusal::Expired),
                    Some(_) => None,
                })
            }
        }
    }
}
