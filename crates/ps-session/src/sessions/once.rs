//! Sessions that one proof opens once, however often it is delivered.

use ps_core::{AccountId, AccountVersion, Outcome, Requester, Timestamp};

use super::{OpenSession, Sessions};
use crate::{
    FamilyDigest, Method, Opened, RefreshToken, SessionError, SessionRecord, Which,
    judge::judge_delivery,
};

/// What a proof that names its session brings.
#[derive(Debug)]
pub enum Once {
    /// It was delivered before, a moment ago: the session that it opened then, and the same refresh
    /// token.
    Again(OpenSession),
    /// It opened this session now.
    Opened(OpenSession),
    /// It was delivered before, and what it opened has moved on: nothing more comes of it.
    Spent,
}

impl Sessions {
    /// Opens a session as [`open`](Self::open) does, but for a proof that may be delivered twice:
    /// `reference` is 32 bytes that nobody can guess, the same at each delivery, and at most one
    /// session is ever opened under it. `replaces` is the [family](RefreshToken::family) of the
    /// browser's old session.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_once(
        &self,
        reference: &[u8; 32],
        account: &AccountId,
        under: AccountVersion,
        method: Method,
        replaces: Option<&FamilyDigest>,
        requester: &Requester,
    ) -> Result<Once, SessionError> {
        let token = self.refresh.first_of(reference);
        let now = self.ambient.clock.now();
        self.require_fit(account, under, requester, now).await?;
        let record = self.record(account, under, method, &token, requester, now);
        let opened = self.insert(&record, replaces, requester, now).await?;
        Ok(match opened {
            Some(before) => self.again(before, token, requester, now).await?,
            None => Once::Opened(self.answer(record, token, now)),
        })
    }

    /// What an earlier delivery of the same proof has opened; `None` if there was none.
    ///
    /// # Errors
    /// What the store said.
    pub async fn opened_before(
        &self,
        reference: &[u8; 32],
        requester: &Requester,
    ) -> Result<Option<Once>, SessionError> {
        let token = self.refresh.first_of(reference);
        let row = self.store.find(Which::Family(&token.family())).await?;
        let now = self.ambient.clock.now();
        match row {
            Some(row) => Ok(Some(self.again(row, token, requester, now).await?)),
            None => Ok(None),
        }
    }

    async fn again(
        &self,
        row: SessionRecord,
        token: RefreshToken,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<Once, SessionError> {
        let standing = self.accounts.standing(&row.account).await?;
        if let Some(why) = judge_delivery(&row, &standing, self.policy.delivery_window, now) {
            self.refused(why, Some(&row.account), Some(requester), now);
            return Ok(Once::Spent);
        }
        let outcome = Outcome::SessionRefreshed(row.id);
        self.tell(outcome, Some(&row.account), Some(requester), now);
        Ok(Once::Again(self.answer(row, token, now)))
    }

    /// Inserts a new session, and answers the one of the same family if there is one.
    pub(super) async fn insert(
        &self,
        record: &SessionRecord,
        replaces: Option<&FamilyDigest>,
        requester: &Requester,
        now: Timestamp,
    ) -> Result<Option<SessionRecord>, SessionError> {
        let opening = self.store.open(record, replaces, self.policy.at_most, now);
        match opening.await? {
            Opened::AccountChanged => Err(self.changed(&record.account, requester, now)),
            Opened::Done { ended } => {
                self.note_ended(&ended, None, requester, now);
                let outcome = Outcome::SessionOpened(record.id);
                self.tell(outcome, Some(&record.account), Some(requester), now);
                Ok(None)
            }
            Opened::Exists(before) => Ok(Some(*before)),
        }
    }
}
