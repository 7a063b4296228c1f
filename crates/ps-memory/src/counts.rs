//! What is counted on an address: mails, and wrong guesses.

use std::time::Duration;

use ps_core::{EmailAddress, Lane, LimitRule, Timestamp};
use ps_magiccode::{Exposure, Sends, wait};

use crate::logs::{Log, Logs, within};

/// How long counts are kept where no rule looks further back.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(crate) struct Counts {
    mails: Logs<EmailAddress>,
    mails_in_lanes: Logs<(EmailAddress, Lane)>,
    /// Each guess counts as a wrong one until it turns out to be right.
    guesses: Logs<EmailAddress>,
    guesses_everywhere: Log,
    /// How far back the longest rule looks that was ever asked.
    span: Duration,
}

impl Counts {
    /// Which bound the next mail must wait for and how long, if it must.
    pub(crate) fn wait_for_mail(
        &mut self,
        email: &EmailAddress,
        sends: &Sends,
        now: Timestamp,
    ) -> Option<(LimitRule, Duration)> {
        let budget = &sends.budget;
        self.look_back(
            budget
                .hourly
                .per
                .max(budget.daily.per)
                .max(budget.address.per),
        );
        let lane = (email.clone(), sends.lane);
        let in_lane = self.mails_in_lanes.times(&lane);
        wait(sends, in_lane, self.mails.times(email), now)
    }

    pub(crate) fn mail(&mut self, email: &EmailAddress, lane: Lane, now: Timestamp) {
        let lane = (email.clone(), lane);
        self.mails.log(email, self.span, now).add(now);
        self.mails_in_lanes.log(&lane, self.span, now).add(now);
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
    pub(crate) fn give_back(
        &mut self,
        email: &EmailAddress,
        mails: &[(Timestamp, Lane)],
        now: Timestamp,
    ) {
        if let Some(at) = self.guesses.log(email, self.span, now).take_last() {
            self.guesses_everywhere.take(at);
        }
        for (at, lane) in mails {
            self.mails.take(email, *at);
            self.mails_in_lanes.take(&(email.clone(), *lane), *at);
        }
    }

    fn look_back(&mut self, span: Duration) {
        self.span = self.span.max(span).max(KEPT);
    }
}
