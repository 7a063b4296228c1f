//! Which account an identity opens, and who may change that.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::{Site, alice, browser, client, roots};
use ps_core::{
    AccountId, Accounts, Ambient, AuthEvent, EmailAddress, EventSink, Outcome, Refusal, Registered,
    StoreResult, Timestamp, User, Users, VerifiedEmail,
};
use ps_oauth::{
    GOOGLE, IdentityStore, LinkPolicy, Linked, LinkedIdentity, Profile, Removed, SocialError,
    SocialLogins, SocialPolicy, UnlinkError, Weighed, judge_link,
};
use ps_testkit::openid::{EmailVerified, Person};

const REFUSED: Outcome = Outcome::SocialRefused(Refusal::Unproven);

/// Bob, whose mailbox is elsewhere.
fn bob() -> Person {
    Person::new("2002", "bob@example.com")
}

#[tokio::test]
async fn whoever_comes_first_is_registered_and_found_again() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let proof = profile.proof().unwrap();
    assert_eq!(site.weigh(&profile).await, Weighed::Register(proof));
    let account = site.sign_in(&profile).await.unwrap();
    assert_eq!(
        site.outcomes(),
        [
            Outcome::SocialAccepted,
            Outcome::SocialAccepted,
            Outcome::IdentityLinked
        ]
    );

    let again = site.profile("google", &alice()).await;
    let Weighed::SignIn(holder) = site.weigh(&again).await else {
        panic!("the identity is not known");
    };
    assert_eq!(holder.user.id, account);
    assert_eq!(holder.standing, site.standing(&account).await);
}

// OA12, OA26: the address passes to somebody else, or the person to another address
#[tokio::test]
async fn an_identity_is_not_its_address() {
    let site = Site::new();
    let account = site.sign_in(&site.profile("google", &alice()).await).await;
    let taken = site.proven("new@gmail.com").await;
    let moved = Person {
        email: Some("new@gmail.com".to_owned()),
        ..alice()
    };
    let profile = site.profile("google", &moved).await;
    assert_eq!(site.sign_in(&profile).await, account);
    assert_ne!(account, Some(taken.id));
    let listed = site.logins.list(account.as_ref().unwrap()).await.unwrap();
    assert_eq!(
        listed[0].email.as_ref().unwrap().as_str(),
        "alice@gmail.com"
    );
}

// OA12
#[tokio::test]
async fn one_subject_at_two_providers_is_two_identities() {
    let site = Site::new();
    let at_google = site.sign_in(&site.profile("google", &alice()).await).await;
    let somebody = Person::new("1001", "somebody@example.com");
    let at_linkedin = site
        .sign_in(&site.profile("linkedin", &somebody).await)
        .await;
    assert!(at_google.is_some() && at_linkedin.is_some());
    assert_ne!(at_google, at_linkedin);
}

// OA13, OA14
#[tokio::test]
async fn an_address_that_is_not_verified_opens_nothing() {
    let site = Site::new();
    site.proven("alice@gmail.com").await;
    for email_verified in EmailVerified::UNVERIFIED {
        for address in ["alice@gmail.com", "nobody@gmail.com"] {
            let person = Person {
                email: Some(address.to_owned()),
                email_verified,
                ..alice()
            };
            let profile = site.profile("google", &person).await;
            assert_eq!(site.weigh(&profile).await, Weighed::EmailUnverified);
            assert_eq!(site.outcomes(), [REFUSED]);
        }
    }
    let nameless = Person {
        email: None,
        ..alice()
    };
    let profile = site.profile("google", &nameless).await;
    assert_eq!(site.weigh(&profile).await, Weighed::EmailUnverified);
}

// OA15: somebody registered with Alice's address before she came
#[tokio::test]
async fn an_unproven_account_is_claimed_by_who_hosts_its_mailbox_only() {
    let site = Site::new();
    let planted = site.unproven("alice@gmail.com");
    let elsewhere = site.profile("linkedin", &alice()).await;
    assert_eq!(site.weigh(&elsewhere).await, Weighed::CodeNeeded);
    assert_eq!(site.outcomes(), [REFUSED]);

    let profile = site.profile("google", &alice()).await;
    let Weighed::ClaimThenLink(holder, proof) = site.weigh(&profile).await else {
        panic!("it is not claimed");
    };
    assert_eq!(holder.user.id, planted.id);
    assert_eq!(proof.address(), &planted.email);

    // What an import linked to it dies with the claim.
    let mallory = Person::new("666", "mallory@gmail.com");
    let mallory = site.profile("google", &mallory).await;
    assert!(site.link(&planted.id, &mallory).await.unwrap());
    assert_eq!(site.weigh(&mallory).await, Weighed::CodeNeeded);
    assert_eq!(site.sign_in(&profile).await, Some(planted.id.clone()));
    let linked = site.logins.list(&planted.id).await.unwrap();
    assert_eq!(linked.len(), 1);
    assert_eq!(linked[0].identity, *profile.identity());
    assert!(matches!(site.weigh(&mallory).await, Weighed::Register(_)));
}

