//! What is kept of outcomes.

use std::{sync::Arc, time::Duration};

use ps_core::{AuthEvent, Clock, EventSink, Outcome, Requester, SessionId, SystemRandom};
use ps_sqlx::AuditLog;
use ps_testkit::ManualClock;
use tokio::time::sleep;

use crate::{
    records::{DAY, NOW, account, email},
    schema::Schema,
};

// OP2
pub(crate) async fn outcomes_are_kept_and_forgotten(schema: Schema) {
    let clock = ManualClock::new(NOW);
    let store = schema.open().await.with_clock(Arc::new(clock.clone()));
    let log = Arc::new(AuditLog::new(store));
    let (alice, address) = (account("alice"), email("alice"));
    let who = Requester::new([203, 0, 113, 77].into()).with_request_id("request-1");
    let session = SessionId::random(&SystemRandom);
    for number in (1..=500).rev() {
        let at = NOW.minus(Duration::from_millis(number));
        let event = AuthEvent::new(Outcome::SessionOpened(session), at);
        log.record(&event.of(&alice).to(&address).by(&who));
    }
    log.flush().await.unwrap();
    let kept = log.recent(&alice, 1_000).await.unwrap();
    assert_eq!(kept.len(), 500);
    assert!(kept.is_sorted_by(|one, next| one.at > next.at));
    assert_eq!(kept[0].outcome, "session.opened");
    assert_eq!(kept[0].reason, None);
    assert_eq!(kept[0].subject, Some(session.to_string()));
    assert_eq!(kept[0].network.as_deref(), Some("203.0.113.0/24"));

    let running = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.run().await }
    });
    // It writes what comes, and forgets the 500 when they are 90 days old.
    for (waited, kept) in [(Duration::ZERO, 501), (DAY * 90, 2)] {
        clock.advance(waited);
        log.record(&AuthEvent::new(Outcome::CodeAccepted, clock.now()).of(&alice));
        while log.recent(&alice, 1_000).await.unwrap().len() != kept {
            sleep(Duration::from_millis(10)).await;
        }
    }
    running.abort();
}
