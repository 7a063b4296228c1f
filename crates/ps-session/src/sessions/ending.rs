//! Ending sessions, so that it holds on this node before it is acknowledged.

use ps_core::{AccountId, Outcome, Refusal, Requester, SessionId, Timestamp};

use super::Sessions;
use crate::{End, RefreshToken, SessionCaller, SessionError};

impl Sessions {
    /// Ends one session of the account; `false` if it has no such live one.
    ///
    /// # Errors
    /// What the store said.
    pub async fn end(
        &self,
        account: &AccountId,
        id: &SessionId,
        requester: &Requester,
    ) -> Result<bool, SessionError> {
        let now = self.ambient.clock.now();
        let which = End::One(account, id);
        self.end_these(which, Some(account), requester, now).await
    }

    /// Ends all sessions of the caller's account but the caller's own, and everything that is on
    /// its way to becoming one.
    ///
    /// # Errors
    /// [`SessionError::Denied`] if the caller's own session is over.
    pub async fn end_others(
        &self,
        caller: &SessionCaller,
        requester: &Requester,
    ) -> Result<(), SessionError> {
        let now = self.ambient.clock.now();
        let account = &caller.account;
        let others = End::Others(account, &caller.session);
        if self
            .end_these(others, Some(account), requester, now)
            .await?
        {
            return Ok(());
        }
        Err(self.refused(Refusal::Ended, Some(account), Some(requester), now))
    }

    /// Ends the session of whichever token is presented: a refresh token of any generation, an
    /// access token of any age. What belongs to no live session changes nothing, so it may be asked
    /// twice.
    ///
    /// # Errors
    /// What the store said.
    pub async fn sign_out(
        &self,
        refresh: Option<&RefreshToken>,
        access_token: Option<&str>,
        requester: &Requester,
    ) -> Result<(), SessionError> {
        let now = self.ambient.clock.now();
        if let Some(token) = refresh {
            let family = token.family();
            self.end_these(End::Family(&family), None, requester, now)
                .await?;
        }
        match access_token.map(|text| self.access.verify_at_any_age(text)) {
            Some(Ok(caller)) => {
                let which = End::One(&caller.account, &caller.session);
                self.end_these(which, Some(&caller.account), requester, now)
                    .await?;
            }
            Some(Err(why)) => {
                self.refused(why, None, Some(requester), now);
            }
            None => {}
        }
        Ok(())
    }

    /// Whether what was named was alive.
    async fn end_these(
        &self,
        which: End<'_>,
        account: Option<&AccountId>,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let ended = self.store.end(which, now).await?;
        if let Some(ids) = &ended {
            self.note_ended(ids, account, requester, now);
        }
        Ok(ended.is_some())
    }

    /// What ended is refused here from now on, whatever the feed has told.
    pub(super) fn note_ended(
        &self,
        ids: &[SessionId],
        account: Option<&AccountId>,
        requester: &Requester,
        now: Timestamp,
    ) {
        for id in ids {
            self.ended.note(*id, now);
            self.tell(Outcome::SessionEnded(*id), account, Some(requester), now);
        }
    }
}
