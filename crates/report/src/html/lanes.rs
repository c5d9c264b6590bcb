//! Where things lie in the picture of a run, without drawing them.

use crate::words::span;
use crate::{PackageReport, RunReport};
use jiff::{SignedDuration, Timestamp};

/// A package that took time, and the lane it lies in.
pub(super) struct Bar<'a> {
    /// Its number in the report.
    pub index: usize,
    pub package: &'a PackageReport,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Counted from 0, over all groups.
    pub lane: usize,
}

/// The lanes of one run; a merged report has several.
pub(super) struct Group<'a> {
    pub run: Option<&'a str>,
    pub first_lane: usize,
    pub lanes: usize,
    pub bars: Vec<Bar<'a>>,
}

/// Lays packages into lanes: as few as there were packages side by side, each package in the first that is free.
pub(super) fn groups(report: &RunReport) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, package) in report.packages.iter().enumerate() {
        let Some(from) = package.started else { continue };
        let to = package.finished.unwrap_or(report.updated).max(from);
        let run = package.run.as_deref();
        let place = groups.iter().position(|group| group.run == run).unwrap_or_else(|| {
            groups.push(Group { run, first_lane: 0, lanes: 0, bars: Vec::new() });
            groups.len() - 1
        });
        groups[place].bars.push(Bar { index, package, from, to, lane: 0 });
    }
    let mut first_lane = 0;
    for group in &mut groups {
        group.first_lane = first_lane;
        group.bars.sort_by_key(|bar| (bar.from, bar.to, bar.index));
        let mut free_from: Vec<Timestamp> = Vec::new();
        for bar in &mut group.bars {
            let lane = free_from.iter().position(|free| *free <= bar.from).unwrap_or_else(|| {
                free_from.push(bar.to);
                free_from.len() - 1
            });
            free_from[lane] = bar.to;
            bar.lane = first_lane + lane;
        }
        group.lanes = free_from.len();
        first_lane += group.lanes;
    }
    groups
}

/// The time that the picture shows.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    from: Timestamp,
    length: SignedDuration,
}

impl Scale {
    /// From the beginning of the run to its end, and around everything in it; `None` if there is nothing in it, or if it took
    /// no time.
    pub(super) fn of(report: &RunReport, groups: &[Group<'_>]) -> Option<Self> {
        let bars = || groups.iter().flat_map(|group| &group.bars);
        let from = bars().map(|bar| bar.from).min()?.min(report.started);
        let to = bars().map(|bar| bar.to).chain(report.finished).max()?;
        let length = span(from, to);
        (!length.is_zero()).then_some(Self { from, length })
    }

    pub(super) fn length(self) -> SignedDuration {
        self.length
    }

    /// Where a moment lies, in percent.
    pub(super) fn place(self, time: Timestamp) -> f64 {
        100.0 * span(self.from, time).as_secs_f64() / self.length.as_secs_f64()
    }

    /// Round times of day, at most ten, with a distance that a person counts in.
    pub(super) fn ticks(self) -> (SignedDuration, Vec<Timestamp>) {
        const MOST: i64 = 10;
        /// Labels with parts of a second are longer.
        const MOST_LONG: i64 = 8;
        const MILLIS: [i64; 6] = [10, 20, 50, 100, 200, 500];
        const SECONDS: [i64; 20] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
            172_800, 604_800,
        ];
        let length = i64::try_from(self.length.as_millis()).unwrap_or(i64::MAX);
        let short = MILLIS.into_iter().find(|step| length / step < MOST_LONG);
        let long = || SECONDS.into_iter().map(|step| step * 1000).find(|step| length / step < MOST);
        let step = short.or_else(long).unwrap_or_else(|| (length / MOST).max(1));
        let begin = self.from.as_millisecond();
        let first = begin + (step - begin.rem_euclid(step)) % step;
        let all = (0..=MOST).filter_map(|number| {
            Timestamp::from_millisecond(first.checked_add(number.checked_mul(step)?)?).ok()
        });
        let inside = all.filter(|time| *time >= self.from && span(self.from, *time) <= self.length);
        (SignedDuration::from_millis(step), inside.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_inside(from in 0_i64..4_000_000_000, length in 1_i64..40_000_000) {
            let scale = Scale { from: at(from), length: SignedDuration::from_secs(length) };
            let (step, ticks) = scale.ticks();
            prop_assert!(ticks.len() <= 11);
            prop_assert!(length < 2 || !ticks.is_empty());
            for tick in &ticks {
                prop_assert!((0.0..=100.0).contains(&scale.place(*tick)));
                prop_assert_eq!(i128::from(tick.as_millisecond()) % step.as_millis(), 0);
            }
        }
    }

    #[test]
    fn a_short_run_has_round_seconds_and_a_long_one_round_hours() {
        let shown = [9, 61, 900, 40_000, 90_000_000].map(|length| {
            let scale = Scale { from: at(1_795_226_395), length: SignedDuration::from_secs(length) };
            let (step, ticks) = scale.ticks();
            format!("{length} s: {} ticks, {} s apart", ticks.len(), step.as_secs())
        });
        insta::assert_snapshot!(shown.join("\n"), @"
        9 s: 10 ticks, 1 s apart
        61 s: 6 ticks, 10 s apart
        900 s: 8 ticks, 120 s apart
        40000 s: 6 ticks, 7200 s apart
        90000000 s: 10 ticks, 9000000 s apart
        ");
    }
}
