//! The fence after a restore, on two stores over one database as if each were a node.

#![allow(dead_code, unreachable_pub)] // each uses some of it

use std::{collections::BTreeSet, time::Duration};

use ps_apikey::{ApiKeyRecord, ApiKeyStore, KeyInserted};
use ps_core::{
    AccountId, AccountVersion, Accounts, ChallengeId, Change, Changes, Cursor, KeyDigest,
    KeyVersion, Lane, LimitRule, Network, StoreResult, SystemRandom, Timestamp, Users,
    VerifiedEmail,
};
use ps_magiccode::{ChallengeStore, Exposure, NewChallenge, Placed, Purpose, SendBudget};
use ps_session::{Advance, Opened, SessionRecord, SessionStore, Which};
use ps_sqlx::Fenced;

use super::records::{DAY, NOW, account, email, key, session};

/// What is tried: the ports, and the fence, which is no port.
pub trait Store: Accounts + ApiKeyStore + ChallengeStore + Changes + SessionStore + Users {
    fn fence(&self, now: Timestamp) -> impl Future<Output = StoreResult<Fenced>> + Send;
}

fn key_of(name: &str, number: u8) -> ApiKeyRecord {
    ApiKeyRecord {
        digest: KeyDigest::from_bytes([number; 32]),
        created_at: NOW.plus(std::time::Duration::from_secs(number.into())),
        ..key(name)
    }
}

async fn insert(store: &impl Store, key: &ApiKeyRecord) {
    let under = store.standing(&key.account).await.unwrap().version;
    let inserted = store.insert(key, under, 25, NOW).await.unwrap();
    assert_eq!(inserted, KeyInserted::Done);
}

async fn place(store: &impl Store, name: &str) -> ChallengeId {
    try_place(store, name, 1_000).await.unwrap()
}

/// If the address was sent fewer mails today.
async fn try_place(store: &impl Store, name: &str, mails: u32) -> Option<ChallengeId> {
    const PLENTY: LimitRule = LimitRule {
        limit: 1_000,
        per: DAY,
    };
    let exposure = Exposure {
        address: PLENTY,
        everywhere: PLENTY,
    };
    let sends = SendBudget {
        hourly: PLENTY,
        daily: LimitRule {
            limit: mails,
            per: DAY,
        },
        address: PLENTY,
    };
    let sends = sends.in_lane(Lane::Network(Network::of([127, 0, 0, 1].into())));
    let new = NewChallenge {
        id: ChallengeId::random(&SystemRandom),
        purpose: Purpose::SignIn,
        email: email(name),
        key_version: KeyVersion::new(1),
        attempts: 5,
        expires_at: NOW.plus(Duration::from_secs(600)),
    };
    let placed = store.place(&new, &exposure, &sends, NOW).await.unwrap();
    matches!(placed, Placed::Send(_)).then_some(new.id)
}

/// Opens it under the version at which its account stands.
async fn open_now(store: &impl Store, name: &str) -> SessionRecord {
    let version = version(store, &account(name)).await;
    let session = SessionRecord {
        version,
        ..session(name)
    };
    let opened = store.open(&session, None, 20, NOW).await.unwrap();
    assert_eq!(opened, Opened::Done { ended: Vec::new() });
    session
}

async fn version(store: &impl Store, id: &AccountId) -> AccountVersion {
    store.standing(id).await.unwrap().version
}

async fn is_carried_on(store: &impl Store, session: &SessionRecord, now: Timestamp) -> bool {
    let advance = Advance {
        family: session.family,
        generation: session.generation,
        key: None,
        idle_ends_at: now.plus(DAY),
    };
    let rotated = SessionStore::rotate(store, &advance, now).await;
    rotated.unwrap().is_some()
}

async fn is_guessed_at(store: &impl Store, id: &ChallengeId, now: Timestamp) -> bool {
    let claimed = store.claim_attempt(id, None, Purpose::SignIn, now).await;
    claimed.unwrap().is_some()
}

