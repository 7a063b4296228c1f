//! All that a run has found, as Markdown and as plots.

use std::{fs, io, path::Path};

use crate::{
    finding::{Finding, table},
    plot::Plot,
    race::Timed,
    spread::span,
};

/// Where the plots stand, from the README.
const PLOTS: &str = "plots";
const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- /measured -->";

/// What the subjects have found so far.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    sections: Vec<String>,
    plots: Vec<Plot>,
    skipped: Vec<String>,
}

impl Report {
    /// Adds a row to the table of targets, and shows it at once.
    pub fn find(&mut self, finding: Finding) {
        let row = table(std::slice::from_ref(&finding));
        eprintln!("{}", row.lines().last().unwrap_or_default());
        self.findings.push(finding);
    }

    /// Adds a table of what was measured side by side, as multiples of the first.
    pub fn compare(&mut self, title: &str, note: &str, timed: &[Timed]) {
        let Some(first) = timed.first() else { return };
        let mut text = format!("**{title}.** {note}\n\n| | takes | × the first |\n|---|--:|--:|\n");
        for each in timed {
            let took = span(each.nanos().median);
            text += &format!("| {} | {took} | {} |\n", each.name, each.over(first));
        }
        eprintln!("\n{text}");
        self.sections.push(text);
    }

    /// Adds a drawing.
    pub fn draw(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// Says what could not be measured, and why.
    pub fn skip(&mut self, what: &str, why: &str) {
        eprintln!("SKIPPED {what}: {why}");
        self.skipped.push(format!("{what} ({why})"));
    }

    /// Everything, as it stands in the README.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.findings.is_empty() {
            text += &format!("{}\n", table(&self.findings));
        }
        if !self.skipped.is_empty() {
            text += &format!("Skipped: {}.\n\n", self.skipped.join("; "));
        }
        for plot in &self.plots {
            text += &format!("![{}]({PLOTS}/{}.svg)\n\n", plot.title(), plot.name());
        }
        text += &self.sections.join("\n");
        text
    }

    /// Puts it into the README of `folder`, between its marks, and the plots beside it.
    ///
    /// # Errors
    /// What the file system said, or that the marks are not there.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let readme = folder.join("README.md");
        let text = fs::read_to_string(&readme)?;
        let text = between_marks(&text, &self.markdown()).ok_or_else(|| {
            io::Error::other(format!("no {BEGIN} … {END} in {}", readme.display()))
        })?;
        fs::write(readme, text)?;
        fs::create_dir_all(folder.join(PLOTS))?;
        for plot in &self.plots {
            fs::write(
                folder.join(PLOTS).join(format!("{}.svg", plot.name())),
                plot.svg(),
            )?;
        }
        Ok(())
    }
}

fn between_marks(text: &str, new: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!(
        "{before}{BEGIN}\n\n{}\n{END}{after}",
        new.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::Target, spread::Spread};

    fn timed(name: &str, nanos: f64) -> Timed {
        Timed {
            name: name.to_owned(),
            rounds: vec![nanos; 9],
        }
    }

    #[test]
    fn a_table_is_in_multiples_of_its_first() {
        let mut report = Report::default();
        report.compare(
            "Hashes",
            "Of 41 bytes.",
            &[timed("SHA-256", 70.0), timed("other", 7e6)],
        );
        let text = report.markdown();
        assert!(text.starts_with("**Hashes.** Of 41 bytes.\n"), "{text}");
        assert!(
            text.contains("| SHA-256 | 70.0 ns | 1.00 (1.00–1.00) |"),
            "{text}"
        );
        assert!(
            text.contains("| other | 7.00 ms | 100 000 (100 000–100 000) |"),
            "{text}"
        );
    }

    #[test]
    fn what_was_skipped_is_named() {
        let mut report = Report::default();
        let ratio = Spread::of([1.0]);
        report.find(Finding::ratio("a", "b", Target::AtMost(1.0), ratio));
        report.skip("PostgreSQL", "no server");
        let text = report.markdown();
        assert!(text.contains("Skipped: PostgreSQL (no server)."), "{text}");
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = between_marks(&text, "new\n\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n\nnew\n{END}\nafter\n"));
        assert_eq!(between_marks(&new, "new").unwrap(), new);
        assert_eq!(between_marks("no marks", "new"), None);
    }
}
