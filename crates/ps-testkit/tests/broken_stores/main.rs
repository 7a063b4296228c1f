//! The suites can fail: for each rule a store that breaks it and nothing else, and the property that
//! says so.

#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod challenges;
mod changes;
mod identities;
mod keys;
mod limiter;
mod passwords;
mod sessions;
mod store;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use ps_testkit::conformance::{
    Harness, Property, accounts as account_suite, across_flows, all, challenges_at_rest,
    keys_at_rest, report, sessions_at_rest, table, users as user_suite,
};

use crate::store::{Broken, Flaw};

pub(crate) struct With(Flaw);

#[async_trait]
impl Harness for With {
    type Store = Broken;

    async fn fresh(&self) -> Arc<Broken> {
        Arc::new(Broken::new(self.0))
    }

    async fn dump(&self, store: &Broken) -> Option<Vec<u8>> {
        Some(store.dump())
    }
}

/// Each flaw makes the property fail that names its rule.
pub(crate) async fn fail(properties: Vec<Property<With>>, table: &[(Flaw, &str)]) {
    let mut missed = Vec::new();
    for (flaw, name) in table {
        let mut all = properties.iter();
        let property = all.find(|property| property.name() == *name);
        let property = property.unwrap_or_else(|| panic!("there is no {name}"));
        if property.check(&With(*flaw)).await.is_ok() {
            missed.push((flaw, name));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

// ST1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_flaw_every_property_holds() {
    let report = report(&With(Flaw::None), &all()).await;
    assert!(report.all_hold(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_tells_what_is_broken_and_why() {
    let properties = account_suite::properties();
    let report = report(&With(Flaw::DisableAnswersAlways), &properties).await;
    assert!(!report.all_hold());
    let broken: Vec<_> = report
        .broken()
        .map(|(suite, name, _)| (suite, name))
        .collect();
    assert!(broken.contains(&("accounts", "disabling_at_once_is_done_once")));
    let text = report.to_string();
    let row = |sentence: &str, verdict: &str| {
        let row = text.lines().position(|line| {
            let [suite, property, said] = columns(line);
            (suite, property, said) == ("accounts", sentence, verdict)
        });
        row.unwrap_or_else(|| panic!("{sentence} is not said to be {verdict}:\n{text}"))
    };
    row("a claim proves and raises", "holds");
    let broken_row = row("disabling at once is done once", "BROKEN");
    // Why stands below it, before the next row.
    let below = text.lines().skip(broken_row + 1);
    let why: Vec<_> = below.take_while(|line| line.starts_with(' ')).collect();
    assert!(why.iter().any(|line| line.contains("left: 64")), "{text}");
    assert_eq!(
        columns(text.lines().next().unwrap()),
        ["suite", "property", "verdict"]
    );
    let (all, broken) = (properties.len(), broken.len());
    let last = format!("{all} properties: {} hold, {broken} broken", all - broken);
    assert!(text.ends_with(&last), "{text}");
}

/// The columns of a row, which two spaces part.
fn columns(line: &str) -> [&str; 3] {
    let mut columns = line.split("  ").map(str::trim).filter(|it| !it.is_empty());
    std::array::from_fn(|_| columns.next().unwrap_or_default())
}

/// Who has a `main` and no runtime gets the same, each property on a harness of its own.
#[test]
fn a_table_is_made_without_a_runtime() {
    let made = std::cell::Cell::new(0);
    let make = || {
        made.set(made.get() + 1);
        With(Flaw::RegistersLookalikes)
    };
    let table = table(make, user_suite::properties());
    let broken: Vec<_> = table.broken().map(|(_, name, _)| name).collect();
    assert_eq!(broken, ["what_looks_alike_is_another_user"]);
    assert_eq!(made.get(), user_suite::properties::<With>().len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_harness_that_gives_no_dump_does_not_pass_for_a_clean_one() {
    struct Silent;

    #[async_trait]
    impl Harness for Silent {
        type Store = Broken;

        async fn fresh(&self) -> Arc<Broken> {
            Arc::new(Broken::new(Flaw::None))
        }
    }

    for property in keys_at_rest::properties() {
        assert!(property.check(&Silent).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn steps_across_flows_fail() {
    let table = [
        (
            Flaw::KeyIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::OpenIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::RotateIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::ClaimIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::LinkIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::UnlinkIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (
            Flaw::ReplaceIgnoresVersion,
            "what_was_in_flight_finds_the_account_changed",
        ),
        (Flaw::OpenIgnoresVersion, "no_session_in_flight_survives"),
        (Flaw::ReplaceKeepsSessions, "no_session_in_flight_survives"),
        (Flaw::KeyIgnoresVersion, "no_key_in_flight_survives_a_claim"),
        (
            Flaw::ClaimKeepsKeys,
            "no_rotated_key_in_flight_survives_a_claim",
        ),
        (
            Flaw::RefreshTakesEnded,
            "no_rotation_succeeds_after_a_disable",
        ),
        (
            Flaw::ClaimUntold,
            "what_overturns_an_account_is_told_of_every_flow",
        ),
        (
            Flaw::DisableUntold,
            "what_overturns_an_account_is_told_of_every_flow",
        ),
        (
            Flaw::ReplaceUntold,
            "what_overturns_an_account_is_told_of_every_flow",
        ),
        (
            Flaw::ConsumedTwice,
            "of_many_right_codes_at_once_one_opens_a_session",
        ),
        (
            Flaw::ReplaceKeepsSessions,
            "a_new_password_ends_every_other_session",
        ),
        (
            Flaw::ReplaceEndsTheKept,
            "a_new_password_ends_every_other_session",
        ),
        (
            Flaw::ReplaceCarriesNothing,
            "a_new_password_ends_every_other_session",
        ),
        (
            Flaw::ReplaceUntold,
            "a_new_password_ends_every_other_session",
        ),
        (
            Flaw::ReplaceKeepsAnything,
            "a_new_password_needs_a_live_session_to_keep",
        ),
        (
            Flaw::ReplaceUntold,
            "a_new_password_is_told_as_soon_as_it_is_acknowledged",
        ),
    ];
    fail(across_flows::properties(), &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn secrets_at_rest_fail() {
    fail(
        keys_at_rest::properties(),
        &[(Flaw::KeepsKeys, "no_key_is_at_rest")],
    )
    .await;
    let tokens = [(Flaw::KeepsReferences, "no_token_is_at_rest")];
    fail(sessions_at_rest::properties(), &tokens).await;
    let codes = [
        (Flaw::KeepsCodes, "no_code_is_at_rest"),
        (Flaw::KeepsDigestsOfCodes, "no_code_is_at_rest"),
    ];
    fail(challenges_at_rest::properties(), &codes).await;
}