// F18
pub async fn nothing_from_before_a_fence_is_carried_on(stores: [impl Store; 2]) {
    let [here, there] = stores;
    let (a, b) = (open_now(&here, "a").await, open_now(&here, "b").await);
    let codes = [place(&here, "a").await, place(&here, "c").await];
    let under = version(&here, &account("a")).await;
    let at = NOW.plus(Duration::from_secs(60));
    let fenced = there.fence(at).await.unwrap();
    assert_eq!((fenced.sessions, fenced.challenges), (2, 2));
    for session in [&a, &b] {
        assert!(!is_carried_on(&here, session, at).await);
        let found = SessionStore::find(&here, Which::Id(&session.id)).await;
        assert_eq!(found.unwrap().unwrap().ended_at, Some(at));
    }
    for code in &codes {
        assert!(!is_guessed_at(&here, code, at).await);
        assert!(!here.consume(code, at).await.unwrap());
    }
    // What was proven before it and arrives after it.
    let late = SessionRecord {
        version: under,
        ..session("a")
    };
    let opened = here.open(&late, None, 20, at).await.unwrap();
    assert_eq!(opened, Opened::AccountChanged);
    let inserted = here.insert(&key_of("a", 1), under, 25, at).await.unwrap();
    assert_eq!(inserted, KeyInserted::AccountChanged);
    // Whoever signs in again is signed in, and a code that is asked for again is good.
    let again = open_now(&here, "a").await;
    assert!(is_carried_on(&here, &again, at).await);
    assert!(is_guessed_at(&here, &place(&here, "a").await, at).await);
}

/// It came between the guess and its use, which then is none.
// F18
pub async fn the_mails_of_a_code_that_a_fence_ended_still_count(stores: [impl Store; 2]) {
    let [here, there] = stores;
    let code = place(&here, "a").await;
    assert!(is_guessed_at(&here, &code, NOW).await);
    there.fence(NOW).await.unwrap();
    assert!(!here.consume(&code, NOW).await.unwrap());
    assert_eq!(try_place(&here, "a", 1).await, None);
    let next = try_place(&here, "a", 2).await.unwrap();
    // And those of a code that was used do not.
    assert!(is_guessed_at(&here, &next, NOW).await);
    assert!(here.consume(&next, NOW).await.unwrap());
    assert!(try_place(&here, "a", 2).await.is_some());
}

/// Its versions and its place in the feed were used by what was lost, and a node that ran on
/// remembers them.
// F18
pub async fn a_node_that_ran_through_the_restore_is_told(stores: [impl Store; 2]) {
    let [here, there] = stores;
    let (a, key) = (open_now(&here, "a").await, key_of("b", 1));
    insert(&here, &key).await;
    let (restored, _) = here.ended_since(NOW).await.unwrap();
    let lost = 100_000;
    let its_place = Cursor::new(restored.number() + lost);
    let its_version = AccountVersion::new(version(&here, &account("a")).await.number() + lost);
    there.fence(NOW).await.unwrap();
    let told = here.since(its_place, u32::MAX).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|(_, change)| change).collect();
    assert_eq!(told, [Change::Session(a.id), Change::Key(key.digest)]);
    let (end, ended) = here.ended_since(NOW).await.unwrap();
    assert_eq!(ended, [a.id]);
    assert!(version(&here, &account("a")).await > its_version);
    // And of what changes next.
    here.disable(&account("b"), NOW).await.unwrap();
    let next = here.since(end, u32::MAX).await.unwrap();
    assert!(
        next.iter()
            .any(|(_, change)| *change == Change::Key(key.digest))
    );
}

