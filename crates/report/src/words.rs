//! What several shapes say in the same words.

use crate::{Ending, RunReport};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// How a run ended, as a whole; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Failed,
    /// Something kept it from going on.
    BrokenOff,
    /// It did not end, or not all had their turn.
    Unfinished,
    Unverified,
    Good,
}

impl Verdict {
    pub(crate) fn of(report: &RunReport) -> Self {
        let totals = report.totals();
        if totals.failed > 0 {
            Self::Failed
        } else if report.endings().any(|ending| ending == Ending::BrokenOff) {
            Self::BrokenOff
        } else if report.finished.is_none()
            || totals.not_done() > 0
            || report.lacks_shards()
            || report.endings().any(|ending| ending != Ending::Complete)
        {
            Self::Unfinished
        } else if totals.unverified > 0 {
            Self::Unverified
        } else {
            Self::Good
        }
    }
}

/// `1 of 300 packages failed`, `300 packages: 14 changed, 286 skipped`: the one line to read.
pub(crate) fn headline(report: &RunReport) -> String {
    let totals = report.totals();
    let all = totals.packages;
    let would = if report.dry_run { "would be " } else { "" };
    let done = || format!("{} of {} done", all - totals.not_done(), count(all, "package"));
    match Verdict::of(report) {
        Verdict::Failed => format!("{} of {} failed", totals.failed, count(all, "package")),
        Verdict::BrokenOff => format!("Broken off: {}", done()),
        Verdict::Unfinished if report.finished.is_none() => format!("Did not end: {}", done()),
        Verdict::Unfinished if report.lacks_shards() => {
            format!("A shard is missing: {} without its own", count(all, "package"))
        }
        Verdict::Unfinished => format!("{} of {} not done", totals.not_done(), count(all, "package")),
        Verdict::Unverified => format!("{} of {} not verified", totals.unverified, count(all, "package")),
        Verdict::Good if all == 0 => "No packages".to_owned(),
        Verdict::Good => match totals.changed() {
            0 => format!("{}: nothing to change", count(all, "package")),
            changed => format!("{changed} of {} {would}changed", count(all, "package")),
        },
    }
}

/// Before bytes and requests: of a run that did not end nobody knows what came after the report.
pub(crate) fn at_least(report: &RunReport) -> &'static str {
    if report.finished.is_none() { "at least " } else { "" }
}

/// Why the run, or one of the merged ones, ended before its work did.
pub(crate) fn stopped(report: &RunReport) -> Option<&'static str> {
    let words = [
        (Ending::BrokenOff, "broken off"),
        (Ending::Interrupted, "interrupted"),
        (Ending::Deadline, "stopped at its deadline"),
    ];
    words
        .into_iter()
        .find(|(wanted, _)| report.endings().any(|ending| ending == *wanted))
        .map(|(_, word)| word)
}

/// `1 package`, `2 packages`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// What lies between two moments; nothing if the clock went back.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from).max(SignedDuration::ZERO)
}

/// `0 s`, `34 ms`, `0.3 s`, `75 s`, `12 min 5 s`, `2 h 5 min`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match (seconds, duration.subsec_millis()) {
        (0, _) if duration.is_zero() => "0 s".to_owned(),
        // Something short is not nothing.
        (0, 0) => "below 1 ms".to_owned(),
        (0, millis @ ..100) => format!("{millis} ms"),
        // Tenths, cut and not rounded.
        (..10, millis) => format!("{seconds}.{} s", millis / 100),
        (10..120, _) => format!("{seconds} s"),
        (120..3600, _) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        (120..3600, _) => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `21 Nov 2026 02:00:13 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%-d %b %Y %H:%M:%S UTC").to_string()
}

/// `02:00:13`, UTC.
pub(crate) fn time_of_day(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// The text with the replacement character for what XML 1.0, and so a property list, cannot carry even escaped, and for what
/// browsers drop or change.
pub(crate) fn writable(text: &str) -> Cow<'_, str> {
    let refused = |sign: char| matches!(sign, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(refused) { Cow::Owned(text.replace(refused, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Not more than `limit` bytes of it, cut between characters, with a mark where something was cut.
pub(crate) fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let mut end = limit.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_at_every_edge() {
        let shown =
            [0, 1, 99, 100, 9_999, 10_000, 119_999, 120_000, 725_000, 3_599_000, 3_600_000, 90_000_000]
                .map(|millis| duration(SignedDuration::from_millis(millis)));
        insta::assert_snapshot!(
            shown.join(", "),
            @"0 s, 1 ms, 99 ms, 0.1 s, 9.9 s, 10 s, 119 s, 2 min, 12 min 5 s, 59 min 59 s, 1 h 0 min, 25 h 0 min"
        );
    }

    #[test]
    fn less_than_a_millisecond_is_said_to_be_less() {
        assert_eq!(duration(SignedDuration::from_micros(999)), "below 1 ms");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(clip("äöü", 6), "äöü");
        assert_eq!(clip("äöüß", 6), "ä…");
        assert_eq!(clip("abc", 0), "…");
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(writable("a\0b\u{1b}[31m\tc\n🎉\u{85}"), "a\u{fffd}b\u{fffd}[31m\tc\n🎉\u{fffd}");
    }
}
