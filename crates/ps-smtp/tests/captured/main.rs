//! The mailer against aiosmtpd, which is not ours: a mail server that keeps what it is given, and
//! reads it with Python's own parser.
//!
//! It wants `python3` with aiosmtpd, where `.ci/run` installs it or on `PYTHONPATH`. Where they are
//! missing the tests are skipped and say so; with `PS_REQUIRE_SERVICES=1` they fail instead.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../smtp/certificates.rs"]
mod certificates;
#[path = "../smtp/fate.rs"]
mod fate;
mod letters;
mod outcomes;
mod security;
mod server;

use std::{env, process::ExitCode, time::Duration};

use certificates::Authority;
use libtest_mimic::{Arguments, Trial};
use ps_core::{EmailAddress, Mail, MailError, Mailer, Paragraph};
use ps_smtp::{SmtpMailer, SmtpSettings};
use server::{Python, Security, Server, Wish};

/// Tests by their names, `module::function`.
macro_rules! tests {
    ($($module:ident { $($test:ident)* })*) => {
        [$($((
            concat!(stringify!($module), "::", stringify!($test)),
            $module::$test as fn(&Place),
        )),*),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = env::var_os("PS_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    let python = Python::find();
    if let (Err(why), false) = (&python, arguments.list) {
        println!("SKIPPED captured: {why}");
    }
    let tests = tests! {
        letters {
            a_letter_arrives_as_it_was_written
            an_address_is_one_mailbox
            many_mails_at_once_arrive_once_each
            nothing_in_a_mail_becomes_a_header_or_a_command
        }
        outcomes {
            a_server_that_hangs_costs_the_deadline
            a_server_that_refuses_is_believed
            a_server_that_resets_is_asked_again_unless_it_had_the_text
            greylisting_costs_a_pause
        }
        security {
            a_certificate_of_another_host_or_authority_is_refused
            a_login_that_is_wrong_is_refused
            a_server_without_tls_is_told_nothing
            both_kinds_of_tls_hide_the_login_and_the_mail
        }
    };
    let trials = tests.into_iter().map(|(name, test)| {
        let python = python.clone();
        let is_skipped = python.is_err() && !required;
        let trial = Trial::test(name, move || {
            test(&Place::new(python?));
            Ok(())
        });
        trial.with_ignored_flag(is_skipped)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What a test has: an authority, and servers of it.
struct Place {
    python: Python,
    authority: Authority,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new(python: Python) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self {
            python,
            authority: Authority::new(),
            runtime: runtime.unwrap(),
        }
    }

    fn server(&self, wish: &Wish) -> Server {
        Server::start(&self.python, &self.authority, wish)
    }

    /// A mailer to this server, which trusts the place's authority. `login` is as in a URL: `user:pass@`.
    fn mailer(&self, server: &Server, security: Security, login: &str) -> SmtpMailer {
        let (scheme, option) = match security {
            Security::Plain => ("smtp", ""),
            Security::StartTls => ("smtp", "?tls=required"),
            Security::Tls => ("smtps", ""),
        };
        let url = format!("{scheme}://{login}{}{option}", server.address);
        let settings = SmtpSettings::parse(&url, "Exámple <mail@example.com>").unwrap();
        let settings = settings.with_root_certificate(self.authority.pem.as_bytes());
        SmtpMailer::new(settings.unwrap()).unwrap()
    }

    /// What one sending ends with.
    fn send(&self, mailer: &SmtpMailer, mail: &Mail) -> Result<(), MailError> {
        let at_most = Duration::from_secs(15);
        self.runtime.block_on(async {
            let sent = tokio::time::timeout(at_most, mailer.send(mail)).await;
            sent.expect("sending has a deadline")
        })
    }
}

/// A mail with a code, in Spanish.
fn letter() -> Mail {
    Mail::of_paragraphs(
        EmailAddress::parse("alice@example.com").unwrap(),
        "012345 es tu código para Example".to_owned(),
        "es",
        &[
            Paragraph::Text("Tu código para entrar en Example, mañana también:".to_owned()),
            Paragraph::Code("012345"),
            Paragraph::Text("Vale una sola vez.".to_owned()),
        ],
    )
}
