//! What happens between two looks at an identity, and at the same moment.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use common::{Site, alice, browser, proof};
use ps_core::{AccountId, AccountVersion, Accounts, Raised, StoreResult, Timestamp};
use ps_memory::MemoryStore;
use ps_oauth::{
    Identity, IdentityStore, Linked, LinkedIdentity, Profile, Removed, SocialError, SocialPolicy,
    UnlinkError, Unlinked, Weighed,
};
use ps_testkit::openid::Person;

/// What somebody else does just after an identity was looked at.
#[derive(Clone, Debug)]
enum Meddling {
    Claim(AccountId),
    Link(AccountId),
    Nothing,
    Unlink(AccountId),
}

/// A store in which it happens, one after the other, whenever an identity is looked at.
#[derive(Debug)]
struct Meddled {
    inner: MemoryStore,
    plan: Arc<Mutex<VecDeque<Meddling>>>,
}

impl Meddled {
    async fn meddle(&self, what: Meddling, identity: &Identity) {
        let now = Timestamp::from_seconds(0);
        match what {
            Meddling::Claim(account) => {
                let under = self.version(&account).await;
                let proof = proof("alice@gmail.com");
                let claimed = self.inner.claim(&account, &proof, under, now);
                assert!(matches!(claimed.await.unwrap(), Raised::To(_)));
            }
            Meddling::Link(account) => {
                let under = self.version(&account).await;
                let new = LinkedIdentity {
                    identity: identity.clone(),
                    account,
                    email: None,
                    linked_at: now,
                    removed_at: None,
                };
                let linked = self.inner.link(&new, Removed::IsLifted, under).await;
                assert_eq!(linked.unwrap(), Linked::Done);
            }
            Meddling::Nothing => {}
            Meddling::Unlink(account) => {
                let under = self.version(&account).await;
                let (name, none) = (&*identity.provider, &[]);
                let unlinked = self
                    .inner
                    .unlink_unless_last(&account, name, none, true, under, now);
                assert_eq!(unlinked.await.unwrap(), Unlinked::Done);
            }
        }
    }

    async fn version(&self, account: &AccountId) -> AccountVersion {
        self.inner.standing(account).await.unwrap().version
    }
}

#[async_trait]
impl IdentityStore for Meddled {
    async fn find(&self, identity: &Identity) -> StoreResult<Option<LinkedIdentity>> {
        let found = self.inner.find(identity).await?;
        let next = self.plan.lock().unwrap().pop_front();
        self.meddle(next.unwrap_or(Meddling::Nothing), identity)
            .await;
        Ok(found)
    }

    async fn list(&self, account: &AccountId) -> StoreResult<Vec<LinkedIdentity>> {
        IdentityStore::list(&self.inner, account).await
    }

    async fn link(
        &self,
        new: &LinkedIdentity,
        removed: Removed,
        under: AccountVersion,
    ) -> StoreResult<Linked> {
        self.inner.link(new, removed, under).await
    }

    async fn unlink_unless_last(
        &self,
        account: &AccountId,
        provider: &str,
        configured: &[&str],
        has_password: bool,
        under: AccountVersion,
        now: Timestamp,
    ) -> StoreResult<Unlinked> {
        self.inner
            .unlink_unless_last(account, provider, configured, has_password, under, now)
            .await
    }
}

/// A site whose store is meddled with from now on.
struct Scene {
    site: Site,
    plan: Arc<Mutex<VecDeque<Meddling>>>,
    profile: Profile,
}

impl Scene {
    async fn new() -> Self {
        let plan: Arc<Mutex<VecDeque<Meddling>>> = Arc::default();
        let site = Site::with(SocialPolicy::default(), |store| {
            Arc::new(Meddled {
                inner: store.clone(),
                plan: plan.clone(),
            })
        });
        let profile = site.profile("google", &alice()).await;
        Self {
            site,
            plan,
            profile,
        }
    }

    async fn weigh_while(
        &self,
        plan: impl IntoIterator<Item = Meddling>,
    ) -> Result<Weighed, SocialError> {
        *self.plan.lock().unwrap() = plan.into_iter().collect();
        self.site.logins.weigh(&self.profile, &browser()).await
    }
}

// OA15, SE22: the attacker's identity is known, and its account claimed while he comes in
#[tokio::test]
async fn a_claim_between_two_looks_is_seen() {
    let scene = Scene::new().await;
    let account = scene.site.proven("victim@example.com").await.id;
    assert!(scene.site.link(&account, &scene.profile).await.unwrap());
    let before = scene.site.standing(&account).await.version;
    let weighed = scene.weigh_while([Meddling::Claim(account.clone())]).await;
    // The identity opens nothing any more, and the address is nobody's.
    assert!(matches!(weighed.unwrap(), Weighed::Register(_)));
    assert_ne!(scene.site.standing(&account).await.version, before);
}

