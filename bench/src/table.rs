//! Tables in Markdown.

use crate::rounds::Entry;
use crate::stats::{Sample, difference, median, ratio};
use std::fmt::Write as _;

const MIB: f64 = 1_048_576.0;

/// A figure that has to be reached.
#[derive(Clone, Copy, Debug)]
pub struct Must {
    pub figure: Figure,
    pub limit: Limit,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Figure {
    /// How many times as long as the slowest of these.
    Ratio(&'static str, &'static [&'static str]),
    /// How many seconds longer.
    Difference(&'static str, &'static str),
    /// Seconds.
    Wall(&'static str),
    /// Peak memory in MiB.
    Peak(&'static str),
}

/// How it is judged.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Must {
    pub const fn new(figure: Figure, limit: Limit) -> Self {
        Self { figure, limit }
    }
}

/// One line a contender.
pub fn results(title: &str, entries: &[Entry]) -> String {
    let base = entries.iter().find_map(|entry| Some((entry.label, entry.outcome.as_ref().ok()?)));
    let mut text = format!("\n### {title}\n\n");
    let _ = writeln!(
        text,
        "| | wall s | min..max | CPU s | peak MiB | sink CPU s | requests | x {} |",
        base.map_or("", |(label, _)| label)
    );
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for Entry { label, outcome } in entries {
        let line = match outcome {
            Err(why) => format!("**failed**: {} |||||||", why.replace('|', "\\|")),
            Ok(samples) => line(samples, base.map_or(&[], |(_, samples)| samples)),
        };
        let _ = writeln!(text, "| {label} | {line}");
    }
    text
}

fn line(samples: &[Sample], base: &[Sample]) -> String {
    let of = |figure: &dyn Fn(&Sample) -> f64| median(samples.iter().map(figure)).unwrap_or_default();
    let walls = || samples.iter().map(Sample::seconds);
    let sink = median(samples.iter().filter_map(|sample| sample.sink).map(|cpu| cpu.as_secs_f64()));
    format!(
        "{:.3} | {:.3}..{:.3} | {:.2} | {:.0} | {} | {} | {} |",
        of(&Sample::seconds),
        walls().fold(f64::INFINITY, f64::min),
        walls().fold(0.0, f64::max),
        of(&|sample| sample.cpu.as_secs_f64()),
        of(&|sample| sample.peak as f64 / MIB),
        sink.map_or_else(String::new, |seconds| format!("{seconds:.2}")),
        samples.last().map_or(0, |sample| sample.requests),
        ratio(samples, &[base]).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    )
}

/// One line a figure; those of contenders that are not here are left out.
pub fn musts(entries: &[Entry], musts: &[Must]) -> String {
    let mut text = String::new();
    for must in musts {
        let Some(value) = must.figure.of(entries) else { continue };
        if text.is_empty() {
            text.push_str("\n| must | is | |\n|---|--:|---|\n");
        }
        let (sign, limit, reached) = match must.limit {
            Limit::AtMost(limit) => ("≤", limit, value <= limit),
            Limit::AtLeast(limit) => ("≥", limit, value >= limit),
        };
        let (what, unit) = must.figure.words();
        let verdict = if reached { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} {sign} {limit}{unit} | {value:.3} | {verdict} |");
    }
    text
}

impl Figure {
    fn of(&self, entries: &[Entry]) -> Option<f64> {
        let samples = |label: &str| -> Option<&[Sample]> {
            let entry = entries.iter().find(|entry| entry.label == label)?;
            entry.outcome.as_deref().ok()
        };
        match self {
            Self::Ratio(of, to) => {
                let to: Option<Vec<_>> = to.iter().map(|label| samples(label)).collect();
                ratio(samples(of)?, &to?)
            }
            Self::Difference(of, to) => difference(samples(of)?, samples(to)?),
            Self::Wall(of) => median(samples(of)?.iter().map(Sample::seconds)),
            Self::Peak(of) => median(samples(of)?.iter().map(|sample| sample.peak as f64 / MIB)),
        }
    }

    fn words(&self) -> (String, &'static str) {
        match self {
            Self::Ratio(of, [one]) => (format!("{of} / {one}"), ""),
            Self::Ratio(of, to) => (format!("{of} / slower of ({})", to.join("; ")), ""),
            Self::Difference(of, to) => (format!("{of} − {to}"), " s"),
            Self::Wall(of) => (of.to_string(), " s"),
            Self::Peak(of) => (format!("peak of {of}"), " MiB"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn entry(label: &'static str, seconds: [u64; 3]) -> Entry {
        let sample = |wall| Sample {
            wall: Duration::from_secs(wall),
            cpu: Duration::from_secs(1),
            peak: 15 << 20,
            sink: None,
            requests: 3,
        };
        Entry { label, outcome: Ok(seconds.map(sample).into()) }
    }

    #[test]
    fn tables_show_medians_ratios_and_failures() {
        let failed = Entry { label: "boto3", outcome: Err("exit status: 1: a | b".into()) };
        let entries = [entry("curl", [1, 2, 1]), entry("pkgferry", [2, 2, 3]), failed];
        assert_eq!(
            results("upload", &entries),
            "\n### upload\n\n\
             | | wall s | min..max | CPU s | peak MiB | sink CPU s | requests | x curl |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|\n\
             | curl | 1.000 | 1.000..2.000 | 1.00 | 15 |  | 3 | 1.00 |\n\
             | pkgferry | 2.000 | 2.000..3.000 | 1.00 | 15 |  | 3 | 2.00 |\n\
             | boto3 | **failed**: exit status: 1: a \\| b |||||||\n"
        );
        let wanted = [
            Must::new(Figure::Ratio("pkgferry", &["curl"]), Limit::AtMost(1.1)),
            Must::new(Figure::Ratio("boto3", &["pkgferry"]), Limit::AtLeast(2.5)),
            Must::new(Figure::Peak("pkgferry"), Limit::AtMost(96.0)),
        ];
        assert_eq!(
            musts(&entries, &wanted),
            "\n| must | is | |\n|---|--:|---|\n\
             | pkgferry / curl ≤ 1.1 | 2.000 | **no** |\n\
             | peak of pkgferry ≤ 96 MiB | 15.000 | yes |\n"
        );
    }
}
