//! What is counted on an address: mails, and wrong guesses.

use std::time::Duration;

use ps_core::{EmailAddress, Limited, Timestamp, judge_limits};
use ps_magiccode::{Exposure, SendBudget};

use crate::logs::{Log, Logs, within};

/// How long counts are kept where no rule looks further back.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(crate) struct Counts {
    mails: Logs<EmailAddress>,
    /// Each guess counts as a wrong one until it turns out to be right.
    guesses: Logs<EmailAddress>,
    guesses_everywhere: Log,
    /// How far back the longest rule looks that was ever asked.
    span: Duration,
}

impl Counts {
    /// How long the address must wait for its next mail, if it must.
    pub(crate) fn wait_for_mail(
        &mut self,
        email: &EmailAddress,
        sends: &SendBudget,
        now: Timestamp,
    ) -> Option<Duration> {
        self.look_back(sends.hourly.per.max(sends.daily.per));
        let times = self.mails.times(email);
        match judge_limits([(sends.hourly, 1, times), (sends.daily, 1, times)], now) {
            Limited::Passed { .. } => None,
            Limited::Refused { retry_after, .. } => Some(retry_after),
        }
    }

    pub(crate) fn mail(&mut self, email: &EmailAddress, now: Timestamp) {
        self.mails.log(email, self.span, now).add(now);
    }

    pub(crate) fn guess(&mut self, email: &EmailAddress, now: Timestamp) {
        self.guesses.log(email, self.span, now).add(now);
        self.guesses_everywhere.keep(self.span, now);
        self.guesses_everywhere.add(now);
    }

    /// The wrong guesses on the address, and those on all addresses, as far back as `exposure` looks.
    pub(crate) fn wrong(
        &mut self,
        email: &EmailAddress,
        exposure: &Exposure,
        now: Timestamp,
    ) -> (u32, u32) {
        self.look_back(exposure.address.per.max(exposure.everywhere.per));
        let here = within(self.guesses.times(email), exposure.address.per, now);
        let everywhere = self.guesses_everywhere.times();
        (here, within(everywhere, exposure.everywhere.per, now))
    }

    /// After a right guess: the one counted last was not wrong, and the mails were answered.
    pub(crate) fn give_back(&mut self, email: &EmailAddress, mails: &[Timestamp], now: Timestamp) {
        if let Some(at) = self.guesses.log(email, self.span, now).take_last() {
            self.guesses_everywhere.take(at);
        }
        let log = self.mails.log(email, self.span, now);
        mails.iter().for_each(|at| log.take(*at));
    }

    fn look_back(&mut self, span: Duration) {
        self.span = self.span.max(span).max(KEPT);
    }
}
