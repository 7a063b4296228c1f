//! What a store of challenges keeps of a code, requested and guessed at as people do it.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use futures_util::future::{self, Either};
use ps_core::{
    AccountId, EmailAddress, Registered, Requester, RootSecret, RootSecrets, StoreError,
    StoreResult, Timestamp, User, Users, VerifiedEmail,
};
use ps_magiccode::{
    ChallengeStore, CodePolicy, MagicCodes, PlainLetters, Purpose, Requested, TypedCode,
};

use super::{common::email, secrets::Secrets};
use crate::{Mailbox, TestAmbient};

/// What this suite tests.
pub trait Ports: ChallengeStore {}
impl<T: ChallengeStore> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ challenges_at_rest __challenges_at_rest {
        self {
            no_code_is_at_rest
        }
    }
}

// MC8
async fn no_code_is_at_rest(store: Store) -> Secrets {
    let mailbox = Mailbox::default();
    let root = RootSecret::new((0..32).collect::<Vec<u8>>()).unwrap();
    let codes = MagicCodes::new(
        store,
        Arc::new(Nobody),
        Arc::new(mailbox.clone()),
        Arc::new(PlainLetters::new("Example")),
        &RootSecrets::new([root]).unwrap(),
        CodePolicy::default(),
        TestAmbient::default().ambient(),
    );
    let requester = Requester::new(IpAddr::from([203, 0, 113, 7]));
    let mut secrets = Secrets::default();
    for number in 0..10 {
        let address = email(&format!("a{number}@example.com"));
        let requested = codes.request(&address, Purpose::Register, None, &requester);
        let Requested { challenge, .. } = requested.await.unwrap();
        let code = delivered(&codes, &mailbox, &address).await;
        secrets.add("a code", code.as_bytes());
        secrets.add_digest("a code", code.as_bytes());
        let salted = format!("{challenge}{code}");
        secrets.add_digest("a code behind its challenge's name", salted.as_bytes());
        if number % 2 == 0 {
            let claim = codes.claim(&challenge, None, Purpose::Register, &requester);
            let typed = TypedCode::parse(&code).unwrap();
            let redeemed = codes.redeem(claim.await.unwrap(), &typed, &requester);
            assert!(redeemed.await.is_ok(), "it was the code");
        }
    }
    secrets
}

/// Lets the mail arrive, and reads the code in it.
async fn delivered(codes: &MagicCodes, mailbox: &Mailbox, address: &EmailAddress) -> String {
    let arrived = async {
        loop {
            if let Some(code) = mailbox.code_to(address) {
                return code;
            }
            tokio::task::yield_now().await;
        }
    };
    match future::select(Box::pin(codes.run()), Box::pin(arrived)).await {
        Either::Left(_) => panic!("the service stopped"),
        Either::Right((code, _)) => code,
    }
}

/// An application without users.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Users for Nobody {
    async fn find(&self, _: &AccountId) -> StoreResult<Option<User>> {
        Ok(None)
    }

    async fn find_by_email(&self, _: &EmailAddress) -> StoreResult<Option<User>> {
        Ok(None)
    }

    async fn register(&self, _: &VerifiedEmail, _: Timestamp) -> StoreResult<Registered> {
        Err(StoreError::new("nobody registers here"))
    }
}
