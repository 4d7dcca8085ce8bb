//! Plots as SVG text: lines over one axis of numbers, the axes with units, the title with where it is from.
//!
//! The colors are those of Okabe and Ito, which people see apart whatever colors they see; each series has
//! a mark of its own besides. Both axes are logarithmic, since what is swept is swept by factors, and begin
//! and end at a power of ten or twice or five times one.

#![expect(clippy::float_arithmetic, reason = "places on a drawing")]
#![expect(clippy::cast_precision_loss, reason = "places on a drawing")]

use crate::record::Run;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The width of a drawing.
const WIDTH: f64 = 760.0;
/// Its height.
const HEIGHT: f64 = 420.0;
/// Where the axes are: left, right, top, bottom.
const FRAME: [f64; 4] = [90.0, 560.0, 50.0, 360.0];
/// Colours, each with a mark: a path around the point.
const SERIES: [(&str, &str); 6] = [
    ("#0072B2", "m-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z"),
    ("#D55E00", "m-4,-4h8v8h-8z"),
    ("#009E73", "m0,-5l5,9h-10z"),
    ("#CC79A7", "m0,-5l5,5l-5,5l-5,-5z"),
    ("#E69F00", "m0,5l5,-9h-10z"),
    ("#56B4E9", "m-5,-2h10v4h-10z"),
];

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What it shows.
    pub name: String,
    /// Its points, by the first number.
    pub points: BTreeMap<u64, u64>,
}

/// A plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// On which machine, of which commit.
    pub from: String,
    /// What is to the right, with its unit.
    pub across: String,
    /// What is upward, with its unit.
    pub upward: String,
    /// The lines, six at most.
    pub series: Vec<Series>,
}

/// What runs of one line have in common: its name, the commit, the other settings.
type Alike = (String, String, Vec<(String, u64)>);

/// The figures of runs that differ in one setting only; runs without such others are left out.
pub fn sweep(runs: &[Run], setting: &str, figures: &[&str]) -> Vec<Series> {
    let mut series: BTreeMap<Alike, Series> = BTreeMap::new();
    for run in runs {
        let Some(at) = run.settings.get(setting) else { continue };
        let others = run.settings.iter().filter(|(key, _)| *key != setting);
        let others: Vec<(String, u64)> = others.map(|(key, value)| (key.clone(), *value)).collect();
        for figure in figures.iter().filter_map(|what| run.figure(what)) {
            let name = match figures {
                [_] => run.bench.clone(),
                _ => format!("{}: {}", run.bench, figure.what),
            };
            let key = (name.clone(), run.commit.clone(), others.clone());
            let line = series.entry(key).or_insert(Series { name, points: BTreeMap::new() });
            line.points.insert(*at, figure.value);
        }
    }
    series.into_values().filter(|line| line.points.len() > 1).collect()
}

/// What a run says of its windows: figures that are named by this word and a number, by the number.
pub fn along(runs: &[Run], word: &str) -> Vec<Series> {
    let line = |run: &Run| {
        let points = run.figures.iter().filter_map(|figure| {
            let number = figure.what.strip_prefix(word)?.strip_prefix(' ')?;
            Some((number.parse().ok()?, figure.value))
        });
        let settings: Vec<String> = ["rate", "live", "corrections"]
            .iter()
            .filter_map(|key| run.settings.get(*key).map(|value| format!("{key} {value}")))
            .collect();
        Series { name: settings.join(", "), points: points.collect() }
    };
    runs.iter().map(line).filter(|line| line.points.len() > 1).collect()
}

/// An axis: the numbers at its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    from: u64,
    to: u64,
}

/// The numbers at which an axis may begin, end and be marked.
fn steps() -> impl Iterator<Item = u64> {
    (0..19).flat_map(|power| [1, 2, 5].map(|times| times * 10_u64.pow(power)))
}

