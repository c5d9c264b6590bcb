//! Times of runs: what is read, and that every notation means the same minutes.

use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use schedule::{InvalidRecurrence, Recurrence};
use std::process::Command;

fn read(text: &str) -> Result<Recurrence, InvalidRecurrence> {
    text.parse()
}

/// Canonical text, crontab, systemd.
fn notations(text: &str) -> String {
    match read(text) {
        Ok(recurrence) => format!("{recurrence} | {} | {}", recurrence.cron(), recurrence.on_calendar()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_grammar() {
    let table = [
        ("03:00", "03:00 | 0 3 * * * | *-*-* 03:00:00"),
        (" 3:5 ", "03:05 | 5 3 * * * | *-*-* 03:05:00"),
        ("daily 23:59", "23:59 | 59 23 * * * | *-*-* 23:59:00"),
        ("weekdays 00:00", "Mon-Fri 00:00 | 0 0 * * 1-5 | Mon..Fri *-*-* 00:00:00"),
        ("Weekends 12:30", "Sat,Sun 12:30 | 30 12 * * 0,6 | Sat,Sun *-*-* 12:30:00"),
        ("monday 03:00", "Mon 03:00 | 0 3 * * 1 | Mon *-*-* 03:00:00"),
        ("SUN 03:00", "Sun 03:00 | 0 3 * * 0 | Sun *-*-* 03:00:00"),
        ("Mon,Wed,Fri 03:00", "Mon,Wed,Fri 03:00 | 0 3 * * 1,3,5 | Mon,Wed,Fri *-*-* 03:00:00"),
        ("Fri-Mon 03:00", "Mon,Fri-Sun 03:00 | 0 3 * * 0,1,5,6 | Mon,Fri..Sun *-*-* 03:00:00"),
        ("Thu,Mon-Tue 03:00", "Mon,Tue,Thu 03:00 | 0 3 * * 1,2,4 | Mon,Tue,Thu *-*-* 03:00:00"),
        ("Mon-Sun 03:00", "03:00 | 0 3 * * * | *-*-* 03:00:00"),
        ("every 6h", "every 6h | 0 */6 * * * | *-*-* 00/6:00:00"),
        ("every 12 hours at :20", "every 12h at :20 | 20 */12 * * * | *-*-* 00/12:20:00"),
        ("Every Hour at 45", "every 1h at :45 | 45 * * * * | *-*-* *:45:00"),
        ("Sat,Sun every 4h", "Sat,Sun every 4h | 0 */4 * * 0,6 | Sat,Sun *-*-* 00/4:00:00"),
    ];
    for (text, expected) in table {
        assert_eq!(notations(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_time() {
    let table = [
        ("", "it is empty"),
        ("24:00", "its hour is not 00 to 23"),
        ("3", "neither a weekday nor a time of the form HH:MM"),
        ("03:60", "its minute is not 00 to 59"),
        ("+3:00", "its hour is not 00 to 23"),
        ("003:00", "its hour is not 00 to 23"),
        ("Mon", "it names days, but no time"),
        ("Mon-Fry 03:00", "its first word is no weekday"),
        ("Mon, Tue 03:00", "its first word is no weekday"),
        ("every", "it does not say how many hours"),
        ("every 5h", "hours are 1, 2, 3, 4, 6, 8 or 12: what divides a day"),
        ("every 24h", "hours are 1, 2, 3, 4, 6, 8 or 12: what divides a day"),
        ("every 6h at", "what follows the hours is not of the form `at :MM`"),
        ("every 6h at :60", "its minute is not 00 to 59"),
        ("0 3 * * *", "its first word is no weekday"),
    ];
    for (text, reason) in table {
        assert_eq!(notations(text), format!("{text:?} is no time for runs: {reason}"));
    }
    assert_eq!(
        read("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln").unwrap_err().to_string(),
        "\"…\" is no time for runs: neither a weekday nor a time of the form HH:MM"
    );
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    let days = prop::sample::subsequence(vec!["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 1..=7);
    let at = (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| format!("{hour}:{minute:02}"));
    let every = (prop::sample::select(vec![1, 2, 3, 4, 6, 8, 12]), 0_u8..60)
        .prop_map(|(hours, minute)| format!("every {hours}h at :{minute:02}"));
    (days, prop_oneof![at, every])
        .prop_map(|(days, time)| format!("{} {time}", days.join(",")).parse().unwrap())
}

/// The next starts after a time, by trying each minute of each hour.
fn starts(recurrence: Recurrence, after: DateTime, count: usize) -> Vec<String> {
    let minutes = (1_i64..).map(|minute| after.checked_add(minute.minutes()).unwrap());
    let starts = minutes.filter(|time| recurrence.occurs(*time)).take(count);
    starts.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).collect()
}

/// Whether a number is one of a crontab field (`crontab(5)`).
fn in_field(field: &str, number: i8) -> bool {
    field.split(',').any(|part| {
        let (range, step) =
            part.split_once('/').map_or((part, 1), |(range, step)| (range, step.parse().unwrap()));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if range == "*" => (0, 59),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        (from..=to).contains(&number) && (number - from) % step == 0
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(recurrence in any_recurrence()) {
        prop_assert_eq!(recurrence.to_string().parse(), Ok(recurrence));
    }

    #[test]
    fn reading_never_panics(text in "(Mon|every|at|daily|[0-9]{1,3}|[:, -]|h|\\PC){0,8}") {
        if let Ok(recurrence) = text.parse::<Recurrence>() {
            prop_assert_eq!(recurrence.to_string().parse(), Ok(recurrence));
        }
    }

    #[test]
    fn crontabs_mean_the_same(recurrence in any_recurrence(), hours in 0_i64..200) {
        let cron = recurrence.cron();
        let fields: Vec<_> = cron.split(' ').collect();
        prop_assert_eq!(&fields[2..4], ["*", "*"]);
        let hour = date(2026, 11, 16).at(0, 0, 0, 0).checked_add(hours.hours()).unwrap();
        for minute in 0..60_i64 {
            let time = hour.checked_add(minute.minutes()).unwrap();
            let matches = in_field(fields[0], time.minute())
                && in_field(fields[1], time.hour())
                && in_field(fields[4], time.weekday().to_sunday_zero_offset());
            prop_assert_eq!(matches, recurrence.occurs(time), "{} {}", cron, time);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// systemd itself says when its timers start.
    #[test]
    fn systemd_means_the_same(recurrence in any_recurrence()) {
        let Some(found) = elapses(&recurrence.on_calendar()) else { return Ok(()) };
        prop_assert_eq!(found, starts(recurrence, date(2026, 11, 16).at(0, 0, 0, 0), 6));
    }
}

/// The next six starts that `systemd-analyze` tells; `None`, told on standard error, where there is none.
fn elapses(calendar: &str) -> Option<Vec<String>> {
    let base = "--base-time=2026-11-16 00:00:00";
    let run = Command::new("systemd-analyze")
        .args(["calendar", "--iterations=6", base, calendar])
        .env("TZ", "UTC")
        .output();
    let Ok(output) = run else {
        crate::systemd::skipped("systemd-analyze");
        return None;
    };
    assert!(output.status.success(), "{calendar}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.contains("Next elapse:") || line.contains("Iter"));
    // `Next elapse: Mon 2026-11-16 03:00:00 UTC`
    let times = lines.map(|line| line.split_whitespace().rev().skip(1).take(2).collect::<Vec<_>>());
    Some(times.map(|words| format!("{} {}", words[1], words[0])).collect())
}
