//! Magic codes: ask for one, sign in or sign up with it.

#[cfg(feature = "openapi")]
mod described;

use std::{pin::Pin, sync::Arc, time::Duration};

use http::{Method, StatusCode, header};
use ps_core::{ChallengeId, EmailAddress};
use ps_magiccode::{CodeError, MagicCodes, Purpose, Requested, TypedCode};
use ps_session::{Method as How, SessionError};
use serde::{Deserialize, Serialize};

use crate::{
    Answer, Call, Code, NetworkLimits, Problem, Route,
    edge::Cookie,
    json,
    session_answer::session_answer,
    sign_in::{SignIn, SignedIn},
};

type Acting = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub(crate) fn codes(
    codes: Arc<MagicCodes>,
    sign_in: SignIn,
    limits: Option<NetworkLimits>,
) -> [Route; 4] {
    let sign_in = Arc::new(sign_in);
    #[cfg(feature = "openapi")]
    let known_browsers = sign_in.browsers.is_some();
    let desk = Desk {
        codes,
        sign_in,
        limits,
    };
    let on = |path, act: fn(Desk, Call) -> Acting| {
        let desk = desk.clone();
        Route::public(Method::POST, path, move |call| act(desk.clone(), call)).with_json()
    };
    let rows = [
        on("/api/auth/magic-code", |d, call| {
            Box::pin(d.request(call, Purpose::SignIn))
        }),
        on("/api/auth/magic-code/verify", |d, call| {
            Box::pin(d.verify(call, Purpose::SignIn))
        }),
        on("/api/auth/register-magic", |d, call| {
            Box::pin(d.request(call, Purpose::Register))
        }),
        on("/api/auth/register-magic/verify", |d, call| {
            Box::pin(d.verify(call, Purpose::Register))
        }),
    ];
    #[cfg(feature = "openapi")]
    let rows = described::codes(rows, known_browsers);
    rows
}

#[derive(Clone, Debug)]
struct Desk {
    codes: Arc<MagicCodes>,
    sign_in: Arc<SignIn>,
    limits: Option<NetworkLimits>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CodeRequest))]
#[serde(deny_unknown_fields)]
struct RequestBody {
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    email: String,
    /// One that was given before and may still live; else the cookie's.
    challenge: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CodeSent))]
struct SentBody<'a> {
    challenge: &'a str,
    code_length: u8,
    /// Seconds.
    expires_in: u64,
    /// Seconds.
    resend_in: u64,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CodeTyped))]
#[serde(deny_unknown_fields)]
struct VerifyBody {
    /// Spaces and hyphens are ignored.
    code: String,
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    email: Option<String>,
    /// The one that the code was sent for; else the cookie's.
    challenge: Option<String>,
}

