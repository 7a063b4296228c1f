//! The letters in English.

use std::time::Duration;

use ps_core::Network;
use time::OffsetDateTime;

use super::{Occasion, plain::Words};
use crate::Code;

pub(super) struct English;

impl Words for English {
    fn language(&self) -> &'static str {
        "en"
    }

    fn subject(&self, site: &str, code: Option<&Code>) -> String {
        match code {
            Some(code) => format!("{} is your code for {site}", code.expose()),
            None => format!("You have no account at {site}"),
        }
    }

    fn opening(&self, site: &str, occasion: Occasion) -> String {
        match occasion {
            Occasion::AlreadyRegistered => format!(
                "You asked to register with {site}, where this address already has an account. \
                 This code signs you in to it:"
            ),
            Occasion::NoAccount => format!(
                "You asked to sign in to {site}, where this address has no account, so there is \
                 no code in this mail. Sign in with another address, or register first."
            ),
            Occasion::Register => format!("Your code to register with {site}:"),
            Occasion::SignIn => format!("Your code to sign in to {site}:"),
        }
    }

    fn instruction(&self, life: Duration) -> String {
        let life = minutes(life);
        format!(
            "Type it where you asked for it. It works once, and for {life} after you asked. \
             Give it to nobody."
        )
    }

    fn origin(&self, at: Option<OffsetDateTime>, network: Network) -> String {
        let moment = at.map(moment).unwrap_or_default();
        format!(
            "This was asked for{moment} from the network {network}. If it was not you, ignore this \
             mail."
        )
    }
}

/// Whole minutes, rounded down: better to be early than to type a dead code.
fn minutes(span: Duration) -> String {
    match span.as_secs() / 60 {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        n => format!("{n} minutes"),
    }
}

/// ` at 10:00 UTC on 22 Nov`.
fn moment(at: OffsetDateTime) -> String {
    let month = at.month().to_string();
    format!(
        " at {:02}:{:02} UTC on {} {}",
        at.hour(),
        at.minute(),
        at.day(),
        &month[..3]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_whole_and_never_too_many() {
        let table = [
            (0, "less than a minute"),
            (59_999, "less than a minute"),
            (60_000, "1 minute"),
            (599_999, "9 minutes"),
            (600_000, "10 minutes"),
        ];
        for (millis, text) in table {
            assert_eq!(minutes(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_moment_is_told_by_the_calendar() {
        let table = [
            (1_795_341_600, " at 10:00 UTC on 22 Nov"),
            (1_709_254_799, " at 00:59 UTC on 1 Mar"),
            (-1, " at 23:59 UTC on 31 Dec"),
        ];
        for (second, text) in table {
            let at = OffsetDateTime::from_unix_timestamp(second).unwrap();
            assert_eq!(moment(at), text);
        }
    }
}
