//! Drawings, as SVG, without a library: an axis, some lines or bars, a legend.

use std::fmt::Write;

use crate::spread::short;

const WIDTH: f64 = 880.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 310.0;
const TOP: f64 = 44.0;
const FLOOR: f64 = 330.0;
const ROW: f64 = 24.0;
const COLOURS: [&str; 7] = [
    "#1b6ca8", "#c8553d", "#5a8f3d", "#8a5aa8", "#c09020", "#3d8f8a", "#777777",
];

/// A named drawing.
#[derive(Clone, Debug)]
pub struct Plot {
    name: &'static str,
    title: String,
    unit: &'static str,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Bars(Vec<(String, f64)>),
    Lines {
        across: &'static str,
        lines: Vec<Line>,
    },
}

/// One line: its name, and its points.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// Its points, from left to right, all positive.
    pub points: Vec<(f64, f64)>,
}

impl Plot {
    /// A bar for each: from zero, or where they differ too much for that on a logarithmic axis, from
    /// which factors are read off.
    pub fn bars(
        name: &'static str,
        title: impl Into<String>,
        unit: &'static str,
        bars: Vec<(String, f64)>,
    ) -> Self {
        Self {
            name,
            title: title.into(),
            unit,
            what: What::Bars(bars),
        }
    }

    /// Lines on two logarithmic axes; `across` is the unit of the lower one.
    pub fn lines(
        name: &'static str,
        title: impl Into<String>,
        unit: &'static str,
        across: &'static str,
        lines: Vec<Line>,
    ) -> Self {
        Self {
            name,
            title: title.into(),
            unit,
            what: What::Lines { across, lines },
        }
    }

    /// Its file's name, without the ending.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// What stands above it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The file.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut body = String::new();
        let height = match &self.what {
            What::Bars(bars) => self.draw_bars(&mut body, bars),
            What::Lines { across, lines } => self.draw_lines(&mut body, across, lines),
        };
        let title = escaped(&self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"12\" y=\"24\" font-size=\"15\">{title}</text>\n{body}</svg>\n"
        )
    }

    fn draw_bars(&self, body: &mut String, bars: &[(String, f64)]) -> f64 {
        const NAMES: f64 = 300.0;
        const ROOM: (f64, f64) = (NAMES, WIDTH - 90.0);
        let values = || bars.iter().map(|(_, value)| *value);
        let most = values().fold(0.0, f64::max);
        let scale = Scale::over(values(), ROOM);
        let is_logarithmic = values().any(|value| value * 20.0 < most);
        let end = |value: f64| match is_logarithmic {
            true => scale.at(value),
            false => (ROOM.1 - ROOM.0).mul_add(value / most, ROOM.0),
        };
        if is_logarithmic {
            text(body, ROOM.1 + 80.0, 24.0, "end", "logarithmic");
        }
        for (place, (name, value)) in bars.iter().enumerate() {
            let y = ROW.mul_add(place as f64, TOP);
            let width = (end(*value) - NAMES).max(1.0);
            text(body, NAMES - 8.0, y + 14.0, "end", name);
            let _ = writeln!(
                body,
                "<rect x=\"{NAMES:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                y + 2.0,
                ROW - 6.0,
                COLOURS[0]
            );
            let value = format!("{} {}", short(*value), self.unit);
            text(body, NAMES + width + 6.0, y + 14.0, "start", &value);
        }
        ROW.mul_add(bars.len() as f64, TOP + 12.0)
    }

    fn draw_lines(&self, body: &mut String, across: &str, lines: &[Line]) -> f64 {
        let points = || lines.iter().flat_map(|line| &line.points);
        let x = Scale::over(points().map(|point| point.0), (LEFT, WIDTH - RIGHT));
        let y = Scale::over(points().map(|point| point.1), (FLOOR, TOP));
        for value in y.ticks() {
            let at = y.at(value);
            let _ = writeln!(
                body,
                "<line x1=\"{LEFT:.1}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#dddddd\"/>",
                WIDTH - RIGHT
            );
            text(body, LEFT - 6.0, at + 4.0, "end", &mark(value));
        }
        let mut marks = Vec::from_iter(points().map(|point| point.0));
        marks.sort_by(f64::total_cmp);
        marks.dedup();
        for value in marks {
            text(body, x.at(value), FLOOR + 18.0, "middle", &mark(value));
        }
        text(body, LEFT, TOP - 8.0, "end", self.unit);
        text(body, WIDTH - RIGHT, FLOOR + 36.0, "end", across);
        for (place, line) in lines.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let points = line.points.iter();
            let points = points.map(|point| format!("{:.1},{:.1}", x.at(point.0), y.at(point.1)));
            let points = Vec::from_iter(points).join(" ");
            let _ = writeln!(
                body,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            );
            let row = 18.0f64.mul_add(place as f64, TOP);
            let _ = writeln!(
                body,
                "<rect x=\"{:.1}\" y=\"{row:.1}\" width=\"12\" height=\"4\" fill=\"{colour}\"/>",
                WIDTH - RIGHT + 12.0
            );
            text(body, WIDTH - RIGHT + 30.0, row + 6.0, "start", &line.name);
        }
        FLOOR + 48.0
    }
}

