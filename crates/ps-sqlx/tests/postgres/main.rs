//! What every store promises and what is PostgreSQL's own, on a real server: the one that
//! `DATABASE_URL` names, else one that is started for the time of the tests.

#![allow(clippy::unwrap_used, missing_docs)]

mod audit;
mod conformance;
mod faults;
mod feed;
#[path = "../common/fencing.rs"]
mod fencing;
mod hanging_up;
mod outages;
#[path = "../common/records.rs"]
mod records;
mod round_trips;
mod schema;
mod server;
mod tables;
#[path = "../common/two.rs"]
mod two;
mod undone;

use std::{panic, pin::Pin, process::ExitCode, sync::Arc};

use conformance::OnPostgres;
use libtest_mimic::{Arguments, Failed, Trial};
use ps_core::{StoreResult, Timestamp};
use ps_sqlx::{Fenced, PostgresStore};
use ps_testkit::conformance::{self as suites, Property};
use schema::Schema;
use server::{Programs, Server, is_required};
use tokio::runtime::{Builder, Runtime};

impl fencing::Store for PostgresStore {
    async fn fence(&self, now: Timestamp) -> StoreResult<Fenced> {
        Self::fence(self, now).await
    }
}

type Acting = Pin<Box<dyn Future<Output = ()> + Send>>;
type Tests<On> = Vec<(&'static str, fn(On) -> Acting)>;

/// Tests by their names, `module::function`.
macro_rules! tests {
    ($($module:ident { $($test:ident)* })*) => {
        vec![$($((
            concat!(stringify!($module), "::", stringify!($test)),
            (|on| Box::pin($module::$test(on))) as fn(_) -> Acting,
        )),*),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Who only wants the names needs no server.
    let found = if arguments.list {
        Err(String::new())
    } else {
        Server::find()
    };
    let (server, programs) = match found {
        Ok((server, programs)) => (Ok(Arc::new(server)), programs),
        Err(why) => {
            if !arguments.list {
                println!("SKIPPED postgres: {why}");
            }
            (Err(why.clone()), Err(why))
        }
    };
    let mut trials = on_a_schema(&server);
    trials.extend(on_a_cluster(&programs));
    let trials = trials.into_iter().map(|trial| {
        let is_ignored = trial.has_ignored_flag() && !is_required();
        trial.with_ignored_flag(is_ignored)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(server);
    conclusion.exit_code()
}

/// Each on a schema of its own.
fn on_a_schema(server: &Result<Arc<Server>, String>) -> Vec<Trial> {
    let tests: Tests<Schema> = tests! {
        audit { outcomes_are_kept_and_forgotten }
        faults {
            a_lock_that_is_held_too_long_is_an_error_and_no_harm
            a_purge_passes_over_what_another_deletes
            every_connection_in_use_is_an_error_after_a_second
            the_store_tells_the_servers_time
            what_is_promised_of_a_connection_is_set_on_it
        }
        feed { a_number_drawn_first_is_not_overtaken a_poll_at_rest_reads_the_end_only }
        hanging_up {
            a_caller_that_hangs_up_leaves_no_transaction_open
            what_a_runtime_that_ends_has_used_is_of_use
            what_became_of_a_statement_is_told_to_its_own_caller_only
        }
        tables {
            a_failed_migration_leaves_nothing_behind
            a_migration_waits_longer_than_a_request
            a_newer_migration_is_let_be_and_an_altered_one_is_not
            a_row_that_cannot_be_read_back_is_an_error
            many_may_open_a_new_database_at_once
            opening_again_changes_nothing_and_keeps_everything
            texts_are_compared_byte_by_byte
            what_is_no_database_is_not_opened
            what_must_be_unique_is
        }
        undone {
            a_deadlock_is_repeated
            a_load_with_serialization_failures_is_carried_out
            a_serialization_failure_is_repeated_three_times
        }
    };
    let mut trials = Vec::new();
    for (name, test) in tests {
        trials.push(on(server, name.to_owned(), move |server| {
            let runtime = runtime();
            let schema = runtime.block_on(Schema::make(&server.url()));
            finish(&runtime, test(schema.clone()), &schema);
            Ok(())
        }));
    }
    let of_two: Tests<[PostgresStore; 2]> = tests! {
        fencing {
            a_node_that_ran_through_the_restore_is_told
            a_second_fence_finds_nothing_and_says_the_same
            however_many_there_are_all_end
            nothing_from_before_a_fence_is_carried_on
            the_keys_that_open_something_are_listed_by_owner_and_age
            the_mails_of_a_code_that_a_fence_ended_still_count
        }
        two {
            a_challenge_is_guessed_at_and_used_once
            a_way_in_is_left
            rules_hold
            what_one_acknowledged_the_other_sees
        }
    };
    for (name, test) in of_two {
        trials.push(on(server, name.to_owned(), move |server| {
            let runtime = runtime();
            let schema = runtime.block_on(Schema::make(&server.url()));
            let one_and_other = async { [schema.open().await, schema.open().await] };
            let stores = runtime.block_on(one_and_other);
            finish(&runtime, test(stores), &schema);
            Ok(())
        }));
    }
    for property in properties() {
        let name = format!("{}::{}", property.suite(), property.name());
        trials.push(on(server, name, move |server| {
            let runtime = runtime();
            let schema = runtime.block_on(Schema::make(&server.url()));
            let harness = OnPostgres(schema.clone());
            let checked = runtime.block_on(property.check(&harness));
            runtime.block_on(schema.remove());
            checked.map_err(Failed::from)
        }));
    }
    trials
}

/// Each with the programs of a server, which it may start, stop and break.
fn on_a_cluster(programs: &Result<Programs, String>) -> Vec<Trial> {
    let tests: Tests<Programs> = tests! {
        outages {
            a_replica_is_not_asked
            a_server_that_hangs_holds_nobody_up
            a_server_that_was_away_is_found_again
            what_was_acknowledged_outlives_the_server
            who_asks_for_tls_gets_it_or_nothing
        }
        round_trips { lookups_rotations_and_uses_are_one_round_trip_each }
    };
    let trials = tests.into_iter().map(|(name, test)| {
        on(programs, name.to_owned(), move |programs| {
            runtime().block_on(test(programs));
            Ok(())
        })
    });
    trials.collect()
}

/// A test of what there may be none of.
fn on<T: Clone + Send + 'static>(
    it: &Result<T, String>,
    name: String,
    test: impl FnOnce(T) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let is_missing = it.is_err();
    let it = it.clone();
    Trial::test(name, move || test(it?)).with_ignored_flag(is_missing)
}

fn runtime() -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all();
    runtime.build().unwrap()
}

/// Removes the schema however the test ends.
fn finish(runtime: &Runtime, test: Acting, schema: &Schema) {
    let ended = runtime.block_on(runtime.spawn(test));
    runtime.block_on(schema.remove());
    if let Err(error) = ended {
        panic::resume_unwind(error.into_panic());
    }
}

fn properties() -> Vec<Property<OnPostgres>> {
    [
        suites::users::properties(),
        suites::accounts::properties(),
        suites::limiter::properties(),
        suites::changes::properties(),
        suites::across_flows::properties(),
        suites::keys::properties(),
        suites::keys_at_rest::properties(),
        suites::sessions::properties(),
        suites::sessions_at_rest::properties(),
        suites::challenges::properties(),
        suites::challenges_at_rest::properties(),
        suites::identities::properties(),
        suites::passwords::properties(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