#[tokio::test]
async fn a_verified_address_links_to_the_proven_account_that_has_it() {
    let site = Site::new();
    let user = site.proven("bob@example.com").await;
    for provider in ["google", "linkedin"] {
        let profile = site.profile(provider, &bob()).await;
        assert!(!profile.is_authoritative());
        assert!(matches!(site.weigh(&profile).await, Weighed::Link(holder) if holder.user == user));
        assert_eq!(site.sign_in(&profile).await.as_ref(), Some(&user.id));
    }
    let listed = site.logins.list(&user.id).await.unwrap();
    let providers: Vec<_> = listed.iter().map(|row| &*row.identity.provider).collect();
    assert_eq!(providers, ["google", "linkedin"]);
}

#[tokio::test]
async fn a_disabled_account_is_opened_by_nothing() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let account = site.sign_in(&profile).await.unwrap();
    let by_address = site.profile("linkedin", &alice()).await;
    assert!(site.store.disable(&account, site.now()).await.unwrap());
    site.outcomes();
    for profile in [&profile, &by_address] {
        assert_eq!(site.weigh(profile).await, Weighed::AccountDisabled);
        let told = Outcome::SocialRefused(Refusal::AccountDisabled);
        assert_eq!(site.outcomes(), [told]);
        let linked = site.link(&account, profile).await;
        assert!(matches!(linked, Err(SocialError::AccountChanged)));
        site.outcomes();
    }
}

#[tokio::test]
async fn an_identity_whose_user_is_gone_opens_nothing() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let gone = AccountId::new("gone").unwrap();
    assert!(site.link(&gone, &profile).await.unwrap());
    assert_eq!(site.weigh(&profile).await, Weighed::AccountDisabled);
}

/// A table whose collation takes everybody for this user.
#[derive(Debug)]
struct Folding(User);

#[async_trait]
impl Users for Folding {
    async fn find(&self, _: &AccountId) -> StoreResult<Option<User>> {
        Ok(Some(self.0.clone()))
    }

    async fn find_by_email(&self, _: &EmailAddress) -> StoreResult<Option<User>> {
        Ok(Some(self.0.clone()))
    }

    async fn register(&self, _: &VerifiedEmail, _: Timestamp) -> StoreResult<Registered> {
        Ok(Registered::Existing(self.0.clone()))
    }
}

// MC20: the lookup folds, and the provider vouches for the address as it is
#[tokio::test]
async fn an_address_that_is_only_alike_is_another() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let store = Arc::new(site.store.clone());
    let weigh = async |user: User| {
        let logins = SocialLogins::new(
            [client(GOOGLE, &site.google)],
            store.clone(),
            Arc::new(Folding(user)),
            store.clone(),
            &roots([1]),
            SocialPolicy::default(),
            site.around.ambient(),
        );
        logins.weigh(&profile, &browser()).await.unwrap()
    };
    let alike = site.proven("al1ce@gmail.com").await;
    assert!(matches!(weigh(alike).await, Weighed::Register(_)));
    let same = site.proven("alice@gmail.com").await;
    assert!(matches!(weigh(same).await, Weighed::Link(_)));
}

/// Writes down all that it is told.
#[derive(Debug, Default)]
struct Log(Mutex<Vec<String>>);

impl EventSink for Log {
    fn record(&self, event: &AuthEvent<'_>) {
        let line = format!(
            "{} {} {} {}",
            event.outcome.name(),
            event.account.map_or("-", AccountId::as_str),
            event.address.map_or("-".to_owned(), EmailAddress::masked),
            event.requester.unwrap().address,
        );
        self.0.lock().unwrap().push(line);
    }
}