// SE22: a claim after the second look leaves a version behind under which nothing is opened
#[tokio::test]
async fn a_claim_after_the_second_look_leaves_an_old_version() {
    let scene = Scene::new().await;
    let account = scene.site.proven("victim@example.com").await.id;
    assert!(scene.site.link(&account, &scene.profile).await.unwrap());
    let plan = [Meddling::Nothing, Meddling::Claim(account.clone())];
    let Weighed::SignIn(holder) = scene.weigh_while(plan).await.unwrap() else {
        panic!("it was linked at the second look");
    };
    let now = scene.site.standing(&account).await.version;
    assert_ne!(holder.standing.version, now);
}

// The account is that of the identity, never that of the address by mistake.
#[tokio::test]
async fn a_link_between_two_looks_is_seen() {
    let scene = Scene::new().await;
    scene.site.proven("alice@gmail.com").await;
    let other = scene.site.proven("bob@example.com").await.id;
    let weighed = scene.weigh_while([Meddling::Link(other.clone())]).await;
    assert!(matches!(weighed.unwrap(), Weighed::SignIn(holder) if holder.user.id == other));

    let weighed = scene.weigh_while([Meddling::Unlink(other)]).await;
    assert_eq!(weighed.unwrap(), Weighed::IdentityRemoved);
}

// What the identity opened a moment ago is not the account that has the address.
#[tokio::test]
async fn an_account_that_lost_the_identity_is_not_linked_for_the_address() {
    let scene = Scene::new().await;
    let by_address = scene.site.proven("alice@gmail.com").await.id;
    let other = scene.site.proven("bob@example.com").await.id;
    assert!(scene.site.link(&other, &scene.profile).await.unwrap());
    let weighed = scene.weigh_while([Meddling::Claim(other)]).await;
    assert!(matches!(weighed.unwrap(), Weighed::Link(holder) if holder.user.id == by_address));
}

#[tokio::test]
async fn an_identity_that_does_not_come_to_rest_opens_nothing() {
    let scene = Scene::new().await;
    let one = scene.site.proven("bob@example.com").await.id;
    let link = || Meddling::Link(one.clone());
    let unlink = || Meddling::Unlink(one.clone());
    let restless = [link(), unlink(), link(), unlink()];
    let weighed = scene.weigh_while(restless).await;
    assert!(matches!(weighed, Err(SocialError::AccountChanged)));
}

// OA25: both find nobody, and both link
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_that_comes_64_times_at_once_is_one_account() {
    let site = Arc::new(Site::new());
    let profile = Arc::new(site.profile("google", &alice()).await);
    let come = |_| {
        let (site, profile) = (site.clone(), profile.clone());
        tokio::spawn(async move {
            loop {
                if let Some(account) = site.sign_in(&profile).await {
                    return account;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let tasks: Vec<_> = (0..64).map(come).collect();
    let mut accounts = Vec::new();
    for task in tasks {
        accounts.push(task.await.unwrap());
    }
    accounts.dedup();
    assert_eq!(accounts.len(), 1);
    assert_eq!(site.logins.list(&accounts[0]).await.unwrap().len(), 1);
}

// OA18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_last_ways_in_one_stays() {
    let site = Arc::new(Site::new());
    let bob = Person::new("2002", "bob@example.com");
    let account = site.proven("bob@example.com").await.id;
    let under = site.standing(&account).await.version;
    let google = site.profile("google", &bob).await;
    let linkedin = site.profile("linkedin", &bob).await;
    for _ in 0..200 {
        for profile in [&google, &linkedin] {
            site.link(&account, profile).await.unwrap();
        }
        let unlink = |provider: &'static str| {
            let (site, account) = (site.clone(), account.clone());
            tokio::spawn(async move {
                let client = browser();
                site.logins
                    .unlink(&account, provider, false, under, &client)
                    .await
            })
        };
        let (one, two) = (unlink("google"), unlink("linkedin"));
        let both = [one.await.unwrap(), two.await.unwrap()];
        assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1);
        let last = |done: &&Result<(), UnlinkError>| matches!(done, Err(UnlinkError::Last));
        assert_eq!(both.iter().filter(last).count(), 1);
        assert_eq!(site.logins.list(&account).await.unwrap().len(), 1);
    }
}
