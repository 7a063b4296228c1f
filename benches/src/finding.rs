//! What was measured against what was promised.

use crate::spread::{Spread, short};

/// What a measurement is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// So many times what it is measured by, or so many, at least.
    AtLeast(f64),
    /// So many times what it is measured by, or so many, at most.
    AtMost(f64),
}

impl Target {
    fn admits(self, number: f64) -> bool {
        match self {
            Self::AtLeast(bound) => number >= bound,
            Self::AtMost(bound) => number <= bound,
        }
    }

    fn text(self) -> String {
        let (sign, bound) = match self {
            Self::AtLeast(bound) => ('≥', bound),
            Self::AtMost(bound) => ('≤', bound),
        };
        if bound.fract() == 0.0 {
            format!("{sign} {bound:.0}")
        } else {
            format!("{sign} {bound:.2}")
        }
    }
}

/// One row of the table of targets.
#[derive(Clone, Debug)]
pub struct Finding {
    path: String,
    yardstick: String,
    target: Target,
    measured: Measured,
}

#[derive(Clone, Debug)]
enum Measured {
    Number(f64),
    Ratio(Spread),
    Skipped(String),
}

impl Finding {
    /// A ratio, and the yardstick that it is a ratio to.
    pub fn ratio(
        path: impl Into<String>,
        yardstick: impl Into<String>,
        target: Target,
        ratio: Spread,
    ) -> Self {
        Self::new(path, yardstick, target, Measured::Ratio(ratio))
    }

    /// A number that was counted, and what of.
    pub fn number(
        path: impl Into<String>,
        what: impl Into<String>,
        target: Target,
        number: f64,
    ) -> Self {
        Self::new(path, what, target, Measured::Number(number))
    }

    /// What could not be measured here, and why.
    pub fn skipped(
        path: impl Into<String>,
        yardstick: impl Into<String>,
        target: Target,
        why: impl Into<String>,
    ) -> Self {
        Self::new(path, yardstick, target, Measured::Skipped(why.into()))
    }

    fn new(
        path: impl Into<String>,
        yardstick: impl Into<String>,
        target: Target,
        measured: Measured,
    ) -> Self {
        Self {
            path: path.into(),
            yardstick: yardstick.into(),
            target,
            measured,
        }
    }

    /// Whether the target is met; `None` where nothing was measured.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        match self.measured {
            Measured::Number(number) => Some(self.target.admits(number)),
            Measured::Ratio(ratio) => Some(self.target.admits(ratio.median)),
            Measured::Skipped(_) => None,
        }
    }
}

/// The table of targets, in Markdown.
#[must_use]
pub fn table(findings: &[Finding]) -> String {
    let mut text =
        String::from("| path | measured by | target | found | met |\n|---|---|--:|--:|---|\n");
    for finding in findings {
        let found = match &finding.measured {
            Measured::Number(number) if number.fract() == 0.0 => format!("{number:.0}"),
            Measured::Number(number) => short(*number),
            Measured::Ratio(ratio) => ratio.to_string(),
            Measured::Skipped(why) => format!("skipped: {why}"),
        };
        let met = match finding.is_met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        text += &format!(
            "| {} | {} | {} | {found} | {met} |\n",
            finding.path,
            finding.yardstick,
            finding.target.text(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        let ratio = Spread::of([0.9, 1.0, 1.4]);
        let table = [
            (Target::AtMost(1.0), true),
            (Target::AtMost(0.99), false),
            (Target::AtLeast(1.0), true),
            (Target::AtLeast(1.01), false),
        ];
        for (target, met) in table {
            let finding = Finding::ratio("it", "that", target, ratio);
            assert_eq!(finding.is_met(), Some(met), "{target:?}");
        }
        let skipped = Finding::skipped("it", "that", Target::AtMost(1.0), "no server");
        assert_eq!(skipped.is_met(), None);
    }

    #[test]
    fn each_finding_is_a_row() {
        let ratio = Spread::of([0.5; 9]);
        let rows = table(&[
            Finding::ratio("quick", "that", Target::AtMost(0.75), ratio),
            Finding::number("many", "queries", Target::AtMost(1.0), 3.0),
            Finding::skipped("far", "that", Target::AtLeast(5.0), "no server"),
        ]);
        let rows: Vec<&str> = rows.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| quick | that | ≤ 0.75 | 0.50 (0.50–0.50) | yes |",
                "| many | queries | ≤ 1 | 3 | **no** |",
                "| far | that | ≥ 5 | skipped: no server | – |",
            ]
        );
    }
}
