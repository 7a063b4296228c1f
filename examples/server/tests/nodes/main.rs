//! Three nodes on one PostgreSQL: what one acknowledged holds at the others in time, and outlives
//! whatever happens to a node or to the database.
//!
//! `PS_NODES_CHANGES` is how many changes are made (500 by default), `PS_NODES_AWAY` for how many
//! seconds the database is away (5). With `--nocapture` the figures are printed.

#![allow(
    clippy::disallowed_methods, // what is measured is real time
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs
)]

mod changes;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/databases.rs"]
mod databases;
mod group;
mod ledger;
mod outages;

use std::{env, process::ExitCode, sync::Arc};

use databases::server::is_required;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Times are measured.
    arguments.test_threads = Some(1);
    let (server, programs) = match databases::find(&arguments) {
        Ok((server, programs)) => (Ok(Arc::new(server)), programs),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    let is_skipped = |is_missing| is_missing && !is_required();
    let (no_server, no_programs) = (server.is_err(), programs.is_err());
    let shared = server.clone();
    let trials = vec![
        Trial::test("a_change_holds_at_every_node_in_time", move || {
            changes::a_change_holds_at_every_node_in_time(&shared?.url());
            Ok(())
        })
        .with_ignored_flag(is_skipped(no_server)),
        Trial::test(
            "nothing_acknowledged_is_lost_and_nobody_is_signed_out",
            move || {
                outages::nothing_acknowledged_is_lost_and_nobody_is_signed_out(&programs?);
                Ok(())
            },
        )
        .with_ignored_flag(is_skipped(no_programs)),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(server);
    conclusion.exit_code()
}

/// A number that the environment may choose.
fn number(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}