// OA19
#[tokio::test]
async fn events_say_whose_account_and_from_where() {
    let site = Site::new();
    let log = Arc::new(Log::default());
    let store = Arc::new(site.store.clone());
    let logins = SocialLogins::new(
        [client(GOOGLE, &site.google)],
        store.clone(),
        store.clone(),
        store,
        &roots([1]),
        SocialPolicy::default(),
        Ambient {
            events: log.clone(),
            ..site.around.ambient()
        },
    );
    let (user, here) = (site.proven("alice@gmail.com").await, browser());
    let under = site.standing(&user.id).await.version;
    let profile = site.profile("google", &alice()).await;
    logins.weigh(&profile, &here).await.unwrap();
    let (stays, id) = (Removed::Stays, &user.id);
    logins
        .link(id, &profile, stays, under, &here)
        .await
        .unwrap();
    logins
        .unlink(id, "google", true, under, &here)
        .await
        .unwrap();
    logins.weigh(&profile, &here).await.unwrap();
    let told = log.0.lock().unwrap().clone();
    let whose = [
        format!("social.accepted {id} a***@gmail.com 203.0.113.7"),
        format!("identity.linked {id} a***@gmail.com 203.0.113.7"),
        format!("identity.unlinked {id} - 203.0.113.7"),
        format!("social.refused {id} a***@gmail.com 203.0.113.7"),
    ];
    assert_eq!(told, whose);
}

#[tokio::test]
async fn what_its_owner_removed_comes_back_by_its_owner_only() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let account = site.sign_in(&profile).await.unwrap();
    let under = site.standing(&account).await.version;
    site.unlink(&account, "google", true).await.unwrap();
    site.outcomes();

    assert_eq!(site.weigh(&profile).await, Weighed::IdentityRemoved);
    let (stays, client) = (Removed::Stays, browser());
    let silent = site.logins.link(&account, &profile, stays, under, &client);
    assert!(matches!(silent.await, Err(SocialError::IdentityRemoved)));
    let removed = Outcome::SocialRefused(Refusal::Removed);
    assert_eq!(site.outcomes(), [removed, removed]);

    assert!(site.link(&account, &profile).await.unwrap());
    assert!(!site.link(&account, &profile).await.unwrap());
    assert_eq!(site.outcomes(), [Outcome::IdentityLinked]);
    assert!(matches!(site.weigh(&profile).await, Weighed::SignIn(_)));
}

// OA17
#[tokio::test]
async fn an_identity_of_somebody_else_stays_where_it_is() {
    let site = Site::new();
    let profile = site.profile("google", &alice()).await;
    let alice = site.sign_in(&profile).await.unwrap();
    let bob = site.proven("bob@example.com").await.id;
    site.outcomes();
    let linked = site.link(&bob, &profile).await;
    assert!(matches!(linked, Err(SocialError::IdentityInUse)));
    let told = Outcome::SocialRefused(Refusal::OfAnother);
    assert_eq!(site.outcomes(), [told]);
    assert_eq!(site.sign_in(&profile).await, Some(alice));
    assert_eq!(site.logins.list(&bob).await.unwrap(), []);
}

// OA14: an owner who is signed in may link it, and nobody is shown an address that may be a lie
#[tokio::test]
async fn an_unverified_address_may_be_linked_and_is_not_kept() {
    let site = Site::new();
    let bob = site.proven("bob@example.com").await.id;
    let person = Person {
        email_verified: EmailVerified::False,
        ..alice()
    };
    let profile = site.profile("google", &person).await;
    assert!(site.link(&bob, &profile).await.unwrap());
    let listed = site.logins.list(&bob).await.unwrap();
    assert_eq!(listed[0].email, None);
    assert_eq!(listed[0].linked_at, site.now());
    assert_eq!(site.sign_in(&profile).await, Some(bob));
}

// SE22
#[tokio::test]
async fn a_link_that_was_wished_before_a_change_is_not_made() {
    let site = Site::new();
    let user = site.unproven("alice@gmail.com");
    let profile = site.profile("google", &alice()).await;
    let before = site.standing(&user.id).await.version;
    site.proven("alice@gmail.com").await;
    let (lifted, client) = (Removed::IsLifted, browser());
    let linked = site
        .logins
        .link(&user.id, &profile, lifted, before, &client);
    assert!(matches!(linked.await, Err(SocialError::AccountChanged)));
    let unlinked = site
        .logins
        .unlink(&user.id, "google", true, before, &client);
    assert!(matches!(unlinked.await, Err(UnlinkError::AccountChanged)));
    let told = Outcome::SocialRefused(Refusal::AccountChanged);
    assert_eq!(site.outcomes(), [told]);
}

