//! What becomes of a mail where the server breaks, and that no mail arrives twice.

use std::time::Duration;

use ps_core::Outcome::{self, MailDelayed, MailFailed, MailSent, MailUnknown};

use crate::{Place, Security, Wish, fate, letter};

/// What is told of one mail that is of use for `useful` seconds, and how often the server had it.
fn fate(place: &Place, fault: &'static str, useful: u64) -> (Vec<Outcome>, usize) {
    let server = place.server(&Wish::breaking(fault));
    let mailer = place.mailer(&server, Security::Plain, "");
    let mailer = mailer.with_deadline(Duration::from_secs(3));
    let told = place.runtime.block_on(fate::fate(mailer, letter, useful));
    (told, server.stop().1.len())
}

// MC17, F8
pub(crate) fn a_server_that_refuses_is_believed(place: &Place) {
    assert_eq!(fate(place, "refuse", 60), (vec![MailFailed], 0));
    assert_eq!(fate(place, "refuse the text", 60), (vec![MailFailed], 1));
}

// MC17, F8
pub(crate) fn greylisting_costs_a_pause(place: &Place) {
    assert_eq!(
        fate(place, "greylist", 60),
        (vec![MailDelayed, MailSent], 1)
    );
}

// MC17, F8
pub(crate) fn a_server_that_hangs_costs_the_deadline(place: &Place) {
    let delayed_once = vec![MailDelayed, MailFailed];
    assert_eq!(fate(place, "hang before the text", 10), (delayed_once, 0));
    assert_eq!(
        fate(place, "hang after the text", 60),
        (vec![MailUnknown], 1)
    );
}

// MC17, F8
pub(crate) fn a_server_that_resets_is_asked_again_unless_it_had_the_text(place: &Place) {
    let delayed_once = vec![MailDelayed, MailFailed];
    assert_eq!(fate(place, "reset at once", 6), (delayed_once, 0));
    assert_eq!(
        fate(place, "reset after the text", 60),
        (vec![MailUnknown], 1)
    );
}
