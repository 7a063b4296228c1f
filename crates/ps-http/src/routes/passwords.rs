//! Passwords: sign in with one, set or change it.

#[cfg(feature = "openapi")]
mod described;

use std::{pin::Pin, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use ps_core::{EmailAddress, Requester};
use ps_password::{Change, NewPassword, PasswordError, Passwords, TypedPassword};
use ps_session::{Method as How, SessionCaller, SessionError, SessionRecord};
use serde::Deserialize;

use crate::{
    Answer, Call, Code, NetworkLimits, Notices, Occurrence, Problem, Route, edge::Cookie,
    no_content, session_answer::session_answer, sign_in::SignIn,
};

/// How often a change judges again because the account changed meanwhile.
const TRIES: usize = 3;

type Acting = Pin<Box<dyn Future<Output = Answer> + Send>>;

pub(crate) fn passwords(
    passwords: Arc<Passwords>,
    sign_in: SignIn,
    notices: Notices,
    limits: Option<NetworkLimits>,
) -> [Route; 2] {
    #[cfg(feature = "openapi")]
    let known_browsers = sign_in.browsers.is_some();
    let desk = Arc::new(Desk {
        passwords,
        sign_in,
        notices,
        limits,
    });
    let other = Arc::clone(&desk);
    let login = move |call| -> Acting {
        let desk = Arc::clone(&desk);
        Box::pin(async move { desk.login(&call).await })
    };
    let change = move |call, caller| -> Acting {
        let desk = Arc::clone(&other);
        Box::pin(async move { desk.change(&call, &caller).await })
    };
    let rows = [
        Route::public(Method::POST, "/api/auth/login", login).with_json(),
        Route::session(Method::PUT, "/api/auth/password", change).with_json(),
    ];
    #[cfg(feature = "openapi")]
    let rows = described::passwords(rows, known_browsers);
    rows
}

#[derive(Debug)]
struct Desk {
    passwords: Arc<Passwords>,
    sign_in: SignIn,
    notices: Notices,
    limits: Option<NetworkLimits>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Login))]
#[serde(deny_unknown_fields)]
struct LoginBody {
    #[cfg_attr(feature = "openapi", schema(format = Email))]
    email: String,
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    password: String,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PasswordChange))]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    /// Not one of the commonest.
    #[cfg_attr(feature = "openapi", schema(format = Password, min_length = 8, max_length = 128))]
    new_password: String,
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    current_password: Option<String>,
}

impl Desk {
    async fn login(&self, call: &Call) -> Answer {
        let body: LoginBody = call.json()?;
        let email = EmailAddress::parse(&body.email)
            .map_err(|error| Problem::invalid_field("email", error.to_string()))?;
        let typed = TypedPassword::new(body.password);
        let requester = self.sign_in.requester(call, &email).await?;
        let limits = self.limits.as_ref();
        let limits = limits.filter(|_| !requester.lane(&email).is_known());
        let (from, now) = (requester.address, self.sign_in.ambient.clock.now());
        if let Some(limits) = limits {
            limits.admit_after_failures(from, now).await?;
        }
        let answer = self.sign_in(call, &email, &typed, &requester).await;
        if let Err(problem) = &answer
            && problem.code() == Code::CredentialsInvalid
        {
            self.sign_in.note_failure(&email).await;
            if let Some(limits) = limits {
                limits.note_failure(from, now).await?;
            }
        }
        answer
    }

    /// Whatever is wrong, an unknown address included, costs the same and is answered the same.
    async fn sign_in(
        &self,
        call: &Call,
        email: &EmailAddress,
        typed: &TypedPassword,
        requester: &Requester,
    ) -> Answer {
        let refuse = || Problem::new(Code::CredentialsInvalid);
        let candidate = self.sign_in.candidate(email).await?;
        let account = candidate.as_ref().map(|candidate| &candidate.user.id);
        self.passwords
            .verify(email, account, typed, requester)
            .await
            .map_err(problem)?;
        let candidate = candidate.ok_or_else(refuse)?;
        let sessions = &self.sign_in.sessions;
        let replaces = call.cookie(Cookie::Refresh);
        let replaces = replaces.and_then(|text| sessions.read_refresh(text).ok());
        let (id, under) = (&candidate.user.id, candidate.standing.version);
        let opening = sessions.open(id, under, How::Password, replaces.as_ref(), requester);
        let open = opening.await.map_err(|error| match error {
            SessionError::Store(error) => error.into(),
            _ => refuse(),
        })?;
        let (user, secure) = (&candidate.user, call.is_secure());
        self.sign_in.note_success(user, requester).await;
        let mut response = session_answer(StatusCode::OK, &open, user, secure);
        self.sign_in.remember(call, &open, user, &mut response);
        Ok(response)
    }

    async fn change(&self, call: &Call, caller: &SessionCaller) -> Answer {
        let body: ChangeBody = call.json()?;
        let new = NewPassword::parse(body.new_password)
            .map_err(|error| Problem::invalid_field("new_password", error.to_string()))?;
        let current = body.current_password.map(TypedPassword::new);
        for _ in 0..TRIES {
            let session = self.sign_in.sessions.confirm(caller).await?;
            let user = self.sign_in.users.find(&caller.account).await?;
            let user = user.ok_or_else(|| Problem::refused(Code::SessionInvalid))?;
            let change = Change {
                account: &caller.account,
                address: &user.email,
                keep: Some(&session.id),
                under: session.version,
                authenticated_at: session.authenticated_at,
                by_mailbox_or_provider: is_proof_of_the_person(&session),
                current: current.as_ref(),
            };
            let requester = self.sign_in.requester(call, &user.email).await?;
            match self.passwords.change(change, &new, &requester).await {
                Err(PasswordError::AccountChanged) => {}
                Err(error) => return Err(problem(error)),
                Ok(_) => {
                    self.sign_in.follower.catch_up().await;
                    self.notices
                        .tell(&user, Occurrence::PasswordChanged, &requester);
                    return Ok(no_content());
                }
            }
        }
        Err(Problem::refused(Code::SessionInvalid))
    }
}

/// Whether the session was made by something else than a password, which whoever knows the password
/// need not have.
fn is_proof_of_the_person(session: &SessionRecord) -> bool {
    matches!(session.method, How::MagicCode | How::Social)
}

fn problem(error: PasswordError) -> Problem {
    match error {
        PasswordError::AccountChanged => Problem::refused(Code::SessionInvalid),
        PasswordError::Busy => Problem::new(Code::Unavailable),
        PasswordError::CurrentWrong => Problem::new(Code::CurrentPasswordWrong),
        PasswordError::Denied => Problem::new(Code::CredentialsInvalid),
        PasswordError::ReauthenticationRequired => Problem::new(Code::ReauthenticationRequired),
        PasswordError::Store(error) => error.into(),
        PasswordError::Throttled { retry_after } => {
            Problem::rate_limited("passwords", 10, Duration::from_secs(3_600), retry_after)
        }
        _ => Problem::new(Code::InternalError),
    }
}
