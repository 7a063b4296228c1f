//! The judgement of refresh tokens: the same on the head as the store's statement, and safe against
//! a thief in every order of events.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{DAY, MINUTE, SECOND};
use proptest::prelude::*;
use ps_core::{
    AccountId, AccountVersion, Accounts, Refusal, SessionId, Standing, SystemRandom, Timestamp,
};
use ps_memory::MemoryStore;
use ps_session::{
    Advance, End, FamilyDigest, Method, Opened, Presented, RotationKey, SessionPolicy,
    SessionRecord, SessionStore, Verdict, Which, judge_refresh,
};

const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);

fn key(name: u8) -> RotationKey {
    RotationKey::from_bytes([name; 32])
}

fn row() -> SessionRecord {
    SessionRecord {
        id: SessionId::random(&SystemRandom),
        account: AccountId::new("alice").unwrap(),
        version: AccountVersion::default(),
        family: FamilyDigest::from_bytes([7; 32]),
        generation: 0,
        rotation_key: None,
        rotation_key_before: None,
        method: Method::MagicCode,
        authenticated_at: NOW,
        refreshed_at: NOW,
        idle_ends_at: NOW.plus(7 * DAY),
        ends_at: NOW.plus(30 * DAY),
        ended_at: None,
        network: "203.0.113.0/24".to_owned(),
        user_agent: None,
    }
}

/// What befell the account or the session before the token is presented.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Disabled,
    DisabledAndEnabled,
    Ended,
    OthersEnded,
    EndedWithOthers,
}

fn before() -> impl Strategy<Value = Before> {
    prop_oneof![
        4 => Just(Before::Nothing),
        1 => Just(Before::Disabled),
        1 => Just(Before::DisabledAndEnabled),
        1 => Just(Before::Ended),
        1 => Just(Before::OthersEnded),
        1 => Just(Before::EndedWithOthers),
    ]
}

proptest! {
    // SE15
    #[test]
    fn the_head_is_what_the_statement_advances(
        generation in 0u32..4,
        presented in 0u32..5,
        keys in prop::array::uniform3(prop::option::of(0u8..2)),
        idle in -1i64..=1,
        absolute in -1i64..=1,
        before in before(),
    ) {
        let [made_by, made_before, sent] = keys.map(|name| name.map(key));
        let row = SessionRecord {
            generation,
            rotation_key: made_by,
            rotation_key_before: made_before,
            idle_ends_at: Timestamp::from_millis(NOW.as_millis() + idle),
            ends_at: Timestamp::from_millis(NOW.as_millis() + absolute),
            ..row()
        };
        let presented = Presented { generation: presented, key: sent };
        block_on(agree(&row, &presented, before));
    }
}

/// Holds function and statement together on one row.
async fn agree(row: &SessionRecord, presented: &Presented, before: Before) {
    let store = MemoryStore::new();
    let earlier = NOW.minus(MINUTE);
    let opened = store.open(row, None, 20, earlier).await.unwrap();
    assert!(matches!(opened, Opened::Done { .. }));
    befall(&store, row, before, earlier).await;

    let found = store
        .find(Which::Family(&row.family))
        .await
        .unwrap()
        .unwrap();
    let standing = store.standing(&row.account).await.unwrap();
    let policy = SessionPolicy::default();
    let verdict = judge_refresh(presented, Some((&found, &standing)), &policy, NOW);
    let advance = Advance {
        family: row.family,
        generation: presented.generation,
        key: presented.key,
        idle_ends_at: NOW.plus(DAY),
    };
    let advanced = store.rotate(&advance, NOW).await.unwrap();
    assert_eq!(advanced.is_some(), verdict == Verdict::Head, "{verdict:?}");

    let expected = match verdict {
        Verdict::Head => advanced_once(&found, &advance),
        _ => found,
    };
    let after = store.find(Which::Family(&row.family)).await.unwrap();
    assert_eq!(after, Some(expected.clone()));
    assert!(advanced.is_none_or(|row| row == expected));
}

async fn befall(store: &MemoryStore, row: &SessionRecord, what: Before, now: Timestamp) {
    let account = &row.account;
    match what {
        Before::Nothing => {}
        Before::Disabled => assert!(store.disable(account, now).await.unwrap()),
        Before::DisabledAndEnabled => {
            assert!(store.disable(account, now).await.unwrap());
            assert!(store.enable(account, now).await.unwrap());
        }
        Before::Ended => {
            store
                .end(End::Family(&row.family), now)
                .await
                .unwrap()
                .unwrap();
        }
        Before::OthersEnded => {
            let others = End::Others(account, &row.id);
            store.end(others, now).await.unwrap().unwrap();
        }
        Before::EndedWithOthers => {
            store.end(End::All(account), now).await.unwrap().unwrap();
        }
    }
}

fn advanced_once(row: &SessionRecord, advance: &Advance) -> SessionRecord {
    SessionRecord {
        generation: row.generation + 1,
        rotation_key: advance.key,
        rotation_key_before: row.rotation_key,
        refreshed_at: NOW,
        idle_ends_at: advance.idle_ends_at,
        ..row.clone()
    }
}

