//! The callback: what a provider's answer says, once it is known to belong to this browser.

use std::{fmt, time::Duration};

use form_urlencoded::parse;
use ps_core::{Refusal, Timestamp};
use zeroize::Zeroizing;

use crate::{Attempt, CallbackError, SocialError, attempt::Attempts, failure::ProviderError};

/// No provider's code or state comes near it.
const LONGEST: usize = 2_048;

/// The answer of a provider to an attempt of this browser: read, and not exchanged yet.
pub struct Callback {
    pub(crate) provider: String,
    pub(crate) attempt: Attempt,
    pub(crate) code: Zeroizing<String>,
    pub(crate) iss: Option<String>,
}

impl Callback {
    /// The attempt that it answers.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Judges what came to the callback of `provider`.
    pub(crate) fn read(
        attempts: &Attempts,
        provider: &str,
        cookie: Option<&str>,
        query: &str,
        life: Duration,
        now: Timestamp,
    ) -> Result<Self, CallbackError> {
        let strange = |refusal| CallbackError {
            why: SocialError::AttemptInvalid,
            attempt: None,
            refusal,
        };
        let cookie = cookie.ok_or_else(|| strange(Refusal::Unknown))?;
        let attempt = attempts.read(provider, cookie).map_err(strange)?;
        let query = Query::read(query);
        match &query.state {
            Parameter::Given(state) if attempt.is_state(state) => {}
            Parameter::Given(_) => return Err(strange(Refusal::Wrong)),
            Parameter::Absent | Parameter::Unusable => return Err(strange(Refusal::Malformed)),
        }
        let answered = match attempt.untimely(life, now) {
            Some(refusal) => Err((SocialError::AttemptInvalid, refusal)),
            None => answer(query),
        };
        match answered {
            Ok((code, iss)) => Ok(Self {
                provider: provider.to_owned(),
                attempt,
                code,
                iss,
            }),
            Err((why, refusal)) => Err(CallbackError {
                why,
                attempt: Some(Box::new(attempt)),
                refusal,
            }),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("provider", &self.provider)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// One parameter of the query. None may come twice (RFC 6749 §3.1).
#[derive(Debug, Default, PartialEq, Eq)]
enum Parameter {
    #[default]
    Absent,
    /// Given once, and in a form in which it could be good.
    Given(Zeroizing<String>),
    /// Given twice, empty, too long, or not in visible ASCII (RFC 6749 §A.11, §A.5).
    Unusable,
}

impl Parameter {
    fn add(&mut self, value: &str) {
        let usable = (1..=LONGEST).contains(&value.len())
            && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        *self = match self {
            Self::Absent if usable => Self::Given(Zeroizing::new(value.to_owned())),
            _ => Self::Unusable,
        };
    }
}

/// What a callback says, before anything of it is believed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    code: Parameter,
    error: Parameter,
    iss: Parameter,
    state: Parameter,
}

impl Query {
    /// Reads the query as it stands in the URL. What it holds besides is not looked at.
    fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (name, value) in parse(text.as_bytes()) {
            match &*name {
                "code" => query.code.add(&value),
                "error" => query.error.add(&value),
                "iss" => query.iss.add(&value),
                "state" => query.state.add(&value),
                _ => {}
            }
        }
        query
    }
}

/// The code, and who says to have issued it (RFC 9207 §2.4).
type Answer = (Zeroizing<String>, Option<String>);

/// What the provider answers to the attempt that the query belongs to.
fn answer(query: Query) -> Result<Answer, (SocialError, Refusal)> {
    let invalid = (SocialError::AttemptInvalid, Refusal::Malformed);
    let iss = match query.iss {
        Parameter::Absent => None,
        Parameter::Given(iss) => Some((*iss).clone()),
        Parameter::Unusable => return Err(invalid),
    };
    match (query.error, query.code) {
        (Parameter::Absent, Parameter::Given(code)) => Ok((code, iss)),
        (Parameter::Given(error), _) if is_called_off(&error) => {
            Err((SocialError::AccessDenied, Refusal::Cancelled))
        }
        (Parameter::Given(_), _) => {
            let said = ProviderError::Refused("an error in the callback");
            Err((said.into(), Refusal::ProviderFailed))
        }
        _ => Err(invalid),
    }
}

/// Whether this error says that the person called it off (RFC 6749 §4.1.2.1; the other two are
/// LinkedIn's).
fn is_called_off(error: &str) -> bool {
    matches!(
        error,
        "access_denied" | "user_cancelled_authorize" | "user_cancelled_login"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(text: &str) -> Parameter {
        Parameter::Given(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_query_is_read_once_decoded() {
        let query = Query::read("code=4%2F0a+b&state=S&scope=openid%20email&iss=https%3A%2F%2Fi");
        let expected = Query {
            code: given("4/0a b"),
            error: Parameter::Absent,
            iss: given("https://i"),
            state: given("S"),
        };
        assert_eq!(query, expected);
        assert_eq!(Query::read(""), Query::default());
        assert_eq!(Query::read("CODE=a&code%00=a&x=%zz"), Query::default());
    }

    // OA22
    #[test]
    fn what_is_given_twice_or_cannot_be_good_is_not_used() {
        let long = "a".repeat(LONGEST + 1);
        let longest = "a".repeat(LONGEST);
        assert_eq!(
            Query::read(&format!("code={longest}")).code,
            given(&longest)
        );
        let texts = [
            "code=a&code=a",
            "code=a&code=b",
            "code=a&c%6fde=b",
            "code=a&code",
            "code=&code=a",
            "code",
            "code=",
            "code=%ff",
            "code=%00",
            "code=%0a",
            "code=%7f",
            "code=%c3%a4",
            &format!("code={long}"),
        ];
        for text in texts {
            assert_eq!(Query::read(text).code, Parameter::Unusable, "{text}");
        }
        for name in ["error", "iss", "state"] {
            let query = Query::read(&format!("{name}=a&{name}=a"));
            let all = [query.code, query.error, query.iss, query.state];
            assert!(all.contains(&Parameter::Unusable), "{name}");
        }
    }

    proptest! {
        // OA22
        #[test]
        fn nothing_panics_and_nothing_unusable_is_given(text in "((code|state|iss|error)=[ -~]{0,8}&?){0,6}\\PC{0,16}") {
            let query = Query::read(&text);
            for parameter in [query.code, query.error, query.iss, query.state] {
                if let Parameter::Given(value) = parameter {
                    prop_assert!(!value.is_empty() && value.len() <= LONGEST && value.is_ascii());
                }
            }
        }
    }
}
