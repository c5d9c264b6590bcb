//! When a request is sent again (`jamf-pro-api.md §13.3`).

use crate::answer::Answer;
use crate::error::Phase;
use crate::pace::Allowance;
use crate::{Error, Retry};
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use std::time::Duration;

/// A server that says nothing for a minute seldom does the minute after; whoever waits for it learns that soon.
const TRIES_IN_SILENCE: u32 = 2;
/// A gateway that says when to come back is asked so often: its limit is for all who use the same API client.
const TRIES_AT_THE_LIMIT: u32 = 20;
/// No server makes a client wait longer with `Retry-After`.
const LONGEST_ORDERED: Duration = Duration::from_secs(60);

/// What may be done after a failure that can pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Sending it twice does no more than sending it once.
    Always,
    /// Sending it twice could make a second one: only when it surely was not carried out.
    UnlessDone,
    /// Nobody needs it badly enough.
    Never,
}

/// The tries that one call has had.
#[derive(Debug)]
pub(crate) struct Attempts {
    repeat: Repeat,
    made: u32,
    /// Tries that a gateway's limit ended; they do not count otherwise, since nothing was done.
    limited: u32,
    most: u32,
}

/// A failure after which another try makes sense.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) error: Error,
    /// The try that failed, counted from 1.
    pub(crate) made: u32,
    pub(crate) most: u32,
    /// What the server ordered with `Retry-After`, or with the end of its window.
    pub(crate) ordered: Option<Duration>,
}

#[derive(Debug)]
pub(crate) enum Next {
    Done(Answer),
    Again(Again),
}

impl Attempts {
    pub(crate) fn new(policy: &Retry, repeat: Repeat) -> Self {
        Self { repeat, made: 0, limited: 0, most: policy.tries.max(1) }
    }

    /// How many tries there were so far.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Counts a try and decides what comes of it.
    pub(crate) fn judge(&mut self, outcome: Result<Answer, Error>, now: Timestamp) -> Result<Next, Error> {
        let (error, ordered) = match outcome {
            Ok(answer) if answer.status.is_success() => {
                self.made += 1;
                return Ok(Next::Done(answer));
            }
            Ok(answer) => {
                let ordered = answer.header(&RETRY_AFTER).and_then(|text| retry_after(text, now));
                if let Some(limit) = limit(&answer, now) {
                    self.limited += 1;
                    let ordered = limit.pause(now).or(ordered);
                    let (made, most) = (self.limited, TRIES_AT_THE_LIMIT);
                    let again = Again { error: answer.into_error(), made, most, ordered };
                    return if made < most { Ok(Next::Again(again)) } else { Err(again.error) };
                }
                (answer.into_error(), ordered)
            }
            Err(error) => (error, None),
        };
        self.made += 1;
        self.most = most_after(&error, self.most);
        let may_pass = match self.repeat {
            Repeat::Always => can_pass(&error),
            Repeat::UnlessDone => can_pass(&error) && !error.leaves_outcome_open(),
            Repeat::Never => false,
        };
        if may_pass && self.made < self.most {
            Ok(Next::Again(Again { error, made: self.made, most: self.most, ordered }))
        } else {
            Err(error)
        }
    }
}

/// What a 429 says of a gateway's limit. Jamf Pro itself has none.
fn limit(answer: &Answer, now: Timestamp) -> Option<Allowance> {
    (answer.status == 429).then(|| Allowance::read(&answer.headers, now)).flatten()
}

/// How many tries there are in all, `most` without this failure.
pub(crate) fn most_after(error: &Error, most: u32) -> u32 {
    match error {
        Error::Timeout { phase: Phase::Header, .. } => most.min(TRIES_IN_SILENCE),
        _ => most,
    }
}

/// Whether it may be over the next time, so that a request is tried more than once.
pub(crate) fn can_pass(error: &Error) -> bool {
    match error {
        Error::Status(rejection) => is_passing(rejection.status()),
        Error::Connection { .. } | Error::Timeout { .. } => true,
        _ => false,
    }
}

/// What a server answers that is busy or broken.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// The pause after the try with this number: doubled each time, then cut at random to between half and all of it, so
/// that many clients do not come back at once.
pub(crate) fn backoff(policy: &Retry, made: u32, random: &mut fastrand::Rng) -> Duration {
    let doubled = policy.base.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
    doubled.min(policy.longest).mul_f64(0.5 + random.f64() / 2.0)
}

/// Seconds or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_ORDERED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_jitter_by_half() {
        let policy = Retry { tries: 9, base: Duration::from_secs(2), longest: Duration::from_secs(30) };
        let mut random = fastrand::Rng::with_seed(7);
        for (made, full) in [(1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 30.0), (200, 30.0)] {
            for _ in 0..50 {
                let pause = backoff(&policy, made, &mut random).as_secs_f64();
                assert!(pause >= full / 2.0 && pause <= full, "{made}: {pause}");
            }
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let pause = |text| retry_after(text, now).map(|pause| pause.as_secs());
        assert_eq!(pause("7"), Some(7));
        assert_eq!(pause(" 0 "), Some(0));
        assert_eq!(pause("Fri, 20 Nov 2026 12:00:09 GMT"), Some(9));
        assert_eq!(pause("Fri, 20 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(pause("86400"), Some(60));
        assert_eq!(pause("Sat, 20 Nov 2027 12:00:00 GMT"), Some(60));
        assert_eq!(pause("soon"), None);
        assert_eq!(pause("-1"), None);
    }
}
