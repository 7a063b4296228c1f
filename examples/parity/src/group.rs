//! A run of cases in one set of worlds, and what it came to.

mod manners;

use std::collections::BTreeMap;

use crate::{Answer, Answers, Asked, Case, Expected, Mount, Place, Step, Ways};

/// How many findings are shown in full.
const SHOWN: usize = 10;

/// Cases of one kind. It fails when it is [`done`](Self::done), so that all findings are seen.
#[derive(Debug)]
pub struct Group {
    name: String,
    ways: Ways,
    cases: usize,
    statuses: BTreeMap<u16, usize>,
    differences: Vec<String>,
    failures: Vec<String>,
}

impl Group {
    /// No cases yet, in new worlds, of which every path is ours.
    pub async fn new(name: &str, place: Place) -> Self {
        Self {
            name: format!("{name}, {place:?}"),
            ways: Ways::new(place, Mount::Alone).await,
            cases: 0,
            statuses: BTreeMap::new(),
            differences: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// The worlds.
    pub fn ways(&mut self) -> &mut Ways {
        &mut self.ways
    }

    /// One request, which all three must answer alike and in good form; the answer of `ps-http`.
    pub async fn ask(&mut self, asked: &Asked) -> Option<Answer> {
        self.expect(asked, None).await
    }

    /// One request with the answer that it must get.
    pub async fn expect(&mut self, asked: &Asked, expected: Option<&Expected>) -> Option<Answer> {
        self.cases += 1;
        let answers = self.ways.ask(asked).await;
        if let Some(difference) = answers.difference() {
            self.differences
                .push(format!("{asked:?}\n    {difference}"));
        }
        let Answers {
            direct: Ok(answer), ..
        } = answers
        else {
            return None;
        };
        *self.statuses.entry(answer.status).or_default() += 1;
        let place = self.ways.world().place();
        let found = manners::fault(asked, &answer, place)
            .or_else(|| manners::leak(&answer, self.ways.world()))
            .or_else(|| expected?.fault(&answer));
        if let Some(fault) = found {
            self.failures
                .push(format!("{asked:?}\n    {fault}\n    {answer:?}"));
        }
        Some(answer)
    }

    /// One case of the corpus, what it asks to be done before and kept after included.
    ///
    /// # Panics
    /// If something is to be kept that the answer does not have.
    pub async fn case(&mut self, case: &Case) -> Option<Answer> {
        for step in &case.before {
            for world in self.ways.worlds() {
                match step {
                    Step::Advance(seconds) => world.advance(*seconds).await,
                    Step::Approve(provider, subject) => world.approve(provider, subject),
                    Step::Code(address) => world.read_code(address).await,
                    Step::Renew => world.renew().await,
                }
            }
        }
        let answer = self.expect(&case.asked, Some(&case.expected)).await?;
        for (name, from) in &case.keep {
            let value = from.of(&answer);
            let value = value.unwrap_or_else(|| panic!("{}: no {name} in {answer:?}", case.name));
            for world in self.ways.worlds() {
                world.keep(name, value.clone());
            }
        }
        Some(answer)
    }

    /// Notes what is wrong.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// Shows the count, and how many cases there were.
    ///
    /// # Panics
    /// If anything differed or was wrong, or if there were fewer cases than `at_least`.
    pub fn done(self, at_least: usize) -> usize {
        let (cases, differences) = (self.cases, self.differences.len());
        let failures = self.failures.len();
        let statuses = self.statuses.iter();
        let statuses: Vec<String> = statuses
            .map(|(what, times)| format!("{what}×{times}"))
            .collect();
        println!(
            "{:<32} {cases:>6} cases {differences:>4} differences {failures:>4} failures   {}",
            self.name,
            statuses.join(" ")
        );
        for finding in self.differences.iter().chain(&self.failures).take(SHOWN) {
            println!("  {finding:.1500}");
        }
        assert_eq!((differences, failures), (0, 0), "{}", self.name);
        assert!(cases >= at_least, "{}: {cases} cases", self.name);
        cases
    }
}
