//! What came of all of them, as a table.

use std::fmt;

use tokio::runtime::{Builder, Runtime};

use super::{Broken, Harness, Property};

/// What came of each property. Printed, it is a table: one row a property with its suite, its
/// sentence and its verdict, under a broken one the reason, and last the number of each.
#[derive(Clone, Debug, Default)]
pub struct Report(Vec<Row>);

type Row = (&'static str, &'static str, Result<(), Broken>);

impl Report {
    /// Whether the store keeps every promise that it was asked for.
    #[must_use]
    pub fn all_hold(&self) -> bool {
        self.broken().next().is_none()
    }

    /// The properties that do not hold, each by suite and name, and why.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &'static str, &Broken)> {
        let all = self.0.iter();
        all.filter_map(|(suite, name, found)| Some((*suite, *name, found.as_ref().err()?)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |of: fn(&Row) -> &'static str, title: &str| {
            let all = self.0.iter().map(|row| of(row).len());
            all.max().unwrap_or(0).max(title.len())
        };
        let suites = widest(|row| row.0, "suite");
        let sentences = widest(|row| row.1, "property");
        writeln!(f, "{:suites$}  {:sentences$}  verdict", "suite", "property")?;
        writeln!(f, "{:-<suites$}  {:-<sentences$}  -------", "", "")?;
        for (suite, name, found) in &self.0 {
            let verdict = if found.is_ok() { "holds" } else { "BROKEN" };
            let sentence = name.replace('_', " ");
            writeln!(f, "{suite:suites$}  {sentence:sentences$}  {verdict}")?;
            if let Err(why) = found {
                let why = why.to_string();
                for line in why.lines() {
                    writeln!(f, "{:suites$}    {line}", "")?;
                }
            }
        }
        let broken = self.broken().count();
        let hold = self.0.len() - broken;
        write!(
            f,
            "{} properties: {hold} hold, {broken} broken",
            self.0.len()
        )
    }
}

/// Holds a fresh store of the harness to each property, one after the other. Needs a multi-threaded
/// tokio runtime.
pub async fn report<H: Harness>(harness: &H, properties: &[Property<H>]) -> Report {
    let mut rows = Vec::with_capacity(properties.len());
    for property in properties {
        let found = property.check(harness).await;
        rows.push((property.suite(), property.name(), found));
    }
    Report(rows)
}

/// The same as [`report`] for who has no runtime, such as a `main`, with a harness of its own for each
/// property.
///
/// # Panics
/// If the system lets no runtime be started.
#[must_use]
pub fn table<H: Harness>(
    harness: impl Fn() -> H,
    properties: impl IntoIterator<Item = Property<H>>,
) -> Report {
    let runtime = runtime();
    let mut all = Report::default();
    for property in properties {
        let one = runtime.block_on(report(&harness(), &[property]));
        all.0.extend(one.0);
    }
    all
}

/// The table of a suite as a test: what [`conformance!`](crate::conformance!) makes besides those of
/// each property.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub fn show<H: Harness>(harness: impl Fn() -> H, properties: Vec<Property<H>>) {
    let report = table(harness, properties);
    println!("\n{report}\n");
    assert!(report.all_hold(), "{} are broken", report.broken().count());
}

/// What each property runs on: with four workers, so that what races really does.
pub(super) fn runtime() -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all();
    runtime.build().unwrap()
}
