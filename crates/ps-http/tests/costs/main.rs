//! What the paths that every request takes may cost at most, counted and not timed: allocations and
//! store calls, and instructions where Valgrind is there. One table, [`ACTS`], names every bound.
//!
//! ```sh
//! cargo test -p ps-http --all-features --test costs
//! ```
//!
//! The counts are those of a build for tests, which are many times those of a release; but what grows
//! there grows here. A bound that is passed is a question, not a verdict: find what costs more, and
//! raise the bound in the same commit if it is worth it.

#![allow(clippy::unwrap_used, missing_docs)]

mod callgrind;
mod counted;
mod node;

use std::{env, process::ExitCode, sync::OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use node::Node;

/// Something that is done over and over, and what it may cost each time.
struct Act {
    name: &'static str,
    /// At most.
    allocations: u64,
    /// Exactly.
    store_calls: usize,
    /// At most, about a quarter over what was counted when it was written down.
    instructions: u64,
    run: fn(&Node),
}

const ACTS: &[Act] = &[
    Act {
        name: "a key of the wrong shape is refused",
        allocations: 0,
        store_calls: 0,
        instructions: 1_700,
        run: Node::refuse_garbage,
    },
    Act {
        name: "a key with a wrong checksum is refused",
        allocations: 0,
        store_calls: 0,
        instructions: 7_200,
        run: Node::refuse_mistyped,
    },
    Act {
        name: "a remembered key is taken",
        allocations: 0,
        store_calls: 0,
        instructions: 29_000,
        run: Node::take_key,
    },
    Act {
        name: "a remembered access token is taken",
        allocations: 2,
        store_calls: 0,
        instructions: 6_400,
        run: Node::take_token,
    },
    Act {
        name: "a forged refresh token is refused",
        allocations: 0,
        store_calls: 0,
        instructions: 71_000,
        run: Node::refuse_forged,
    },
    Act {
        name: "whoami is answered",
        allocations: 13,
        store_calls: 0,
        instructions: 200_000,
        run: Node::answer_whoami,
    },
    Act {
        name: "whoami with a mistyped key is answered",
        allocations: 11,
        store_calls: 0,
        instructions: 105_000,
        run: Node::answer_mistyped,
    },
    Act {
        name: "a key is taken on a route of the host's own",
        allocations: 7,
        store_calls: 0,
        instructions: 84_000,
        run: Node::take_own,
    },
    Act {
        name: "a session's route is answered",
        allocations: 11,
        store_calls: 0,
        instructions: 126_000,
        run: Node::answer_session,
    },
];

fn main() -> ExitCode {
    if let Some((name, times)) = callgrind::asked() {
        let node = Node::start();
        for act in ACTS {
            // Everybody does everything once: what is counted is the difference.
            (act.run)(&node);
            for _ in 0..if act.name == name { times } else { 0 } {
                (act.run)(&node);
            }
        }
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let required = env::var_os("PS_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    let counts = ACTS.iter().flat_map(|act| {
        let allocations = Trial::test(format!("allocations: {}", act.name), || allocations(act));
        let calls = Trial::test(format!("store calls: {}", act.name), || calls(act));
        let instructions = Trial::test(format!("instructions: {}", act.name), || instructions(act));
        let is_missing = !required && !callgrind::is_there();
        [
            allocations,
            calls,
            instructions.with_ignored_flag(is_missing),
        ]
    });
    libtest_mimic::run(&arguments, counts.collect()).exit_code()
}

fn allocations(act: &Act) -> Result<(), Failed> {
    let node = Node::start();
    (act.run)(&node);
    let counted = allocation_counter::measure(|| (act.run)(&node)).count_total;
    within("allocations", counted, act.allocations)
}

fn calls(act: &Act) -> Result<(), Failed> {
    let node = Node::start();
    (act.run)(&node);
    let before = node.store.calls();
    (act.run)(&node);
    match node.store.calls() - before {
        counted if counted == act.store_calls => Ok(()),
        counted => Err(format!("{counted} store calls, not {}", act.store_calls).into()),
    }
}

fn instructions(act: &Act) -> Result<(), Failed> {
    const TIMES: u64 = 200;
    static NONE: OnceLock<Result<u64, Failed>> = OnceLock::new();
    let none = NONE.get_or_init(|| callgrind::count("", 0)).clone()?;
    let all = callgrind::count(act.name, TIMES)?;
    within("instructions", (all - none) / TIMES, act.instructions)
}

fn within(what: &str, counted: u64, bound: u64) -> Result<(), Failed> {
    if counted <= bound {
        Ok(())
    } else {
        Err(format!("{counted} {what}, and {bound} are allowed").into())
    }
}
