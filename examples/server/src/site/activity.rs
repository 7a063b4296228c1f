//! What happened to an account lately, for its owner.

use std::sync::Arc;

use http::{Method, StatusCode};
use ps_core::AccountId;
use ps_http::{
    Answer, Route, json,
    openapi::{Description, Success},
    rfc3339,
};
use ps_sqlx::{AuditEntry, AuditLog};
use serde::Serialize;
use utoipa::ToSchema;

/// How many events are told at most.
const TOLD: u32 = 200;

/// `GET /api/activity`: the caller's own events, the newest first.
pub(crate) fn route(audit: Arc<AuditLog>) -> Route {
    let route = Route::session(Method::GET, "/api/activity", move |_, caller| {
        let audit = Arc::clone(&audit);
        async move { recent(&audit, &caller.account).await }
    });
    route.described(
        Description::new("listActivity", "List what happened to the account lately")
            .under("Activity")
            .answers(
                Success::new(StatusCode::OK, "The newest events, the newest first.")
                    .with_json::<Body>(serde_json::json!({ "events": [{
                        "at": "2026-11-22T10:00:00Z",
                        "outcome": "key.issued",
                        "reason": null,
                        "subject": "7Tq0mZxQ2cVbN4kLpRsWyA",
                        "network": "192.0.2.0/24",
                    }] })),
            ),
    )
}

#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
struct Body {
    events: Vec<Event>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ActivityEvent)]
struct Event {
    #[schema(format = DateTime)]
    at: String,
    /// What came out, such as `key.issued`.
    outcome: String,
    /// Why it was refused, if it was.
    #[schema(required = true)]
    reason: Option<String>,
    /// The key or session that it is about.
    #[schema(required = true)]
    subject: Option<String>,
    /// Where it was asked for, coarse.
    #[schema(required = true)]
    network: Option<String>,
}

async fn recent(audit: &AuditLog, account: &AccountId) -> Answer {
    let entries = audit.recent(account, TOLD).await?;
    let events = entries.into_iter().map(Event::of).collect();
    Ok(json(StatusCode::OK, &Body { events }))
}

impl Event {
    fn of(entry: AuditEntry) -> Self {
        Self {
            at: rfc3339(entry.at),
            outcome: entry.outcome,
            reason: entry.reason,
            subject: entry.subject,
            network: entry.network,
        }
    }
}