impl Axis {
    /// The axis that holds all numbers.
    fn over(numbers: impl Iterator<Item = u64>) -> Self {
        let numbers: BTreeSet<u64> = numbers.map(|number| number.max(1)).collect();
        let (first, last) = (numbers.first().copied(), numbers.last().copied());
        let (first, last) = (first.unwrap_or(1), last.unwrap_or(1));
        let from = steps().take_while(|step| *step <= first).last().unwrap_or(1);
        let to = steps().find(|step| *step >= last && *step > from).unwrap_or(u64::MAX);
        Self { from, to }
    }

    /// How far along the axis a number is, from 0 to 1.
    fn share(self, number: u64) -> f64 {
        let [from, to, at] = [self.from, self.to, number.max(1)].map(|one| (one as f64).ln());
        (at - from) / (to - from)
    }

    fn marks(self) -> impl Iterator<Item = u64> {
        steps().filter(move |step| (self.from..=self.to).contains(step))
    }
}

/// A number as it stands at an axis.
fn shown(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{} k", number / 1_000),
        1_000_000.. => format!("{} M", number / 1_000_000),
    }
}

/// Words that stand in a drawing.
fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Plot {
    /// The drawing.
    pub fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|line| &line.points);
        let across = Axis::over(points().map(|(at, _)| *at));
        let upward = Axis::over(points().map(|(_, value)| *value));
        let [left, right, top, bottom] = FRAME;
        let x = |at: u64| left + across.share(at) * (right - left);
        let y = |value: u64| bottom - upward.share(value) * (bottom - top);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        let mut put = |words: &str, place: [f64; 2], how: &str| {
            let [at, up] = place;
            // Writing to a text does not fail.
            let _ =
                writeln!(svg, "<text x=\"{at:.1}\" y=\"{up:.1}\" {how}>{}</text>", escaped(words));
        };
        put(&self.title, [left, 20.0], "font-size=\"15\" font-weight=\"bold\"");
        put(&self.from, [left, 38.0], "fill=\"#555\"");
        let middle = f64::midpoint(left, right);
        put(&self.across, [middle, bottom + 42.0], "text-anchor=\"middle\"");
        let halfway = f64::midpoint(top, bottom);
        let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 24 {halfway})\"");
        put(&self.upward, [24.0, halfway], &turned);
        for mark in across.marks() {
            put(&shown(mark), [x(mark), bottom + 20.0], "text-anchor=\"middle\"");
        }
        for mark in upward.marks() {
            put(&shown(mark), [left - 8.0, y(mark) + 4.0], "text-anchor=\"end\"");
        }
        for ((name, (color, _)), place) in self.names().zip(0_u8..) {
            let up = top + 14.0 + f64::from(place) * 20.0;
            put(name, [right + 32.0, up + 4.0], &format!("fill=\"{color}\""));
        }
        for mark in across.marks() {
            line(&mut svg, [x(mark), top, x(mark), bottom]);
        }
        for mark in upward.marks() {
            line(&mut svg, [left, y(mark), right, y(mark)]);
        }
        for ((one, (color, mark)), place) in self.series.iter().zip(SERIES).zip(0_u8..) {
            let places: Vec<String> = (one.points.iter())
                .map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)))
                .collect();
            let way = places.join(" ");
            let _ = writeln!(
                svg,
                "<polyline points=\"{way}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
            );
            let beside = format!("{},{}", right + 20.0, top + 14.0 + f64::from(place) * 20.0);
            for point in places.iter().chain([&beside]) {
                let _ = writeln!(svg, "<path d=\"M{point}{mark}\" fill=\"{color}\"/>");
            }
        }
        svg + "</svg>\n"
    }

    fn names(&self) -> impl Iterator<Item = (&str, (&'static str, &'static str))> {
        self.series.iter().map(|line| line.name.as_str()).zip(SERIES)
    }
}

/// A line of the grid.
fn line(svg: &mut String, [from, top, to, bottom]: [f64; 4]) {
    let _ = writeln!(
        svg,
        "<line x1=\"{from:.1}\" y1=\"{top:.1}\" x2=\"{to:.1}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>"
    );
}

#[cfg(test)]
mod tests;
