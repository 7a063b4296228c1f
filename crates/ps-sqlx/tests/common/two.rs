//! What holds of two stores on one database that know nothing of each other, as if each were a
//! process.

#![allow(dead_code, unreachable_pub)] // each uses some of it

use std::{sync::Arc, time::Duration};

use ps_core::{
    AccountVersion, Accounts, ChallengeId, Changes, Cursor, Hit, KeyVersion, Lane, LimitKey,
    LimitRule, Limited, Limiter, Network, Registered, SystemRandom, Users, VerifiedEmail,
};
use ps_magiccode::{ChallengeStore, Exposure, NewChallenge, Placed, Purpose, SendBudget};
use ps_oauth::{Identity, IdentityStore, Linked, LinkedIdentity, Removed, Unlinked};
use ps_session::{End, Opened, SessionStore, Which};
use tokio::sync::Barrier;

use super::records::{DAY, NOW, account, email, session};

/// The ports that are tried.
pub trait Store:
    Accounts + ChallengeStore + Changes + Clone + IdentityStore + Limiter + SessionStore + Users
{
}
impl<T> Store for T where
    T: Accounts + ChallengeStore + Changes + Clone + IdentityStore + Limiter + SessionStore + Users
{
}

// ST3, F14, OA25
pub async fn rules_hold(stores: [impl Store; 2]) {
    let start = Arc::new(Barrier::new(128));
    let racing: Vec<_> = (0..128)
        .map(|number| {
            let (store, start) = (stores[number % 2].clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let new = is_new(&store).await;
                let opened = store.open(&session("a"), None, 20, NOW).await.unwrap();
                assert!(matches!(opened, Opened::Done { .. }));
                (new, passes(&store).await)
            })
        })
        .collect();
    let (mut new, mut passed) = (0, 0);
    for one in racing {
        let (is_new, passes) = one.await.unwrap();
        new += u32::from(is_new);
        passed += u32::from(passes);
    }
    assert_eq!((new, passed), (1, 50));
    let alive = SessionStore::list(&stores[0], &account("a"), NOW)
        .await
        .unwrap();
    assert_eq!(alive.len(), 20);
    let told = stores[1].since(Cursor::default(), u32::MAX).await.unwrap();
    assert_eq!(told.len(), 108);
    let numbers = told.iter().map(|(cursor, _)| cursor.number());
    assert!(
        numbers.eq(1..=108),
        "in the order of commits, without a gap"
    );
}

// OA18, ST3
pub async fn a_way_in_is_left(stores: [impl Store; 2]) {
    let providers = ["google", "linkedin"];
    for round in 0..100 {
        let name = format!("{round}");
        for provider in providers {
            let new = LinkedIdentity {
                identity: Identity {
                    provider: provider.to_owned(),
                    issuer: format!("https://{provider}.example.com"),
                    subject: name.clone(),
                },
                account: account(&name),
                email: None,
                linked_at: NOW,
                removed_at: None,
            };
            let linked = stores[0].link(&new, Removed::Stays, AccountVersion::default());
            assert_eq!(linked.await.unwrap(), Linked::Done);
        }
        let unlink = async |task: usize| {
            let (store, id, under) = (&stores[task], account(&name), AccountVersion::default());
            let (one, all) = (providers[task], &providers);
            let unlinked = store.unlink_unless_last(&id, one, all, false, under, NOW);
            unlinked.await.unwrap()
        };
        let (one, other) = tokio::join!(unlink(0), unlink(1));
        assert!(
            (one, other) == (Unlinked::Done, Unlinked::Last)
                || (one, other) == (Unlinked::Last, Unlinked::Done),
            "{one:?} and {other:?}"
        );
    }
}

// MC3, MC4, MC10: of mails, guesses and winners there are as many as on one node.
pub async fn a_challenge_is_guessed_at_and_used_once(stores: [impl Store; 2]) {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let rule = |limit, per| LimitRule { limit, per };
    let exposure = Exposure {
        address: rule(20, DAY),
        everywhere: rule(2_000, HOUR),
    };
    let sends = SendBudget {
        hourly: rule(5, HOUR),
        daily: rule(10, DAY),
        address: rule(30, DAY),
    };
    let sends = sends.in_lane(Lane::Network(Network::of([127, 0, 0, 1].into())));
    for round in 0..10 {
        let to = email(&format!("{round}"));
        let placed = race(&stores, move |store| {
            let new = NewChallenge {
                id: ChallengeId::random(&SystemRandom),
                purpose: Purpose::Register,
                email: email(&format!("{round}")),
                key_version: KeyVersion::new(7),
                attempts: 5,
                expires_at: NOW.plus(HOUR),
            };
            async move { store.place(&new, &exposure, &sends, NOW).await.unwrap() }
        });
        let placed: Vec<_> = placed
            .await
            .into_iter()
            .filter_map(|placed| match placed {
                Placed::Send(challenge) => Some(challenge),
                _ => None,
            })
            .collect();
        assert_eq!(placed.len(), 5, "mails to {to}");
        let short = placed.iter().filter(|challenge| challenge.digits == 6);
        assert_eq!(short.count(), 4, "20 guesses at six digits");

        let id = placed[0].id;
        let claimed = race(&stores, move |store| async move {
            let claimed = store.claim_attempt(&id, None, Purpose::Register, NOW);
            claimed.await.unwrap().is_some()
        });
        let claimed = claimed.await.into_iter().filter(|claimed| *claimed);
        assert_eq!(claimed.count(), 5);
        let won = race(&stores, move |store| async move {
            store.consume(&id, NOW).await.unwrap()
        });
        assert_eq!(won.await.into_iter().filter(|won| *won).count(), 1);
    }
}

/// 64 at once, half of them at each store.
async fn race<S: Store, F>(stores: &[S; 2], act: impl Fn(S) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let start = Arc::new(Barrier::new(64));
    let racing = (0..64).map(|number| {
        let (acting, start) = (act(stores[number % 2].clone()), start.clone());
        tokio::spawn(async move {
            start.wait().await;
            acting.await
        })
    });
    let racing: Vec<_> = racing.collect();
    let mut outcomes = Vec::new();
    for one in racing {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

pub async fn what_one_acknowledged_the_other_sees(stores: [impl Store; 2]) {
    for number in 0..100 {
        let (here, there) = (&stores[number % 2], &stores[(number + 1) % 2]);
        let session = session("a");
        here.open(&session, None, 20, NOW).await.unwrap();
        let found = SessionStore::find(there, Which::Id(&session.id)).await;
        assert_eq!(found.unwrap().as_ref(), Some(&session));
        there.end(End::Family(&session.family), NOW).await.unwrap();
        let (end, _) = here.ended_since(NOW).await.unwrap();
        assert_eq!(end, Cursor::new(number as u64 + 1));
        let id = account(&format!("{number}"));
        assert!(here.disable(&id, NOW).await.unwrap());
        assert!(!there.disable(&id, NOW).await.unwrap());
    }
}

async fn is_new(store: &impl Store) -> bool {
    #[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
    let proof = VerifiedEmail::danger_proven(email("a"), NOW);
    matches!(
        store.register(&proof, NOW).await.unwrap(),
        Registered::New(_)
    )
}

async fn passes(store: &impl Store) -> bool {
    let rule = LimitRule {
        limit: 50,
        per: DAY,
    };
    let hit = Hit::new(LimitKey::new("test", "a"), rule);
    let answer = store.hit(&[hit], NOW).await.unwrap();
    matches!(answer, Limited::Passed { .. })
}
