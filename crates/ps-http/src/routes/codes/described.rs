//! What the OpenAPI document says of magic codes.

use http::StatusCode;
use serde_json::json;

use super::{RequestBody, SentBody, VerifyBody};
use crate::{
    Code, Route,
    edge::Cookie,
    openapi::{Description, Success},
    session_answer::described_sign_in,
};

pub(super) fn codes(
    [ask, verify, register, verify_new]: [Route; 4],
    known_browsers: bool,
) -> [Route; 4] {
    let signed_in = |status, meaning| {
        described_sign_in(status, meaning, known_browsers).clears(Cookie::Challenge)
    };
    [
        ask.described(request(
            "requestSignInCode",
            "Ask for a code to sign in with",
        )),
        verify.described(
            typed("signInWithCode", "Sign in with a code")
                .explained("It never makes an account. Whatever is wrong with the code, the answer is one.")
                .answers(signed_in(StatusCode::OK, "Signed in.")),
        ),
        register.described(request(
            "requestRegistrationCode",
            "Ask for a code to register with",
        )),
        verify_new.described(
            typed("registerWithCode", "Register with a code")
                .explained(
                    "Whoever proves the mailbox may sign in: where the address has an account \
                     already, it is signed in to.",
                )
                .answers(signed_in(StatusCode::CREATED, "The account was made."))
                .answers(signed_in(StatusCode::OK, "The address had an account.")),
        ),
    ]
}

fn request(id: &'static str, summary: &'static str) -> Description {
    let sent = Success::new(
        StatusCode::ACCEPTED,
        "A code is on its way, or was sent lately.",
    )
    .with_json::<SentBody<'static>>(json!({
        "challenge": "8uWzP3kQ1yBnX5cM7rTfLd",
        "code_length": 6,
        "expires_in": 600,
        "resend_in": 60,
    }))
    .sets(Cookie::Challenge, 600);
    Description::new(id, summary)
        .under(TAG)
        .explained(
            "The answer is the same for known and unknown addresses. Naming a live challenge of the \
             same address sends the same code again, once `resend_in` is over.",
        )
        .with_body::<RequestBody>(json!({ "email": "alice@example.com" }))
        .reads(Cookie::Challenge, false)
        .answers(sent)
        .refuses([Code::RateLimited, Code::Unavailable])
}

fn typed(id: &'static str, summary: &'static str) -> Description {
    Description::new(id, summary)
        .under(TAG)
        .with_body::<VerifyBody>(json!({
            "code": "204 816",
            "challenge": "8uWzP3kQ1yBnX5cM7rTfLd",
        }))
        .reads(Cookie::Challenge, false)
        .refuses([
            Code::ChallengeMissing,
            Code::CodeInvalid,
            Code::RateLimited,
            Code::Unavailable,
        ])
}

const TAG: &str = "Magic codes";
