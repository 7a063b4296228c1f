//! The mailbox of development: mails are caught instead of sent, and shown.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use http::{Method, StatusCode};
use ps_core::{Clock, EmailAddress, Mail, MailError, Mailer};
use ps_http::{Answer, Call, Problem, Route, json, rfc3339};
use serde::Serialize;

use crate::pages::{escape, page};

/// How many mails are kept.
const KEPT: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    caught: Arc<Mutex<VecDeque<Caught>>>,
    clock: Arc<dyn Clock>,
    /// Where mails go on to, if a mail server is configured all the same.
    onwards: Option<Arc<dyn Mailer>>,
}

#[derive(Clone, Serialize)]
struct Caught {
    to: String,
    subject: String,
    text: String,
    html: Option<String>,
    sent_at: String,
}

impl std::fmt::Debug for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caught(…)")
    }
}

impl Mailbox {
    pub(crate) fn new(clock: Arc<dyn Clock>, onwards: Option<Arc<dyn Mailer>>) -> Self {
        Self {
            caught: Arc::default(),
            clock,
            onwards,
        }
    }

    pub(crate) fn routes(self) -> [Route; 1] {
        [Route::public(Method::GET, "/dev/mailbox", move |call| {
            let mailbox = self.clone();
            async move { mailbox.show(&call) }
        })]
    }

    /// A page; with `?to=` the mails to that address as JSON, the oldest first.
    fn show(&self, call: &Call) -> Answer {
        #[derive(Serialize)]
        struct Body {
            messages: Vec<Caught>,
        }
        let Some(to) = call.query("to")? else {
            return Ok(call.see_public_url().unwrap_or_else(|| self.page()));
        };
        let to = EmailAddress::parse(&to)
            .map_err(|error| Problem::invalid_field("to", error.to_string()))?;
        let mut messages = self.all();
        messages.retain(|mail| mail.to == to.as_str());
        Ok(json(StatusCode::OK, &Body { messages }))
    }

    fn page(&self) -> http::Response<bytes::Bytes> {
        let mut list = String::new();
        for mail in self.all().iter().rev() {
            let _ = write!(
                list,
                "<article class=\"panel mail\"><h2>{}</h2><p class=\"quiet\">To {}, \
                 <time datetime=\"{sent_at}\">{}</time></p><pre>{}</pre></article>",
                escape(&mail.subject),
                escape(&mail.to),
                escape(&mail.sent_at.replace('T', " at ").replace('Z', " UTC")),
                escape(&mail.text),
                sent_at = escape(&mail.sent_at),
            );
        }
        if list.is_empty() {
            list.push_str(
                "<div class=\"empty\"><h2>No mail yet</h2>\
                 <p class=\"quiet\">Ask for a code and reload this page.</p></div>",
            );
        }
        let lead = "Mails that this server would have sent, the newest first.";
        let body = format!("<h1>Mailbox</h1><p class=\"quiet\">{lead}</p>{list}");
        page("Mailbox", &body)
    }

    fn catch(&self, mail: &Mail) {
        let mut caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
        if caught.len() == KEPT {
            caught.pop_front();
        }
        caught.push_back(Caught {
            to: mail.to.to_string(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            sent_at: rfc3339(self.clock.now()),
        });
    }

    fn all(&self) -> Vec<Caught> {
        let caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
        caught.iter().cloned().collect()
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.catch(mail);
        match &self.onwards {
            Some(mailer) => mailer.send(mail).await,
            None => Ok(()),
        }
    }
}
