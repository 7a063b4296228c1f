//! What the OpenAPI document says of sessions.

use http::StatusCode;
use serde_json::json;

use super::{CurrentBody, ListBody};
use crate::{
    Code, Route,
    edge::Cookie,
    openapi::{Description, Parameter, Success},
    session_answer::{described as session, described_parts},
};

pub(super) fn sessions(
    [refresh, logout, jwks, current, list, end_others, end]: [Route; 7],
) -> [Route; 7] {
    [
        refresh.described(refreshes()),
        logout.described(
            about("signOut", "Sign out")
                .explained(
                    "Ends the session of the cookie and that of the access token, even an expired \
                     one, whichever is presented.",
                )
                .reads(Cookie::Refresh, false)
                .reads_session()
                .answers(no_content("Signed out.").clears(Cookie::Refresh))
                .refuses([Code::SessionRequired, Code::Unavailable]),
        ),
        jwks.described(jwk_set()),
        current.described(about("readSession", "Look at the session").answers(current_session())),
        list.described(about("listSessions", "List the account's sessions").answers(listed())),
        end_others.described(
            about("endOtherSessions", "End all other sessions")
                .answers(no_content("They are ended.")),
        ),
        end.described(
            about("endSession", "End a session")
                .explained("Ending the current one clears the cookie too.")
                .with_parameter(
                    Parameter::path("id", "The session.", json!({ "type": "string" }))
                        .such_as("4fKq0Zt7cVb2XnLw9RsYpE"),
                )
                .answers(no_content("It is ended."))
                .refuses([Code::NotFound]),
        ),
    ]
}

fn about(id: &'static str, summary: &'static str) -> Description {
    Description::new(id, summary).under("Sessions")
}

fn refreshes() -> Description {
    about("refreshSession", "Trade the refresh token for the next one")
        .explained(
            "The next refresh token comes in the cookie, and the one presented is worth nothing any \
             more. `refresh_invalid` clears the cookie; the others leave it as it is. A front end signs \
             in only once no refresh is under way: an answer that comes behind would take the new \
             cookie away.",
        )
        .with_parameter(
            Parameter::header(
                "Idempotency-Key",
                "A retry with the key of a request whose answer was lost gets that answer again, \
                 within ten minutes.",
                json!({ "type": "string", "pattern": "^[!-~]{8,255}$" }),
            )
            .such_as("0f6c1d9e-7a43-4b52"),
        )
        .reads(Cookie::Refresh, true)
        .answers(session(StatusCode::OK, "Refreshed."))
        .refuses([
            Code::IdempotencyKeyInvalid,
            Code::RefreshInvalid,
            Code::RefreshSuperseded,
            Code::RefreshUnreadable,
            Code::Unavailable,
        ])
}

fn jwk_set() -> Description {
    let answer = Success::new(StatusCode::OK, "A JWK set (RFC 7517).")
        .with_content("application/json")
        .with_header("Cache-Control", "It may be kept.", "public, max-age=300");
    Description::new("readJwks", "The keys that access tokens are signed with")
        .under("Public")
        .answers(answer)
}

fn current_session() -> Success {
    let (session, account) = described_parts();
    Success::new(StatusCode::OK, "The session and its account.")
        .with_json::<CurrentBody<'static>>(json!({ "session": session, "account": account }))
}

fn listed() -> Success {
    let example = json!({
        "sessions": [{
            "id": "4fKq0Zt7cVb2XnLw9RsYpE",
            "created_at": "2026-11-22T10:00:00Z",
            "last_seen_at": "2026-11-22T12:30:00Z",
            "expires_at": "2026-11-29T12:30:00Z",
            "ip": "203.0.113.0/24",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0)",
            "current": true,
        }],
    });
    Success::new(StatusCode::OK, "Those that live.").with_json::<ListBody<'static>>(example)
}

fn no_content(meaning: &'static str) -> Success {
    Success::new(StatusCode::NO_CONTENT, meaning)
}
