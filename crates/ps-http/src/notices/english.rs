//! The notices in English.

use ps_core::Network;
use time::OffsetDateTime;

use super::{Occurrence, plain::Words};

pub(super) struct English;

impl Words for English {
    fn language(&self) -> &'static str {
        "en"
    }

    fn news(&self, site: &str, occurrence: &Occurrence) -> (String, String) {
        match occurrence {
            Occurrence::Linked(provider) => (
                format!("{provider} now signs you in to {site}"),
                format!(
                    "An account at {provider} was linked to your account at {site} and signs you in \
                     from now on."
                ),
            ),
            Occurrence::PasswordChanged => (
                format!("Your password for {site} was changed"),
                format!(
                    "The password of your account at {site} was set or changed, and every other \
                     session was ended."
                ),
            ),
            Occurrence::Registered(provider) => (
                format!("Welcome to {site}"),
                format!(
                    "An account was made for this address at {site}, by somebody whom {provider} \
                     knows as its owner."
                ),
            ),
            Occurrence::SignedIn {
                new_browser,
                after_failures,
            } => (
                format!("New sign-in to {site}"),
                match (new_browser, after_failures) {
                    (true, false) => format!(
                        "Somebody signed in to your account at {site}, with a browser that had not \
                         done so before."
                    ),
                    (true, true) => format!(
                        "Somebody signed in to your account at {site}, with a browser that had not \
                         done so before and after several attempts that failed."
                    ),
                    (false, _) => format!(
                        "Somebody signed in to your account at {site}, after several attempts that \
                         failed."
                    ),
                },
            ),
            Occurrence::Unlinked(provider) => (
                format!("{provider} no longer signs you in to {site}"),
                format!(
                    "An account at {provider} was removed from your account at {site} and signs you \
                     in no more."
                ),
            ),
        }
    }

    fn origin(&self, at: Option<OffsetDateTime>, from: Network, occurrence: &Occurrence) -> String {
        let moment = at.map(moment).unwrap_or_default();
        let undo = undo(occurrence);
        format!(
            "This was done{moment} from the network {from}. If it was not you, {undo}, and end the \
             sessions that you do not know."
        )
    }
}

fn undo(occurrence: &Occurrence) -> &'static str {
    match occurrence {
        Occurrence::Linked(_) => "remove it in the settings of your account",
        Occurrence::PasswordChanged => {
            "sign in by a code sent to this address and set another password"
        }
        Occurrence::Registered(_) => {
            "sign in by a code sent to this address and remove what you do not know"
        }
        Occurrence::SignedIn { .. } => {
            "sign in by a code sent to this address, set another password if you have one"
        }
        Occurrence::Unlinked(_) => "link it again in the settings of your account",
    }
}

/// ` on 2026-11-22 at 10:00 UTC`.
fn moment(at: OffsetDateTime) -> String {
    format!(
        " on {} at {:02}:{:02} UTC",
        at.date(),
        at.hour(),
        at.minute()
    )
}
