//! What is deleted when nobody can ask for it any more, and what is not.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{DAY, Folder, NOW, email, open, session};
use ps_core::{
    ChallengeId, Changes, Hit, KeyVersion, Lane, LimitKey, LimitRule, Limiter, Network,
    SystemRandom, Timestamp,
};
use ps_magiccode::{ChallengeStore, Exposure, NewChallenge, Placed, Purpose, SendBudget};
use ps_session::{End, SessionStore};
use ps_sqlx::SqliteStore;
use sqlx::{AssertSqlSafe, Row, query};

const MANY: LimitRule = LimitRule {
    limit: 1_000,
    per: DAY,
};

// MC24
#[tokio::test]
async fn counts_go_when_no_rule_asks_for_them() {
    let folder = Folder::new();
    let store = folder.open().await;
    let three_days = LimitRule {
        per: DAY.saturating_mul(3),
        ..MANY
    };
    for (number, rule) in [MANY, three_days].into_iter().enumerate() {
        for challenge in 0..20 {
            let name = format!("{number}-{challenge}");
            place_and_guess(&store, &name, rule).await;
        }
    }
    let tables = ["ps_challenges", "ps_mails", "ps_guesses"];
    assert_eq!(rows(&folder, tables).await, [40, 40, 80]);
    let steps = [
        (DAY, [0, 40, 80]),
        (DAY + MILLISECOND, [0, 20, 40]),
        (DAY * 3, [0, 20, 40]),
        (DAY * 3 + MILLISECOND, [0, 0, 0]),
    ];
    for (age, left) in steps {
        while ChallengeStore::purge(&store, NOW.plus(age), 7)
            .await
            .unwrap()
            == 7
        {}
        assert_eq!(rows(&folder, tables).await, left, "{age:?}");
    }
}

/// The wrong guess stays counted however often the right one is brought.
// MC5, MC11
#[tokio::test]
async fn a_spent_code_gives_no_guess_back_again() {
    let folder = Folder::new();
    let store = folder.open().await;
    let id = place_and_guess(&store, "a", MANY).await;
    let counts = ["ps_guesses", "ps_mails"];
    assert_eq!(rows(&folder, counts).await, [2, 1]);
    for is_spent in [true, false, false] {
        assert_eq!(store.consume(&id, NOW).await.unwrap(), is_spent);
        assert_eq!(rows(&folder, counts).await, [1, 0]);
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

// MC13
#[tokio::test]
async fn the_limiter_keeps_what_can_be_asked_for() {
    let folder = Folder::new();
    let store = folder.open().await;
    let rule = LimitRule {
        limit: 5,
        per: Duration::from_secs(60),
    };
    for second in 0..500 {
        let hit = Hit::new(LimitKey::new("test", second), rule);
        let now = NOW.plus(Duration::from_secs(second));
        store.hit(&[hit], now).await.unwrap();
        let [kept] = rows(&folder, ["ps_hits"]).await;
        assert!(kept <= 70, "{kept} after {second} s");
    }
    let peek = Hit::peek(LimitKey::new("test", "nobody"), rule);
    store.hit(&[peek], NOW.plus(DAY)).await.unwrap();
    let [kept] = rows(&folder, ["ps_hits"]).await;
    assert_eq!(kept, 70, "who only asks changes nothing");
}

#[tokio::test]
async fn the_feed_and_the_sessions_are_purged_in_batches() {
    let folder = Folder::new();
    let store = folder.open().await;
    for second in 0..10 {
        let session = session("a");
        open(&store, &session).await;
        let now = NOW.plus(Duration::from_secs(second));
        store.end(End::Family(&session.family), now).await.unwrap();
    }
    let alive = session("a");
    open(&store, &alive).await;
    let before = NOW.plus(Duration::from_secs(7));
    for (forgotten, left) in [(5, 5), (2, 3), (0, 3)] {
        assert_eq!(Changes::purge(&store, before, 5).await.unwrap(), forgotten);
        assert_eq!(
            SessionStore::purge(&store, before, 5).await.unwrap(),
            forgotten
        );
        let kept = rows(&folder, ["ps_changes", "ps_sessions"]).await;
        assert_eq!(kept, [left, left + 1]);
    }
}

async fn place_and_guess(store: &SqliteStore, name: &str, rule: LimitRule) -> ChallengeId {
    let new = NewChallenge {
        id: ChallengeId::random(&SystemRandom),
        purpose: Purpose::SignIn,
        email: email(name),
        key_version: KeyVersion::new(1),
        attempts: 5,
        expires_at: NOW.plus(Duration::from_secs(600)),
    };
    let exposure = Exposure {
        address: rule,
        everywhere: rule,
    };
    let sends = SendBudget {
        hourly: rule,
        daily: rule,
        address: rule,
    };
    let sends = sends.in_lane(Lane::Network(Network::of([127, 0, 0, 1].into())));
    let placed = store.place(&new, &exposure, &sends, NOW).await.unwrap();
    assert!(matches!(placed, Placed::Send(_)));
    for _ in 0..2 {
        guess(store, &new, NOW).await;
    }
    new.id
}

async fn guess(store: &SqliteStore, at: &NewChallenge, now: Timestamp) {
    let claimed = store.claim_attempt(&at.id, None, at.purpose, now).await;
    assert!(claimed.unwrap().is_some());
}

async fn rows<const N: usize>(folder: &Folder, tables: [&str; N]) -> [i64; N] {
    let mut connection = folder.connect().await;
    let mut counts = [0; N];
    for (count, table) in counts.iter_mut().zip(tables) {
        let sql = query(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
        *count = sql.fetch_one(&mut connection).await.unwrap().get(0);
    }
    counts
}
