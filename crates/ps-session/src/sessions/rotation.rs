//! Carrying a session on: one refresh token in, the next one out.

use ps_core::{Outcome, Refusal, Requester, Standing, StoreError, StoreResult, Timestamp};

use super::{ATTEMPTS, OpenSession, Sessions};
use crate::{
    Advance, End, IdempotencyKey, Presented, RefreshError, RefreshToken, SessionRecord, Verdict,
    Which, judge_refresh,
};

impl Sessions {
    /// Reads a refresh token that a client presents, with no store call.
    ///
    /// # Errors
    /// [`RefreshError::Unreadable`] if it is garbled, or no root in force has made it.
    pub fn read_refresh(&self, text: &str) -> Result<RefreshToken, RefreshError> {
        self.refresh.read(text).map_err(|why| {
            let now = self.ambient.clock.now();
            self.tell(Outcome::RefreshRefused(why), None, None, now);
            RefreshError::Unreadable
        })
    }

    /// Carries the session of `token` on, or repeats the answer to a request that is sent again
    /// under the same `key`; ends the session where a token comes back that was used up before
    /// (RFC 9700 §4.14).
    ///
    /// # Errors
    /// [`RefreshError::Denied`] if the session is over, now at the latest;
    /// [`RefreshError::Superseded`] if another request was just faster.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        key: Option<&IdempotencyKey>,
        requester: &Requester,
    ) -> Result<OpenSession, RefreshError> {
        let now = self.ambient.clock.now();
        let presented = Presented {
            generation: token.generation(),
            key: key.map(IdempotencyKey::digest),
        };
        let advance = Advance {
            family: token.family(),
            generation: presented.generation,
            key: presented.key,
            idle_ends_at: now.plus(self.policy.idle_life),
        };
        let mut attempts = ATTEMPTS;
        let (row, verdict) = loop {
            if let Some(row) = self.store.rotate(&advance, now).await? {
                let head = self.refresh.head(token, row.generation);
                return Ok(self.carried_on(row, head, requester, now));
            }
            let (row, verdict) = self.judge(&advance, &presented, now).await?;
            attempts -= 1;
            // A head that was not advanced, or a row behind its account, moved between two looks.
            let moved = matches!(
                verdict,
                Verdict::Head | Verdict::Refused(Refusal::AccountChanged)
            );
            if !moved || attempts == 0 {
                break (row, verdict);
            }
        };
        let tell = |outcome| {
            let account = row.as_ref().map(|row| &row.account);
            self.tell(outcome, account, Some(requester), now);
        };
        match (verdict, &row) {
            (Verdict::Repeated, Some(row)) => {
                let again = self.refresh.again(token, row.generation);
                Ok(self.carried_on(row.clone(), again, requester, now))
            }
            (Verdict::Replayed, Some(row)) => {
                tell(self.end_replayed(row, now).await?);
                Err(RefreshError::Denied)
            }
            (Verdict::Superseded, _) => {
                tell(Outcome::RefreshRefused(Refusal::Superseded));
                Err(RefreshError::Superseded)
            }
            (Verdict::Ahead, Some(row)) => {
                tell(Outcome::StoreBehindToken(row.id));
                Err(RefreshError::Denied)
            }
            (Verdict::Refused(why), _) => {
                tell(Outcome::RefreshRefused(why));
                Err(RefreshError::Denied)
            }
            _ => Err(StoreError::new("the session's row did not come to rest").into()),
        }
    }

    /// Reads the row that was not advanced, and judges the token by it.
    async fn judge(
        &self,
        advance: &Advance,
        presented: &Presented,
        now: Timestamp,
    ) -> StoreResult<(Option<SessionRecord>, Verdict)> {
        let row = self.store.find(Which::Family(&advance.family)).await?;
        let standing = match &row {
            Some(row) => self.accounts.standing(&row.account).await?,
            None => Standing::default(),
        };
        let found = row.as_ref().map(|row| (row, &standing));
        let verdict = judge_refresh(presented, found, &self.policy, now);
        Ok((row, verdict))
    }

    /// Ends the session of a token that came back. It stands although the answer is an error, and
    /// the session is refused here before that answer is given.
    async fn end_replayed(&self, row: &SessionRecord, now: Timestamp) -> StoreResult<Outcome> {
        let ended = self.store.end(End::Family(&row.family), now).await?;
        self.ended.note(row.id, now);
        Ok(match ended {
            Some(_) => Outcome::RefreshReplayed(row.id),
            None => Outcome::RefreshRefused(Refusal::Ended),
        })
    }

    fn carried_on(
        &self,
        row: SessionRecord,
        refresh: RefreshToken,
        requester: &Requester,
        now: Timestamp,
    ) -> OpenSession {
        let outcome = Outcome::SessionRefreshed(row.id);
        self.tell(outcome, Some(&row.account), Some(requester), now);
        self.answer(row, refresh, now)
    }
}
