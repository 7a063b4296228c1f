//! A mail as it goes over the wire (RFC 5322).

use std::{
    error::Error,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use ps_core::{Mail, Random, Timestamp, random_base62};

/// One mail to one recipient, written out.
pub(crate) struct Written {
    pub(crate) to: Address,
    pub(crate) bytes: Vec<u8>,
}

/// The last second that a calendar of four-digit years knows.
const END_OF_TIME: u64 = 253_402_300_799;

impl Written {
    /// Nothing but what stands here becomes a header.
    pub(crate) fn new(
        mail: &Mail,
        from: &Mailbox,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let to: Address = mail.to.as_str().parse()?;
        let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
        let id = format!("<{}@{}>", unguessable(random), from.email.domain());
        let head = Message::builder()
            .date(UNIX_EPOCH + Duration::from_secs(seconds.min(END_OF_TIME)))
            .message_id(Some(id))
            .from(from.clone())
            .to(to.clone().into())
            .subject(one_line(&mail.subject))
            .header(AutoSubmitted);
        let text = SinglePart::plain(lines(&mail.text));
        let message = match &mail.html {
            None => head.singlepart(text)?,
            Some(html) => head.multipart(
                MultiPart::alternative()
                    .boundary(unguessable(random))
                    .singlepart(text)
                    .singlepart(SinglePart::html(lines(html))),
            )?,
        };
        let mut bytes = message.formatted();
        while bytes.ends_with(b"\r\n") {
            bytes.truncate(bytes.len() - 2); // the end of the text brings one of its own
        }
        Ok(Self { to, bytes })
    }
}

fn unguessable(random: &dyn Random) -> String {
    let mut digits = [0; 24];
    random_base62(random, &mut digits);
    digits.map(char::from).iter().collect()
}

fn one_line(subject: &str) -> String {
    let bare = |c: char| if c.is_control() { ' ' } else { c };
    subject.chars().map(bare).collect()
}

/// Ends every line alike: a bare CR means different things to different servers.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// `Auto-Submitted: auto-generated` (RFC 3834 §5): nobody's holiday notice answers it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