// OA18
#[tokio::test]
async fn the_last_way_in_stays() {
    let site = Site::new();
    let account = site.proven("bob@example.com").await.id;
    let unlink = |provider, has_password| site.unlink(&account, provider, has_password);
    let missing = unlink("google", true).await;
    assert!(matches!(missing, Err(UnlinkError::NotLinked)));
    for provider in ["google", "linkedin"] {
        let profile = site.profile(provider, &bob()).await;
        assert!(site.link(&account, &profile).await.unwrap());
    }
    site.outcomes();
    unlink("google", false).await.unwrap();
    assert_eq!(site.outcomes(), [Outcome::IdentityUnlinked]);
    let last = unlink("linkedin", false).await;
    assert!(matches!(last, Err(UnlinkError::Last)));
    assert_eq!(site.outcomes(), []);
    unlink("linkedin", true).await.unwrap();
    assert_eq!(site.logins.list(&account).await.unwrap(), []);
}

// OA18: an identity of a provider that is not offered any more opens nothing
#[tokio::test]
async fn only_configured_providers_are_ways_in() {
    let site = Site::new();
    let account = site.proven("bob@example.com").await.id;
    let under = site.standing(&account).await.version;
    for provider in ["google", "linkedin"] {
        let profile = site.profile(provider, &bob()).await;
        assert!(site.link(&account, &profile).await.unwrap());
    }
    let fewer = site.node(&roots([1]), [client(GOOGLE, &site.google)]);
    let here = browser();
    let last = fewer.unlink(&account, "google", false, under, &here);
    assert!(matches!(last.await, Err(UnlinkError::Last)));
    let dormant = fewer.unlink(&account, "linkedin", false, under, &here);
    dormant.await.unwrap();
}

#[tokio::test]
async fn to_be_strict_is_to_ask_for_a_code_where_the_provider_does_not_host_the_mailbox() {
    let strict = SocialPolicy::default().with_linking(LinkPolicy::strict());
    let site = Site::with(strict, |store| Arc::new(store.clone()));
    let user = site.proven("alice@gmail.com").await;
    let at_linkedin = site.profile("linkedin", &alice()).await;
    assert_eq!(site.weigh(&at_linkedin).await, Weighed::CodeNeeded);

    let at_google = site.profile("google", &alice()).await;
    assert_eq!(site.sign_in(&at_google).await, Some(user.id));
    // The address has passed to somebody else, who has another account at the same provider.
    let successor = Person::new("1002", "alice@gmail.com");
    let successor = site.profile("google", &successor).await;
    assert_eq!(site.weigh(&successor).await, Weighed::CodeNeeded);

    site.outcomes();
    let by_default = LinkPolicy::default();
    let dry = site.logins.weigh_under(&by_default, &successor).await;
    assert!(matches!(dry.unwrap(), Weighed::Link(_)));
    assert_eq!(site.outcomes(), []);
}

// Holds the store in memory to the pure function, row by row.
#[tokio::test]
async fn the_store_decides_as_the_function_does() {
    for removed in [Removed::Stays, Removed::IsLifted] {
        for state in 0..5 {
            let site = Site::new();
            let profile = site.profile("google", &alice()).await;
            let own = site.proven("alice@gmail.com").await.id;
            let other = site.proven("bob@example.com").await.id;
            let (owner, is_removed) = match state {
                0 => (None, false),
                1 | 2 => (Some(&own), state == 2),
                _ => (Some(&other), state == 4),
            };
            if let Some(owner) = owner {
                prepare(&site, owner, &profile, is_removed).await;
            }
            let found = IdentityStore::find(&site.store, profile.identity()).await;
            let judged = judge_link(found.unwrap().as_ref(), &own, removed);
            let new = LinkedIdentity {
                identity: profile.identity().clone(),
                account: own.clone(),
                email: None,
                linked_at: site.now(),
                removed_at: None,
            };
            let under = site.standing(&own).await.version;
            let linked = IdentityStore::link(&site.store, &new, removed, under).await;
            assert_eq!(linked.unwrap(), judged, "{state} {removed:?}");
            let opens = site.sign_in(&profile).await == Some(own);
            let is_own = matches!(judged, Linked::Done | Linked::Already);
            assert_eq!(opens, is_own, "{state} {removed:?}");
        }
    }
}

async fn prepare(site: &Site, owner: &AccountId, profile: &Profile, is_removed: bool) {
    assert!(site.link(owner, profile).await.unwrap());
    if is_removed {
        site.unlink(owner, "google", true).await.unwrap();
    }
}