impl Desk {
    /// The same for known and unknown addresses: whether there is an account is looked up when the
    /// mail is written, not here.
    async fn request(self, call: Call, purpose: Purpose) -> Answer {
        let body: RequestBody = call.json()?;
        let email = read_email(&body.email)?;
        let requester = self.sign_in.requester(&call, &email).await?;
        if let (Some(limits), false) = (&self.limits, requester.lane(&email).is_known()) {
            let now = self.sign_in.ambient.clock.now();
            limits.admit_request(requester.address, now).await?;
        }
        let named = named(&call, body.challenge.as_deref());
        let named = named.and_then(|text| text.parse().ok());
        let requesting = self
            .codes
            .request(&email, purpose, named.as_ref(), &requester);
        let Requested {
            challenge,
            code_length,
            expires_in,
            resend_in,
        } = requesting.await.map_err(problem)?;
        let body = SentBody {
            challenge: challenge.as_str(),
            code_length,
            expires_in: seconds(expires_in),
            resend_in: seconds(resend_in),
        };
        let mut response = json(StatusCode::ACCEPTED, &body);
        let cookie = Cookie::Challenge.set(call.is_secure(), challenge.as_str(), expires_in);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    async fn verify(self, call: Call, purpose: Purpose) -> Answer {
        let body: VerifyBody = call.json()?;
        let challenge = named(&call, body.challenge.as_deref());
        let challenge = challenge.ok_or_else(|| Problem::new(Code::ChallengeMissing))?;
        let email = body.email.as_deref().map(read_email).transpose()?;
        // Whose network is not counted has to say for which address, and guesses at its codes only.
        let is_known = match &email {
            Some(email) => self
                .sign_in
                .requester(&call, email)
                .await?
                .lane(email)
                .is_known(),
            None => false,
        };
        let limits = self.limits.as_ref().filter(|_| !is_known);
        let from = call.requester().address;
        let now = self.sign_in.ambient.clock.now();
        if let Some(limits) = limits {
            limits.admit_guess(from, now).await?;
        }
        let signing_in = self.redeem(&call, challenge, email.as_ref(), purpose, &body.code);
        let SignedIn {
            open, user, new, ..
        } = match signing_in.await {
            Err(problem) => {
                if let (Some(limits), Code::CodeInvalid) = (limits, problem.code()) {
                    limits.note_failure(from, now).await?;
                }
                return Err(problem);
            }
            Ok(signed_in) => signed_in,
        };
        let status = if new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let mut response = session_answer(status, &open, &user, call.is_secure());
        let spent = Cookie::Challenge.clear(call.is_secure());
        response.headers_mut().append(header::SET_COOKIE, spent);
        self.sign_in.remember(&call, &open, &user, &mut response);
        Ok(response)
    }

    /// Claims an attempt, reads where the account stands, and only then compares.
    async fn redeem(
        &self,
        call: &Call,
        challenge: &str,
        email: Option<&EmailAddress>,
        purpose: Purpose,
        code: &str,
    ) -> Result<SignedIn, Problem> {
        let refuse = || Problem::new(Code::CodeInvalid);
        let challenge: ChallengeId = challenge.parse().map_err(|_| refuse())?;
        let code = TypedCode::parse(code).map_err(|_| refuse())?;
        let requester = call.requester();
        let claiming = self.codes.claim(&challenge, email, purpose, requester);
        let claim = claiming.await.map_err(problem)?;
        let address = claim.email().clone();
        let candidate = self.sign_in.candidate(&address).await?;
        let standing = candidate.as_ref().map(|candidate| &candidate.standing);
        let (cookie, requester) = (call.cookie(Cookie::Device), requester.clone());
        let requester = self.sign_in.known(cookie, requester, &address, standing);
        let proof = match self.codes.redeem(claim, &code, &requester).await {
            Err(error) => {
                if let CodeError::Denied = error {
                    self.sign_in.note_failure(&address).await;
                }
                return Err(problem(error));
            }
            Ok(proof) => proof,
        };
        let replaces = call.cookie(Cookie::Refresh);
        let replaces = replaces.and_then(|text| self.sign_in.sessions.read_refresh(text).ok());
        let register = purpose == Purpose::Register;
        let signed_in = self
            .sign_in
            .by_mailbox(
                &proof,
                candidate,
                register,
                How::MagicCode,
                replaces.as_ref(),
                &requester,
            )
            .await
            .map_err(|error| match error {
                SessionError::Store(error) => error.into(),
                _ => refuse(),
            })?;
        if !signed_in.first {
            self.sign_in.note_success(&signed_in.user, &requester).await;
        }
        Ok(signed_in)
    }
}

/// The challenge that a request names: in its body, or else in its cookie.
fn named<'a>(call: &'a Call, in_body: Option<&'a str>) -> Option<&'a str> {
    in_body.or_else(|| call.cookie(Cookie::Challenge))
}

fn read_email(text: &str) -> Result<EmailAddress, Problem> {
    EmailAddress::parse(text).map_err(|error| Problem::invalid_field("email", error.to_string()))
}

fn problem(error: CodeError) -> Problem {
    match error {
        CodeError::Denied => Problem::new(Code::CodeInvalid),
        CodeError::Store(error) => error.into(),
        CodeError::Throttled { rule, retry_after } => {
            let is_short = rule.per <= Duration::from_secs(3_600);
            let name = if is_short { "mails" } else { "mails-a-day" };
            Problem::rate_limited(name, rule.limit, rule.per, retry_after)
        }
        _ => Problem::new(Code::InternalError),
    }
}

/// Whole seconds, rounded up: nobody is told to come back too soon.
fn seconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
