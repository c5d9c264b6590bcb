use crate::secret::looks_secret;
use jiff::civil::{DateTime, Weekday};
use pipeline::digits;
use std::fmt;
use std::str::FromStr;

/// Text is no time of runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no time for runs: {reason}")]
pub struct InvalidRecurrence {
    text: String,
    reason: &'static str,
}

/// When runs start: at a time of day or every so many hours, on all days or some weekdays.
///
/// ```text
/// recurrence = [ days " " ] ( HH:MM | "every" N "h" [ "at :" MM ] )
/// days       = "daily" | "weekdays" | "weekends" | day [ "-" day ] { "," day [ "-" day ] }
/// day        = "Mon" … "Sun", or the whole word, in any case
/// ```
///
/// Hours run from 00 to 23. N divides 24: 1, 2, 3, 4, 6, 8 or 12, so that the last run of a day is as far from the next as
/// all others; the hours are counted from midnight. Without `at` runs start at the full hour.
///
/// ```
/// use schedule::Recurrence;
/// let nightly: Recurrence = "weekdays 03:00".parse()?;
/// assert_eq!(nightly.to_string(), "Mon-Fri 03:00");
/// assert_eq!(nightly.cron(), "0 3 * * 1-5");
/// assert_eq!(nightly.on_calendar(), "Mon..Fri *-*-* 03:00:00");
/// # Ok::<(), schedule::InvalidRecurrence>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    days: Days,
    hours: Hours,
    minute: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hours {
    /// This one, 0 to 23.
    At(u8),
    /// Midnight, and every so many hours after it; a divisor of 24 below 24.
    Every(u8),
}

/// Weekdays, Monday in bit 0. Never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days(u8);

const NAMES: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

impl Recurrence {
    /// Whether a run starts in the minute of this time, on the clock of the scheduler.
    #[must_use]
    pub fn occurs(self, at: DateTime) -> bool {
        let hour = u8::try_from(at.hour()).unwrap_or_default();
        self.days.contains(at.weekday())
            && self.hours().contains(&hour)
            && i16::from(self.minute) == i16::from(at.minute())
    }

    /// The five fields of a crontab. Weekdays are numbered from Sunday, 0.
    #[must_use]
    pub fn cron(self) -> String {
        let hour = match self.hours {
            Hours::At(hour) => hour.to_string(),
            Hours::Every(1) => "*".to_owned(),
            Hours::Every(hours) => format!("*/{hours}"),
        };
        let days = if self.days == Days::ALL {
            "*".to_owned()
        } else {
            let numbers = (0..7_u8).filter(|number| self.days.has((number + 6) % 7));
            runs(numbers, "-", |number| number.to_string())
        };
        format!("{} {hour} * * {days}", self.minute)
    }

    /// A calendar event of systemd (`systemd.time(7)`), on the machine's clock.
    #[must_use]
    pub fn on_calendar(self) -> String {
        let hour = match self.hours {
            Hours::At(hour) => format!("{hour:02}"),
            Hours::Every(1) => "*".to_owned(),
            Hours::Every(hours) => format!("00/{hours}"),
        };
        let days = if self.days == Days::ALL { String::new() } else { format!("{} ", self.days.text("..")) };
        format!("{days}*-*-* {hour}:{:02}:00", self.minute)
    }

    /// Minute, hour and weekday of each calendar interval of launchd, of which `None` means any (`launchd.plist(5)`).
    /// Sunday is 0.
    pub(crate) fn intervals(self) -> Vec<(u8, Option<u8>, Option<u8>)> {
        let hours = match self.hours {
            Hours::Every(1) => vec![None],
            _ => self.hours().into_iter().map(Some).collect(),
        };
        let days: Vec<_> = match self.days {
            Days::ALL => vec![None],
            days => (0..7).filter(|day| days.has(*day)).map(|day| Some((day + 1) % 7)).collect(),
        };
        let of_day = |day| hours.iter().map(move |hour| (self.minute, *hour, day));
        days.into_iter().flat_map(of_day).collect()
    }

    fn hours(self) -> Vec<u8> {
        match self.hours {
            Hours::At(hour) => vec![hour],
            Hours::Every(hours) => (0..24).step_by(usize::from(hours.max(1))).collect(),
        }
    }
}

impl Days {
    const ALL: Self = Self(0b111_1111);
    const WORKING: Self = Self(0b001_1111);
    const WEEKEND: Self = Self(0b110_0000);

    /// Whether the day with this number, Monday being 0, is one of them.
    fn has(self, day: u8) -> bool {
        self.0 >> day & 1 == 1
    }

    fn contains(self, day: Weekday) -> bool {
        self.has(u8::try_from(day.to_monday_zero_offset()).unwrap_or_default())
    }

