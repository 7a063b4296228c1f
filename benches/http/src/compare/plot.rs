//! Curves as SVG, drawn by hand: two axes, a line for each target, its name at its end.

use std::fmt::Write;

use super::{Group, Measured, Sample, report};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Told apart by people who do not see red and green apart (Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#000000", "#0072b2", "#999999", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#e69f00",
];
const LINES_BETWEEN_NAMES: f64 = 15.0;

/// Throughput, and CPU a request, against the number of connections.
pub(super) fn curves(
    group: &Group,
    connections: &[usize],
    measured: &[Vec<Measured>],
) -> (String, String) {
    let of = |what: fn(&Sample) -> f64| -> Vec<Vec<f64>> {
        let points = |place: usize| {
            let medians = measured
                .iter()
                .map(|all| report::of(&all[place], what).median);
            medians.collect()
        };
        (0..group.targets.len()).map(points).collect()
    };
    let names: Vec<&str> = group.targets.iter().map(|target| target.name).collect();
    let throughput = plot(
        "requests a second",
        &names,
        connections,
        &of(|s| s.a_second),
    );
    let cost = plot(
        "CPU µs a request, of the server",
        &names,
        connections,
        &of(|s| s.cpu),
    );
    (throughput, cost)
}

fn plot(title: &str, names: &[&str], connections: &[usize], lines: &[Vec<f64>]) -> String {
    let most = lines.iter().flatten().copied().fold(0.0, f64::max);
    let step = step(most);
    let top = (most / step).ceil() * step;
    let across = |place: usize| {
        let parts = (connections.len() - 1).max(1) as f64;
        LEFT + (WIDTH - LEFT - RIGHT) * place as f64 / parts
    };
    let up = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    let end = WIDTH - RIGHT;
    for mark in 0..=(top / step).round() as u32 {
        let value = f64::from(mark) * step;
        let y = up(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{end}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for (place, number) in connections.iter().enumerate() {
        let (x, y) = (across(place), HEIGHT - BOTTOM + 20.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{number}</text>"
        );
    }
    let (middle, foot) = (f64::midpoint(LEFT, end), HEIGHT - 10.0);
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">connections</text>"
    );

    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let points = line.iter().enumerate();
        let points = points.map(|(place, value)| format!("{:.1},{:.1}", across(place), up(*value)));
        let points: Vec<_> = points.collect();
        let points = points.join(" ");
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        );
    }
    for (place, y) in spread_out(lines, up) {
        let colour = COLOURS[place % COLOURS.len()];
        let (x, name) = (end + 10.0, names[place]);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where each line's name stands: beside its end, and far enough from the next one to be read.
fn spread_out(lines: &[Vec<f64>], up: impl Fn(f64) -> f64) -> Vec<(usize, f64)> {
    let ends = lines
        .iter()
        .map(|line| line.last().copied().unwrap_or_default());
    let mut names: Vec<_> = ends.map(up).map(|y| y + 4.0).enumerate().collect();
    names.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut below = f64::INFINITY;
    for (_, y) in &mut names {
        *y = y.min(below - LINES_BETWEEN_NAMES);
        below = *y;
    }
    names
}

/// 1, 2 or 5 of a power of ten, so that there are at most ten marks.
fn step(most: f64) -> f64 {
    let most = if most > 0.0 { most } else { 1.0 };
    let rough = most / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    let fits = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|part| part * power >= rough);
    fits.unwrap_or(10.0) * power
}