/// A session, its client and a thief who may copy what the client holds.
#[derive(Clone, Debug)]
struct World {
    now: Timestamp,
    row: SessionRecord,
    /// The generation that the client holds.
    client: u32,
    /// The key of a refresh whose answer the client has not seen, as the client keeps it.
    unanswered: Option<RotationKey>,
    /// The generation that the thief holds.
    thief: Option<u32>,
    keys: u8,
    /// The thief used what the client holds.
    stolen: bool,
    /// Something happened for which the session may end.
    may_be_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The client refreshes, or asks again for the answer that it lost.
    ClientRefreshes,
    /// The same, and the answer is lost.
    ClientLosesTheAnswer,
    ThiefCopies,
    ThiefPresents,
    Wait(u64),
}

const ACTS: [Act; 6] = [
    Act::ClientRefreshes,
    Act::ClientLosesTheAnswer,
    Act::ThiefCopies,
    Act::ThiefPresents,
    Act::Wait(11),
    Act::Wait(601),
];

impl World {
    fn new() -> Self {
        Self {
            now: NOW,
            row: row(),
            client: 0,
            unanswered: None,
            thief: None,
            keys: 0,
            stolen: false,
            may_be_over: false,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Wait(seconds) => self.now = self.now.plus(Duration::from_secs(seconds)),
            Act::ThiefCopies => self.thief = Some(self.client),
            Act::ThiefPresents => self.thief_presents(),
            Act::ClientRefreshes => self.client_presents(true),
            Act::ClientLosesTheAnswer => self.client_presents(false),
        }
    }

    fn client_presents(&mut self, answered: bool) {
        let key = self.unanswered.unwrap_or_else(|| self.fresh_key());
        let age = self.now.since(self.row.refreshed_at);
        let verdict = self.present(self.client, key);
        match verdict {
            Verdict::Head | Verdict::Repeated => {
                assert!(!self.stolen, "the thief was not found out: {self:?}");
                if answered {
                    self.client = self.row.generation;
                }
            }
            Verdict::Superseded => assert!(self.stolen && age <= 10 * SECOND, "{self:?}"),
            Verdict::Replayed => {
                let late = age > 10 * MINUTE && self.unanswered.is_some();
                assert!(
                    self.stolen || late,
                    "an honest client was signed out: {self:?}"
                );
                self.may_be_over = true;
            }
            Verdict::Refused(why) => {
                assert_eq!(why, Refusal::Ended);
                assert!(self.may_be_over, "{self:?}");
            }
            Verdict::Ahead => panic!("{self:?}"),
        }
        let keeps = !answered || matches!(verdict, Verdict::Superseded);
        self.unanswered = keeps.then_some(key);
    }

    fn thief_presents(&mut self) {
        let Some(generation) = self.thief else {
            return;
        };
        self.may_be_over = true;
        let key = self.fresh_key();
        let head = self.row.generation;
        match self.present(generation, key) {
            Verdict::Head => {
                assert_eq!(
                    generation, head,
                    "an old token was worth a new one: {self:?}"
                );
                self.stolen |= generation == self.client;
                self.thief = Some(self.row.generation);
            }
            Verdict::Repeated => panic!("the thief guessed a key: {self:?}"),
            Verdict::Superseded => assert_eq!(self.row.generation, head),
            Verdict::Replayed => assert!(self.row.ended_at.is_some()),
            Verdict::Refused(why) => assert_eq!(why, Refusal::Ended),
            Verdict::Ahead => panic!("{self:?}"),
        }
    }

    /// Does what the service does.
    fn present(&mut self, generation: u32, key: RotationKey) -> Verdict {
        let presented = Presented {
            generation,
            key: Some(key),
        };
        let (standing, policy) = (Standing::default(), SessionPolicy::default());
        let found = Some((&self.row, &standing));
        let verdict = judge_refresh(&presented, found, &policy, self.now);
        match verdict {
            Verdict::Head => {
                self.row.generation += 1;
                self.row.rotation_key_before = self.row.rotation_key.replace(key);
                self.row.refreshed_at = self.now;
            }
            Verdict::Replayed => self.row.ended_at = Some(self.now),
            _ => {}
        }
        verdict
    }

    fn fresh_key(&mut self) -> RotationKey {
        self.keys += 1;
        key(self.keys)
    }
}

// SE15: every order of eight events
#[test]
fn a_thief_is_found_out_and_an_honest_client_is_not_signed_out() {
    fn explore(world: &World, left: u32, seen: &mut u32) {
        *seen += 1;
        if left == 0 {
            return;
        }
        for act in ACTS {
            let mut next = world.clone();
            next.act(act);
            explore(&next, left - 1, seen);
        }
    }
    let mut seen = 0;
    explore(&World::new(), 8, &mut seen);
    assert_eq!(seen, (6u32.pow(9) - 1) / 5);
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}
