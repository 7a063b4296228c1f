//! The mail of a code, written when it is sent: until then nobody derives the code.

use std::sync::Arc;

use async_trait::async_trait;
use ps_core::{Clock, Draft, EmailAddress, MacKeys, Mail, Requester, Timestamp, Unwritten, Users};

use crate::{Challenge, Code, Letter, Letters, Occasion};

/// What every mail of a code is written with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) users: Arc<dyn Users>,
    pub(crate) letters: Arc<dyn Letters>,
    pub(crate) keys: MacKeys,
    pub(crate) clock: Arc<dyn Clock>,
}

/// One mail to be written.
#[derive(Debug)]
pub(crate) struct CodeDraft {
    pub(crate) desk: Arc<Desk>,
    pub(crate) challenge: Challenge,
    pub(crate) requester: Requester,
    pub(crate) requested_at: Timestamp,
    /// From when on so little of the code's life is left that it is not mailed again.
    pub(crate) too_late: Timestamp,
}

#[async_trait]
impl Draft for CodeDraft {
    fn to(&self) -> &EmailAddress {
        &self.challenge.email
    }

    fn requester(&self) -> &Requester {
        &self.requester
    }

    fn until(&self) -> Timestamp {
        self.too_late
    }

    /// `NotNow` where the account could not be looked up, `Useless` where the code is dead by now.
    async fn write(&self) -> Result<Mail, Unwritten> {
        let address = &self.challenge.email;
        let found = self.desk.users.find_by_email(address).await;
        let user = found.map_err(|_| Unwritten::NotNow)?;
        // A users table that folds more than case would answer somebody else's account.
        let has_account = user.is_some_and(|user| user.email == *address);
        let occasion = Occasion::of(self.challenge.purpose, has_account);
        self.compose(occasion).ok_or(Unwritten::Useless)
    }
}

impl CodeDraft {
    /// `None` where there is no code any more.
    fn compose(&self, occasion: Occasion) -> Option<Mail> {
        let (challenge, desk) = (&self.challenge, &self.desk);
        if challenge.expires_at <= desk.clock.now() {
            return None;
        }
        let code = match occasion {
            Occasion::NoAccount => None,
            _ => Some(Code::derive(&desk.keys, challenge)?),
        };
        Some(desk.letters.compose(&Letter {
            occasion,
            to: &challenge.email,
            code: code.as_ref(),
            expires_in: challenge.expires_at.since(self.requested_at),
            requested_at: self.requested_at,
            requester: &self.requester,
        }))
    }
}
