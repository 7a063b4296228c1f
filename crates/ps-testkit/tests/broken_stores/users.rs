//! Stores of users.

use async_trait::async_trait;
use ps_core::{
    AccountId, EmailAddress, Registered, StoreResult, Timestamp, User, Users, VerifiedEmail,
};
use ps_testkit::conformance::users as suite;

use crate::{
    fail,
    store::{Broken, Flaw},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn users_fail() {
    let table = [
        (Flaw::RegistersAgain, "one_address_makes_one_user"),
        (
            Flaw::RegistersAgain,
            "spellings_of_one_mailbox_are_one_user",
        ),
        (
            Flaw::RegistersLookalikes,
            "what_looks_alike_is_another_user",
        ),
        (Flaw::ForgetsUsers, "a_registered_user_is_found"),
    ];
    fail(suite::properties(), &table).await;
}

#[async_trait]
impl Users for Broken {
    async fn find(&self, id: &AccountId) -> StoreResult<Option<User>> {
        if self.is(Flaw::ForgetsUsers) {
            return Ok(None);
        }
        self.sound().find(id).await
    }

    async fn find_by_email(&self, email: &EmailAddress) -> StoreResult<Option<User>> {
        self.sound().find_by_email(email).await
    }

    async fn register(&self, proof: &VerifiedEmail, now: Timestamp) -> StoreResult<Registered> {
        match self.flaw {
            Flaw::RegistersAgain => {
                let number = {
                    let mut notes = self.notes();
                    notes.asked += 1;
                    notes.asked
                };
                let other = format!("again{number}.{}", proof.address());
                let other = EmailAddress::parse(&other).unwrap();
                Ok(Registered::New(self.sound().import_user(&other, now)))
            }
            Flaw::RegistersLookalikes => {
                let (local, _) = proof.address().as_str().split_once('@').unwrap();
                let folded = format!("{}@example.com", local.replace(['.', '+'], ""));
                let folded = EmailAddress::parse(&folded).unwrap();
                // In one go: only this flaw shows.
                #[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
                let proof = VerifiedEmail::danger_proven(folded, now);
                self.sound().register(&proof, now).await
            }
            _ => self.sound().register(proof, now).await,
        }
    }
}