    fn text(self, range: &str) -> String {
        runs((0..7).filter(|day| self.has(*day)), range, |day| NAMES[usize::from(day)].0.to_owned())
    }

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "daily" => return Some(Self::ALL),
            "weekdays" => return Some(Self::WORKING),
            "weekends" => return Some(Self::WEEKEND),
            _ => {}
        }
        let mut days = Self(0);
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (mut day, to) = (day(from)?, self::day(to)?);
            days.0 |= 1 << day;
            // Fri-Mon goes over the end of the week.
            while day != to {
                day = (day + 1) % 7;
                days.0 |= 1 << day;
            }
        }
        Some(days)
    }
}

fn day(text: &str) -> Option<u8> {
    let is = |name: &str| name.eq_ignore_ascii_case(text.trim());
    (0..).zip(NAMES).find(|(_, (short, long))| is(short) || is(long)).map(|(day, _)| day)
}

/// Numbers in order, three and more in a row as a range.
fn runs(numbers: impl Iterator<Item = u8>, range: &str, name: impl Fn(u8) -> String) -> String {
    let mut rows: Vec<(u8, u8)> = Vec::new();
    for number in numbers {
        match rows.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => rows.push((number, number)),
        }
    }
    let row = |(first, last): (u8, u8)| match last - first {
        0 => name(first),
        1 => format!("{},{}", name(first), name(last)),
        _ => format!("{}{range}{}", name(first), name(last)),
    };
    rows.into_iter().map(row).collect::<Vec<_>>().join(",")
}

/// In the form that is read; weekdays by their short names.
impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != Days::ALL {
            write!(f, "{} ", self.days.text("-"))?;
        }
        match (self.hours, self.minute) {
            (Hours::At(hour), minute) => write!(f, "{hour:02}:{minute:02}"),
            (Hours::Every(hours), 0) => write!(f, "every {hours}h"),
            (Hours::Every(hours), minute) => write!(f, "every {hours}h at :{minute:02}"),
        }
    }
}

impl FromStr for Recurrence {
    type Err = InvalidRecurrence;

    fn from_str(text: &str) -> Result<Self, InvalidRecurrence> {
        parse(text.trim()).map_err(|reason| {
            // What was pasted by mistake is not repeated.
            let text = if looks_secret(text) { "…" } else { text };
            InvalidRecurrence { text: text.to_owned(), reason }
        })
    }
}

fn parse(text: &str) -> Result<Recurrence, &'static str> {
    let words: Vec<_> = text.split_whitespace().collect();
    let (days, time) = match words.as_slice() {
        [] => return Err("it is empty"),
        [first, rest @ ..] => match Days::parse(first) {
            Some(days) => (days, rest),
            None => (Days::ALL, words.as_slice()),
        },
    };
    let (hours, minute) = match time {
        [] => return Err("it names days, but no time"),
        [every, rest @ ..] if every.eq_ignore_ascii_case("every") => interval(rest)?,
        [time] => {
            let (hour, minute) =
                time.split_once(':').ok_or("neither a weekday nor a time of the form HH:MM")?;
            let hour = two_digits(hour).filter(|hour| *hour < 24).ok_or("its hour is not 00 to 23")?;
            (Hours::At(hour), self::minute(minute)?)
        }
        _ => return Err("its first word is no weekday"),
    };
    Ok(Recurrence { days, hours, minute })
}

/// What follows `every`: `6h`, `6 hours`, `hour`, and perhaps `at :20`.
fn interval(words: &[&str]) -> Result<(Hours, u8), &'static str> {
    let (count, at) = match words {
        [unit, at @ ..] if unit.eq_ignore_ascii_case("hour") => ("1", at),
        [count, unit, at @ ..] if is_hours(unit) => (*count, at),
        [count, at @ ..] => (count.trim_end_matches(['h', 'H']), at),
        [] => return Err("it does not say how many hours"),
    };
    let count = count.parse::<u8>().ok().filter(|count| matches!(count, 1 | 2 | 3 | 4 | 6 | 8 | 12));
    let count = count.ok_or("hours are 1, 2, 3, 4, 6, 8 or 12: what divides a day")?;
    let minute = match at {
        [] => 0,
        [at, minute] if at.eq_ignore_ascii_case("at") => self::minute(minute.trim_start_matches(':'))?,
        _ => return Err("what follows the hours is not of the form `at :MM`"),
    };
    Ok((Hours::Every(count), minute))
}

fn is_hours(unit: &str) -> bool {
    ["h", "hour", "hours"].iter().any(|known| known.eq_ignore_ascii_case(unit))
}

fn minute(text: &str) -> Result<u8, &'static str> {
    two_digits(text).filter(|minute| *minute < 60).ok_or("its minute is not 00 to 59")
}

fn two_digits(text: &str) -> Option<u8> {
    matches!(text.len(), 1 | 2).then(|| digits(text)).flatten()
}