/// A logarithmic axis.
struct Scale {
    from: f64,
    to: f64,
    place: (f64, f64),
}

impl Scale {
    /// From a power of ten below all values to one above, or a little less far.
    fn over(values: impl Iterator<Item = f64>, place: (f64, f64)) -> Self {
        let logs = Vec::from_iter(values.map(f64::log10));
        let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self {
            from: least.mul_add(2.0, -0.2).floor() / 2.0,
            to: (most + 0.05).max(least + 0.5),
            place,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - self.from) / (self.to - self.from);
        (self.place.1 - self.place.0).mul_add(share, self.place.0)
    }

    /// 1, 2 and 5 times each power of ten that fits.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.from.floor() as i32..=self.to.ceil() as i32;
        let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10f64.powi(power)));
        let fits = |value: &f64| (self.from..=self.to).contains(&value.log10());
        all.filter(fits).collect()
    }
}

/// A number beside an axis: no more digits than it needs.
fn mark(value: f64) -> String {
    let text = short(value);
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    }
}

fn text(body: &mut String, x: f64, y: f64, anchor: &str, what: &str) {
    let what = escaped(what);
    let _ = writeln!(
        body,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_and_holds_every_value() {
        let scale = Scale::over([10.0, 1_000.0].into_iter(), (0.0, 100.0));
        let middle = (scale.at(10.0) + scale.at(1_000.0)) / 2.0;
        assert!((scale.at(100.0) - middle).abs() < 1e-9);
        assert!(scale.at(10.0) > 0.0 && scale.at(1_000.0) < 100.0);
        assert!(scale.ticks().contains(&100.0) && scale.ticks().contains(&20.0));
    }

    #[test]
    fn bars_begin_at_zero_unless_they_differ_too_much() {
        let bar = |value| (String::new(), value);
        let near = Plot::bars("n", "near", "B", vec![bar(300.0), bar(600.0)]).svg();
        assert!(
            near.contains("width=\"245.0\"") && near.contains("width=\"490.0\""),
            "{near}"
        );
        assert!(!near.contains("logarithmic"));
        let far = Plot::bars("f", "far", "B", vec![bar(3.0), bar(600.0)]).svg();
        assert!(far.contains("logarithmic"));
    }

    #[test]
    fn every_bar_and_every_line_is_drawn_and_named() {
        let bars = Plot::bars(
            "b",
            "A & B",
            "ns",
            vec![("x < y".into(), 3.0), ("z".into(), 900.0)],
        );
        let svg = bars.svg();
        assert!(svg.contains("A &amp; B") && svg.contains("x &lt; y") && svg.contains("900 ns"));
        assert_eq!(svg.matches("<rect x=").count(), 2);
        let line = |name: &str, points: &[(f64, f64)]| Line {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        let lines = vec![
            line("one", &[(1.0, 5.0), (64.0, 50.0)]),
            line("two", &[(1.0, 2.0)]),
        ];
        let svg = Plot::lines("l", "Lines", "op/s", "callers", lines).svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains(">one<") && svg.contains(">64<") && svg.ends_with("</svg>\n"));
    }
}
