//! What the OpenAPI document says of social sign-in.

use http::StatusCode;
use serde_json::json;
use utoipa::{PartialSchema, ToSchema};

use super::{BegunBody, LinkBody, ListBody};
use crate::{
    Code, Route,
    edge::Cookie,
    openapi::{Description, Parameter, Success},
};

/// A path of this site: one `/`, behind which stands neither `/` nor `\`, and nothing but visible
/// ASCII without `#`, all that decoded too.
#[derive(ToSchema)]
#[schema(
    max_length = 512,
    pattern = r#"^/(?![/\\]|%2[fF]|%5[cC])([!-"$&-~]|%(?![01][0-9a-fA-F]|2[03]|7[fF]|[89a-fA-F][0-9a-fA-F]))*$"#
)]
#[expect(dead_code, reason = "it is a schema only")]
pub(super) struct ReturnPath(String);

pub(super) fn social([begin, callback, link, unlink, list]: [Route; 5]) -> [Route; 5] {
    [
        begin.described(
            about("beginSocialSignIn", "Leave for a provider")
                .with_parameter(provider())
                .with_parameter(
                    Parameter::query(
                        "return_to",
                        "A path of this site, where the browser goes when it is signed in; `/` where \
                         none is named.",
                        json!(ReturnPath::schema()),
                    )
                    .such_as("/settings?tab=security"),
                )
                .answers(
                    redirect(
                        "On to the provider, with the attempt in a cookie.",
                        "https://accounts.google.com/o/oauth2/v2/auth?client_id=…",
                    )
                    .sets(ATTEMPT, 600),
                )
                .refuses([
                    Code::ProviderUnavailable,
                    Code::ProviderUnknown,
                    Code::ReturnToInvalid,
                    Code::Unavailable,
                ]),
        ),
        callback.described(returns()),
        link.described(
            about("beginLink", "Leave for a provider, to link it")
                .with_parameter(provider())
                .with_body::<LinkBody>(json!({ "return_to": "/settings" }))
                .answers(
                    Success::new(StatusCode::OK, "Send the browser there; the attempt is in a cookie.")
                        .with_json::<BegunBody<'static>>(json!({
                            "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth?client_id=1",
                        }))
                        .sets(ATTEMPT, 600),
                )
                .refuses([
                    Code::ProviderUnavailable,
                    Code::ProviderUnknown,
                    Code::ReturnToInvalid,
                ]),
        ),
        unlink.described(
            about("unlink", "Unlink a provider")
                .with_parameter(provider())
                .answers(Success::new(StatusCode::NO_CONTENT, "It is unlinked."))
                .refuses([Code::LastSignInMethod, Code::ProviderNotLinked]),
        ),
        list.described(about("listIdentities", "List the ways to sign in").answers(listed())),
    ]
}

fn about(id: &'static str, summary: &'static str) -> Description {
    Description::new(id, summary).under("Social sign-in")
}

fn provider() -> Parameter {
    Parameter::path(
        "provider",
        "The provider's name.",
        json!({ "type": "string" }),
    )
    .such_as("google")
}

const ATTEMPT: Cookie<'static> = Cookie::Attempt("{provider}");

fn redirect(meaning: &'static str, to: &'static str) -> Success {
    Success::new(StatusCode::SEE_OTHER, meaning).with_header("Location", "Where to.", to)
}

fn returns() -> Description {
    let query = |name, meaning| Parameter::query(name, meaning, json!({ "type": "string" }));
    about("finishSocialSignIn", "Come back from a provider")
        .explained(
            "A person is looking, so whatever happens ends on a page. A sign-in that went well goes \
             to its `return_to`, with `Set-Cookie` for the refresh token, and \
             for the cookie by which the browser is known again where the service keeps one; one that did not goes to \
             `/sign-in?error=<code>`. A link goes to its `return_to`, with `error=<code>` in the \
             query where it did not go well, and changes no session. These codes are \
             `access_denied`, `account_disabled`, `attempt_invalid`, `attempt_used`, `code_needed`, \
             `email_unverified`, `id_token_invalid`, `identity_in_use`, `identity_removed`, \
             `provider_error`, `provider_unavailable` and `session_invalid`.",
        )
        .with_parameter(provider())
        .with_parameter(query("code", "What the provider gives (RFC 6749 §4.1.2)."))
        .with_parameter(query("state", "What it was given."))
        .with_parameter(query("error", "Why it gives nothing (RFC 6749 §4.1.2.1)."))
        .with_parameter(query("iss", "Who it is (RFC 9207)."))
        .reads(ATTEMPT, false)
        .answers(redirect(
            "On to a page of the application.",
            "https://app.example.com/settings",
        ))
        .refuses([Code::ProviderUnknown])
}

fn listed() -> Success {
    let example = json!({
        "identities": [{
            "provider": "google",
            "email": "alice@example.com",
            "linked_at": "2026-11-22T10:00:00Z",
        }],
        "has_password": false,
    });
    Success::new(StatusCode::OK, "What is linked.").with_json::<ListBody>(example)
}
