//! What went wrong with a mail, in words that may be logged.

use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
};

use lettre::transport::smtp::{self, response::Code};
use ps_core::MailError;

/// How far the dialogue with the server has come (RFC 5321 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Waiting,
    Connecting,
    StartTls,
    Login,
    Reusing,
    Sender,
    Recipient,
    Data,
    /// The server may have taken the mail, whatever it says or does not say.
    Text,
}

/// The stage, told from inside a sending to whoever gives it up.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Stage>);

/// What a stage ended with.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The server said no: its code (RFC 5321 §4.2) and enhanced code (RFC 3463).
    ///
    /// The rest of what it said is dropped, because servers like to quote the address.
    Answered(Code, Option<String>),
    /// No connection, or none that can be trusted.
    Broken(Box<dyn Error + Send + Sync>),
    /// Time was up.
    Late,
    /// The server said what does not belong here.
    Unexpected,
    /// No message can be made of the mail.
    Unwritable(Box<dyn Error + Send + Sync>),
}

/// A mail that was not sent, or of which nobody knows.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) cause: Cause,
}

impl Progress {
    pub(crate) fn reach(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    /// Whether the server had the text, and gave no answer to it that can be read as a no.
    pub(crate) fn is_of_unknown_outcome(&self) -> bool {
        let without_a_no = matches!(
            self.cause,
            Cause::Broken(_) | Cause::Late | Cause::Unexpected
        );
        self.stage == Stage::Text && without_a_no
    }
}

impl From<smtp::Error> for Cause {
    fn from(error: smtp::Error) -> Self {
        match error.status() {
            Some(code) => Self::Answered(code, error.source().and_then(enhanced_code)),
            // Its source would quote the answer.
            None if error.is_response() => Self::Unexpected,
            None => Self::Broken(Box::new(error)),
        }
    }
}

impl From<Failure> for MailError {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Cause::Answered(code, _) if is_permanent(code) => Self::Refused(Box::new(failure)),
            Cause::Unwritable(_) => Self::Refused(Box::new(failure)),
            _ if failure.is_of_unknown_outcome() => Self::Unknown(Box::new(failure)),
            _ => Self::Unavailable(Box::new(failure)),
        }
    }
}

fn is_permanent(code: Code) -> bool {
    code.severity == smtp::response::Severity::PermanentNegativeCompletion
}

/// The three numbers at the start of an answer, and only if they are numbers.
fn enhanced_code(answer: &(dyn Error + 'static)) -> Option<String> {
    let answer = answer.to_string();
    let first = answer.split_whitespace().next()?;
    let is_number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_code = first.split('.').count() == 3 && first.split('.').all(is_number);
    is_code.then(|| first.to_owned())
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Broken(error) | Cause::Unwritable(error) => Some(&**error),
            Cause::Answered(..) | Cause::Late | Cause::Unexpected => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, cause } = self;
        write!(f, "{cause} while {stage}")?;
        match self.is_of_unknown_outcome() {
            true => f.write_str("; it may have been delivered"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(code, None) => write!(f, "the server answered {code}"),
            Self::Answered(code, Some(enhanced)) => {
                write!(f, "the server answered {code} {enhanced}")
            }
            Self::Broken(_) => f.write_str("the connection failed"),
            Self::Late => f.write_str("time was up"),
            Self::Unexpected => f.write_str("the server answered out of turn"),
            Self::Unwritable(_) => f.write_str("no message could be made of the mail"),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting for a free connection",
            Self::Connecting => "connecting",
            Self::StartTls => "changing to TLS",
            Self::Login => "logging in",
            Self::Reusing => "taking up a connection again",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Data => "announcing the text",
            Self::Text => "handing over the text",
        })
    }
}