// F18
pub async fn the_keys_that_open_something_are_listed_by_owner_and_age(stores: [impl Store; 2]) {
    let [here, there] = stores;
    #[expect(clippy::disallowed_methods, reason = "here the test is the proof")]
    let proof = VerifiedEmail::danger_proven(email("z"), NOW);
    let z = here.register(&proof, NOW).await.unwrap().into_user().id;
    let later = NOW.plus(DAY);
    let used = ApiKeyRecord {
        last_used_at: Some(NOW.plus(DAY / 2)),
        expires_at: Some(later.plus(DAY)),
        ..key_of("0-first", 2)
    };
    let of_z = ApiKeyRecord {
        account: z.clone(),
        ..key_of("z", 1)
    };
    let in_grace = ApiKeyRecord {
        revoked_at: Some(later.plus(DAY)),
        ..key_of("0-first", 9)
    };
    let revoked = ApiKeyRecord {
        revoked_at: Some(NOW),
        ..key_of("0-first", 4)
    };
    let expired = ApiKeyRecord {
        expires_at: Some(later),
        ..key_of("0-first", 5)
    };
    for key in [&in_grace, &of_z, &used, &revoked, &expired] {
        insert(&here, key).await;
    }
    let fenced = there.fence(later).await.unwrap();
    let mut expected = vec![&used, &in_grace, &of_z];
    expected.sort_by_key(|key| (key.account.as_str(), key.created_at));
    let listed: Vec<_> = fenced.keys.iter().map(|key| key.id).collect();
    assert_eq!(
        listed,
        expected.iter().map(|key| key.id).collect::<Vec<_>>()
    );
    for (listed, key) in fenced.keys.iter().zip(expected) {
        let owner = (key.account == z).then(|| email("z"));
        assert_eq!(
            (
                &listed.account,
                &listed.email,
                listed.name.as_str(),
                &listed.hint
            ),
            (&key.account, &owner, key.name.as_str(), &key.hint)
        );
        assert_eq!(
            (listed.created_at, listed.last_used_at, listed.expires_at),
            (key.created_at, key.last_used_at, key.expires_at)
        );
    }
    assert_eq!(fenced.known_until, used.last_used_at);
    // None was revoked by it.
    let found = ApiKeyStore::find(&here, &[used.digest, in_grace.digest]).await;
    let found = found.unwrap().into_iter().map(|key| key.revoked_at);
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        [None, in_grace.revoked_at].into()
    );
}

// F18
pub async fn a_second_fence_finds_nothing_and_says_the_same(stores: [impl Store; 2]) {
    let [here, there] = stores;
    let empty = here.fence(NOW).await.unwrap();
    assert_eq!(
        (empty.sessions, empty.challenges, empty.known_until),
        (0, 0, None)
    );
    open_now(&here, "a").await;
    place(&here, "a").await;
    insert(&here, &key_of("a", 1)).await;
    let at = NOW.plus(Duration::from_secs(60));
    let first = here.fence(at).await.unwrap();
    let second = there.fence(at.plus(Duration::from_secs(1))).await.unwrap();
    assert_eq!((first.sessions, first.challenges), (1, 1));
    assert_eq!((second.sessions, second.challenges), (0, 0));
    assert_eq!(second.keys, first.keys);
    assert_eq!(second.known_until, first.known_until);
}

/// More rows than one statement takes.
// F18
pub async fn however_many_there_are_all_end(stores: [impl Store; 2]) {
    let [here, there] = stores;
    let mut opened = Vec::new();
    for number in 0..2_100 {
        let session = session(&format!("{number}"));
        opened.push(session.id);
        here.open(&session, None, 20, NOW).await.unwrap();
    }
    assert_eq!(there.fence(NOW).await.unwrap().sessions, opened.len());
    let (_, ended) = here.ended_since(NOW).await.unwrap();
    assert_eq!(ended.len(), opened.len());
    let told = here.since(Cursor::default(), u32::MAX).await.unwrap();
    let told: BTreeSet<_> = told
        .into_iter()
        .map(|(_, change)| match change {
            Change::Session(id) => id,
            Change::Key(_) => panic!("there is no key"),
        })
        .collect();
    assert_eq!(told, opened.into_iter().collect());
    let last = version(&here, &account("2099")).await;
    assert!(last > AccountVersion::default());
}
